#include "lsm/db_iterator.h"

#include <algorithm>
#include <utility>

namespace firn::lsm {

namespace {

bool overlaps(const TableMeta& table, const std::optional<std::string>& lower,
              const std::optional<std::string>& upper) {
  if (lower && table.largest_key < *lower) return false;
  return !upper || table.smallest_key < *upper;
}

// A run that could not be opened: its error surfaces at the first move.
class FailedCursor final : public Cursor {
 public:
  explicit FailedCursor(Status error) : error_(std::move(error)) {}
  void seek_to_first() override { fail(error_); }
  void seek_to_last() override { fail(error_); }
  void seek(Slice, Sequence) override { fail(error_); }
  void seek_before(Slice) override { fail(error_); }
  void next() override {}
  void prev() override {}

 private:
  const Status error_;
};

std::unique_ptr<Cursor> table_cursor(const TableFile& file) {
  auto table = file.open();
  if (!table.ok()) return std::make_unique<FailedCursor>(table.status());
  return std::make_unique<TableCursor>(**table);
}

}  // namespace

Result<std::unique_ptr<Cursor>> LevelTables::open(std::size_t index) const {
  auto table = tables()[index]->open();
  if (!table.ok()) return table.status();
  return std::unique_ptr<Cursor>(std::make_unique<TableCursor>(**table));
}

DbIterator::DbIterator(ViewRef view, Sequence at, std::optional<std::string> lower, std::optional<std::string> upper)
    : view_(std::move(view)), at_(at), lower_(std::move(lower)), upper_(std::move(upper)) {
  std::vector<std::unique_ptr<Cursor>> children;
  if (!view_->active()->empty()) children.push_back(view_->active()->cursor());
  for (const auto& memtable : view_->immutables()) children.push_back(memtable->cursor());
  const Version& version = *view_->version();
  for (const auto& file : version.level(0)) {
    if (overlaps(file->meta(), lower_, upper_)) children.push_back(table_cursor(*file));
  }
  for (int level = 1; level < version.depth(); ++level) {
    if (version.level(level).empty()) continue;
    auto& tables = levels_[static_cast<std::size_t>(level)];
    tables = LevelTables(version, level);
    children.push_back(std::make_unique<compaction::LevelCursor>(tables, compaction::KeyBounds{lower_, upper_}));
  }
  merge_.emplace(std::move(children));
}

Step DbIterator::seek_to_first() {
  status_ = Status();
  passed_ = false;
  if (lower_) {
    merge_->seek(*lower_, kSequenceMax);
  } else {
    merge_->seek_to_first();
  }
  return settle_forward();
}

Step DbIterator::seek_to_last() {
  status_ = Status();
  if (upper_) {
    merge_->seek_before(*upper_);
  } else {
    merge_->seek_to_last();
  }
  return settle_backward();
}

Step DbIterator::seek(Slice key) {
  status_ = Status();
  if (lower_ && key < Slice(*lower_)) return seek_to_first();
  passed_ = false;
  merge_->seek(key, at_);
  return settle_forward();
}

Step DbIterator::seek_before(Slice key) {
  status_ = Status();
  if (upper_ && Slice(*upper_) < key) return seek_to_last();
  merge_->seek_before(key);
  return settle_backward();
}

Step DbIterator::next() {
  switch (position_) {
    case Position::kNew:
    case Position::kFirstEnd: return seek_to_first();
    case Position::kLastEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kForward:
      key_.assign(merge_->entry().key);
      merge_->next();
      break;
    case Position::kBackward: merge_->seek(key_, 0); break;
  }
  passed_ = true;
  return settle_forward();
}

Step DbIterator::prev() {
  switch (position_) {
    case Position::kNew:
    case Position::kLastEnd: return seek_to_last();
    case Position::kFirstEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kForward:
      key_.assign(merge_->entry().key);
      merge_->seek_before(key_);
      break;
    case Position::kBackward: break;
  }
  return settle_backward();
}

Step DbIterator::settle_forward() {
  while (merge_->valid()) {
    const Entry& entry = merge_->entry();
    if (upper_ && entry.key >= Slice(*upper_)) return end(Position::kLastEnd);
    if (entry.sequence <= at_ && !(passed_ && entry.key == Slice(key_))) {
      if (entry.kind == EntryKind::kPut) {
        position_ = Position::kForward;
        return Step::kEntry;
      }
      key_.assign(entry.key);
      passed_ = true;
    }
    merge_->next();
  }
  if (!merge_->status().ok()) return fail(merge_->status());
  return end(Position::kLastEnd);
}

Step DbIterator::settle_backward() {
  while (merge_->valid()) {
    if (lower_ && merge_->entry().key < Slice(*lower_)) return end(Position::kFirstEnd);
    // All versions of one key, oldest first: the last visible one counts.
    key_.assign(merge_->entry().key);
    bool found = false;
    do {
      const Entry& entry = merge_->entry();
      if (entry.sequence <= at_) {
        found = entry.kind == EntryKind::kPut;
        if (found) value_.assign(entry.value);
      }
      merge_->prev();
    } while (merge_->valid() && merge_->entry().key == Slice(key_));
    if (!merge_->status().ok()) return fail(merge_->status());
    if (found) {
      position_ = Position::kBackward;
      return Step::kEntry;
    }
  }
  if (!merge_->status().ok()) return fail(merge_->status());
  return end(Position::kFirstEnd);
}

Step DbIterator::end(Position end) {
  position_ = end;
  status_ = Status();
  return Step::kEnd;
}

Step DbIterator::fail(const Status& status) {
  position_ = Position::kError;
  status_ = status;
  return Step::kError;
}

}  // namespace firn::lsm
