// A level read as one run: tables sorted by key that do not overlap. A table is opened when its first entry is needed,
// never to find out that it holds nothing of interest: fences (smallest and largest keys) decide that.
//
// Thread safety: one thread at a time. Lifetime: the TableList outlives the cursor. entry() borrows from the present
// table's cursor.
#pragma once

#include <cstddef>
#include <memory>

#include "codec/cursor.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "sstable/table_meta.h"

namespace firn::compaction {

// A sorted list of tables that do not overlap: a level of a version, or part of one. Implemented by whoever holds the
// tables, so that making a cursor over a large level copies nothing.
class TableList {
 public:
  virtual ~TableList() = default;
  virtual std::size_t count() const = 0;
  // Precondition of both: index < count().
  virtual const TableMeta& meta(std::size_t index) const = 0;
  // Not positioned. Errors: whatever opening the table can fail with.
  virtual Result<std::unique_ptr<Cursor>> open(std::size_t index) const = 0;
  // First table whose largest key is at or after `key`; count() when there is none. Binary search over meta(), to be
  // overridden by lists that keep key heads side by side.
  virtual std::size_t find(Slice key) const;
};

class LevelCursor final : public Cursor {
 public:
  // Not positioned.
  explicit LevelCursor(const TableList& tables) : tables_(tables) {}

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(Slice key, Sequence sequence) override;
  void seek_before(Slice key) override;
  void next() override;
  void prev() override;

 private:
  std::size_t find(Slice key) const;
  bool open(std::size_t index);
  bool present();
  void forward_from(std::size_t index);
  void backward_from(std::size_t end_index);
  void settle_forward();
  void settle_backward();

  const TableList& tables_;
  std::unique_ptr<Cursor> cursor_;  // Over table index_; null before the first open and after an error.
  std::size_t index_ = 0;
};

}  // namespace firn::compaction
