// The iterator that users hold: of all versions of all runs of a family, what one sequence sees, within bounds.
//
// Lifetime: keeps its view (memtables, tables) alive. Thread safety: one thread at a time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "compaction/level_cursor.h"
#include "compaction/merge_cursor.h"
#include "firn/iterator.h"
#include "firn/options.h"
#include "lsm/read_view.h"

namespace firn::lsm {

// One level of a version as compaction::LevelCursor wants it.
class LevelTables final : public compaction::TableList {
 public:
  LevelTables() = default;
  LevelTables(const Version& version, int level) : version_(&version), level_(level) {}
  std::size_t count() const override { return tables().size(); }
  const TableMeta& meta(std::size_t index) const override { return tables()[index]->meta(); }
  Result<std::unique_ptr<Cursor>> open(std::size_t index) const override;

 private:
  const lsm::TableList& tables() const { return version_->level(level_); }

  const Version* version_ = nullptr;
  int level_ = 0;
};

class DbIterator final : public IteratorImpl {
 public:
  // Sees the writes up to `at`, within [lower, upper).
  DbIterator(ViewRef view, Sequence at, std::optional<std::string> lower, std::optional<std::string> upper);

  Step seek_to_first() override;
  Step seek_to_last() override;
  Step seek(Slice key) override;
  Step seek_before(Slice key) override;
  Step next() override;
  Step prev() override;
  Slice key() const override { return position_ == Position::kForward ? merge_->entry().key : Slice(key_); }
  Slice value() const override { return position_ == Position::kForward ? merge_->entry().value : Slice(value_); }
  const Status& status() const override { return status_; }

 private:
  // Where the iterator stands, and with it where merge_ stands:
  enum class Position : std::uint8_t {
    kNew,       // Nowhere yet.
    kForward,   // On an entry; merge_ is on it.
    kBackward,  // On an entry, held in key_ and value_; merge_ is before all its versions.
    kFirstEnd,  // Before the first entry.
    kLastEnd,   // After the last entry.
    kError,
  };

  // Rests on the first visible entry at or after merge_'s position.
  Step settle_forward();
  // Rests on the last visible entry at or before merge_'s position.
  Step settle_backward();
  Step end(Position end);
  Step fail(const Status& status);

  const ViewRef view_;
  const Sequence at_;
  const std::optional<std::string> lower_;
  const std::optional<std::string> upper_;
  std::array<LevelTables, kLevelCount> levels_;
  std::optional<compaction::MergeCursor> merge_;

  Position position_ = Position::kNew;
  bool passed_ = false;  // Moving forward: key_ is a key whose remaining versions are to be passed over.
  std::string key_;
  std::string value_;
  Status status_;
};

// Answers `status` at every move: what a database gives when it cannot make an iterator.
class FailedIterator final : public IteratorImpl {
 public:
  explicit FailedIterator(Status status) : status_(std::move(status)) {}
  Step seek_to_first() override { return Step::kError; }
  Step seek_to_last() override { return Step::kError; }
  Step seek(Slice) override { return Step::kError; }
  Step seek_before(Slice) override { return Step::kError; }
  Step next() override { return Step::kError; }
  Step prev() override { return Step::kError; }
  Slice key() const override { return {}; }
  Slice value() const override { return {}; }
  const Status& status() const override { return status_; }

 private:
  Status status_;
};

}  // namespace firn::lsm
