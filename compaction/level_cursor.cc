#include "compaction/level_cursor.h"

#include <utility>

namespace firn::compaction {

std::size_t TableList::find(Slice key) const {
  std::size_t low = 0;
  std::size_t high = count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (Slice(meta(middle).largest_key) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void LevelCursor::seek_to_first() {
  status_ = Status();
  forward_from(0);
}

void LevelCursor::seek_to_last() {
  status_ = Status();
  backward_from(tables_.count());
}

void LevelCursor::seek(Slice key, Sequence sequence) {
  status_ = Status();
  const std::size_t index = find(key);
  if (index == tables_.count()) return end();
  if (!open(index)) return;
  cursor_->seek(key, sequence);
  settle_forward();
}

void LevelCursor::seek_before(Slice key) {
  status_ = Status();
  const std::size_t index = find(key);
  // Every table before `index` ends before `key`; the table at `index` may begin before it.
  if (index == tables_.count() || Slice(tables_.meta(index).smallest_key) >= key) return backward_from(index);
  if (!open(index)) return;
  cursor_->seek_before(key);
  settle_backward();
}

void LevelCursor::next() {
  cursor_->next();
  settle_forward();
}

void LevelCursor::prev() {
  cursor_->prev();
  settle_backward();
}

// As TableList::find; without a search within the present table.
std::size_t LevelCursor::find(Slice key) const {
  if (cursor_ != nullptr) {
    const TableMeta& present = tables_.meta(index_);
    if (Slice(present.smallest_key) <= key && key <= Slice(present.largest_key)) return index_;
  }
  return tables_.find(key);
}

// Makes cursor_ one over table `index`; false, with the cursor failed, on error.
bool LevelCursor::open(std::size_t index) {
  if (cursor_ != nullptr && index_ == index) return true;
  cursor_ = nullptr;
  Result<std::unique_ptr<Cursor>> opened = tables_.open(index);
  if (!opened.ok()) {
    fail(opened.status());
    return false;
  }
  cursor_ = std::move(opened).value();
  index_ = index;
  return true;
}

// To the first entry of tables [index, ...).
void LevelCursor::forward_from(std::size_t index) {
  if (index == tables_.count()) return end();
  if (!open(index)) return;
  cursor_->seek_to_first();
  settle_forward();
}

// To the last entry of tables [0, end).
void LevelCursor::backward_from(std::size_t end_index) {
  if (end_index == 0) return end();
  if (!open(end_index - 1)) return;
  cursor_->seek_to_last();
  settle_backward();
}

inline void LevelCursor::settle_forward() {
  if (!present()) forward_from(index_ + 1);
}

inline void LevelCursor::settle_backward() {
  if (!present()) backward_from(index_);
}

// Takes over the table's present entry, or its error; false at the table's end.
inline bool LevelCursor::present() {
  if (cursor_->valid()) [[likely]] {
    present_ = &cursor_->entry();
    valid_ = true;
    return true;
  }
  if (cursor_->status().ok()) return false;
  fail(cursor_->status());
  cursor_ = nullptr;
  return true;
}

}  // namespace firn::compaction
