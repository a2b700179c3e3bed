// The sound entries of damaged files in one order, for repair(): tables read past their damage, and the log. All
// versions of a key meet here, so that the newest that is left wins wherever it lies.
//
// Thread safety: one thread at a time. Lifetime: the file system outlives them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/batch_format.h"
#include "codec/entry.h"
#include "firn/repair.h"
#include "sstable/table_salvage.h"

namespace firn::lsm {

// One sorted run: key ascending, newest version first.
class SalvageRun {
 public:
  virtual ~SalvageRun() = default;
  // Moves to the next entry, the first one at the first call; false at the end.
  virtual bool next() = 0;
  const std::string& key() const { return key_; }
  Slice value() const { return value_; }  // Of kReference: where it is.
  Sequence sequence() const { return sequence_; }
  EntryKind kind() const { return kind_; }

 protected:
  std::string key_;
  Slice value_;  // Lives until next().
  Sequence sequence_ = 0;
  EntryKind kind_ = EntryKind::kPut;
};

// A table's sound blocks. What is not sound goes to `lost`.
class SalvagedTable final : public SalvageRun {
 public:
  using Lost = std::function<void(TableDamage)>;
  SalvagedTable(std::unique_ptr<TableSalvage> table, Lost lost) : table_(std::move(table)), lost_(std::move(lost)) {}
  bool next() override;

 private:
  const std::unique_ptr<TableSalvage> table_;
  const Lost lost_;
  std::uint32_t next_block_ = 0;
  sstable::BlockReader block_;
  std::uint32_t position_ = 0;
  std::uint32_t entries_ = 0;
};

// The newest version of each key in the log's records, which are added first.
class SalvagedLog final : public SalvageRun {
 public:
  void add(const BatchOperation& op, Sequence sequence);
  bool next() override;

 private:
  struct Version {
    Sequence sequence = 0;
    EntryKind kind = EntryKind::kPut;
    std::string value;
  };
  std::map<std::string, Version> versions_;
  std::optional<std::map<std::string, Version>::const_iterator> at_;
};

// Calls `visit` with the newest version of each key of all runs, by key; of versions equally new that of the earlier
// run. Ends at the first error, which is the answer.
Status merge_newest(std::vector<std::unique_ptr<SalvageRun>> runs,
                    const std::function<Status(const SalvageRun&)>& visit);

}  // namespace firn::lsm
