#include <algorithm>

#include "lsm/memtable/memtable.h"

namespace firn {

using memtable::Node;
using memtable::Page;
using memtable::Version;

namespace {

// How many nodes ahead of a scan values are fetched: those of the first ones of a page are fetched by nobody.
constexpr std::uint32_t kValuesAhead = 3;

// The rest of a value whose beginning came with its node; of a large one the first lines, the others are a stream.
void prefetch_value(const Node& node) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kBytesMax = 4 * kLine;
  const Slice value = node.newest.load(std::memory_order_acquire)->value();
  for (std::size_t at = kLine; at < std::min(value.size() + kLine, kBytesMax); at += kLine) {
    __builtin_prefetch(value.data() + at);
  }
}

}  // namespace

void MemTableCursor::seek_to_first() {
  leaf_.take(memtable_.tree_.first_leaf());
  rank_ = 0;
  settle() ? show(newest()) : end();
}

void MemTableCursor::seek_to_last() {
  leaf_.take(memtable_.tree_.last_leaf());
  while (leaf_.next != nullptr) leaf_.take(leaf_.next);
  rank_ = leaf_.count;
  step_back() ? show(memtable::version_numbered(newest(), 0)) : end();
}

void MemTableCursor::seek(Slice key, Sequence sequence) {
  if (!find(key)) return end();
  const Version* version = newest();
  if (node().key() == key) version = memtable::version_at(version, sequence);
  if (version == nullptr) {
    ++rank_;
    if (!settle()) return end();
    version = newest();
  }
  show(version);
}

void MemTableCursor::seek_before(Slice key) {
  find(key);
  step_back() ? show(memtable::version_numbered(newest(), 0)) : end();
}

void MemTableCursor::next() {
  if (!version_->first()) return show(version_->links().older);
  ++rank_;
  if (rank_ + kValuesAhead < leaf_.count) prefetch_value(*leaf_.nodes[rank_ + kValuesAhead]);
  settle() ? show(newest()) : end();
}

void MemTableCursor::prev() {
  const Version* const top = newest();
  if (top != version_) return show(memtable::version_numbered(top, version_->ordinal + 1));
  step_back() ? show(memtable::version_numbered(newest(), 0)) : end();
}

void MemTableCursor::next_key(Sequence at) {
  for (++rank_; settle(); ++rank_) {
    if (const Version* const version = memtable::version_at(newest(), at); version != nullptr) return show(version);
  }
  end();
}

void MemTableCursor::prev_key(Sequence at) {
  while (step_back()) {
    if (const Version* const version = memtable::version_at(newest(), at); version != nullptr) return show(version);
  }
  end();
}

// Fetches what a scan will read soon: the nodes of the next page, and the page after it.
void MemTableCursor::prefetch(const Page* page, std::atomic<Page*> Page::*direction) {
  if (page == nullptr) return;
  page->prefetch_nodes();
  if (const Page* const after = (page->*direction).load(std::memory_order_acquire); after != nullptr) after->prefetch();
}

// From a rank that may be one past the leaf's last node to the node that it means; false when there is none.
bool MemTableCursor::settle() {
  while (rank_ >= leaf_.count) {
    if (leaf_.next == nullptr) return false;
    leaf_.take(leaf_.next);
    rank_ = 0;
    prefetch(leaf_.next, &Page::next);
  }
  return true;
}

// To the node before; false when there is none.
bool MemTableCursor::step_back() {
  while (rank_ == 0) {
    if (!leaf_.take_before(leaf_.page)) return false;
    rank_ = leaf_.count;
    prefetch(leaf_.page->prev.load(std::memory_order_acquire), &Page::prev);
  }
  --rank_;
  return true;
}

// To the first node at or after `key`. False when there is none; step_back() then leads to the last node.
bool MemTableCursor::find(Slice key) {
  const std::uint64_t head = memtable_.head(key);
  leaf_.take(memtable_.tree_.find_leaf(key, head));
  for (;;) {
    rank_ = leaf_.lower_bound(key, head);
    if (rank_ < leaf_.count) return true;
    if (leaf_.next == nullptr) return false;
    leaf_.take(leaf_.next);
  }
}

void MemTableCursor::show(const Version* version) {
  version_ = version;
  entry_.key = node().key();
  entry_.value = version->value();
  entry_.sequence = sequence_of(version->packed);
  entry_.kind = kind_of(version->packed);
  valid_ = true;
}

}  // namespace firn
