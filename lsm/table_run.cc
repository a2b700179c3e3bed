// Tests: tests/contract/iterator_test.cc, tests/lsm/db_iterator_test.cc.
#include "lsm/table_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "platform/epoch.h"

namespace firn::lsm {

using sstable::BlockReader;

void TableRun::start_seek(Slice key, std::uint64_t head) {
  sought_index_ = find(key, head);
  sought_table_ = sought_index_ < end_ ? version_.level(level_)[sought_index_]->opened() : nullptr;
  if (sought_table_ != nullptr) sought_block_ = sought_table_->start_locate(key);
}

void TableRun::continue_seek(Slice key) {
  if (sought_table_ == nullptr) return;
  const EpochGuard guard;
  sought_block_ = sought_table_->finish_locate(key, sought_block_);
  sought_table_->request_block(guard, sought_block_);
}

void TableRun::search(Slice key, std::size_t lines) {
  restart();
  if (sought_index_ == end_ || !load_sought(key)) return;
  sought_position_ = reader_.lower_bound_of_head(key);
  reader_.prefetch_bodies(sought_position_, lines);
  for (std::uint32_t i = 1; i <= kRowsAhead; ++i) {
    reader_.prefetch_body(std::min(sought_position_ + i, reader_.entries()));
  }
}

void TableRun::seek(Slice key) {
  if (sought_index_ == end_ || !status_.ok()) return;
  std::uint32_t position = reader_.lower_bound_from(sought_position_, key, at_).index;
  while (!trusted()) {
    if (block_ == kNoBlock) return;
    position = reader_.lower_bound(key, at_).index;
  }
  forward_from(position);
}

void TableRun::seek_before(Slice key) {
  restart();
  // Every table before the one that was found ends before `key`; that one may begin before it.
  if (sought_index_ == end_ || key <= Slice(version_.level(level_)[sought_index_]->meta().smallest_key)) {
    if (sought_index_ == begin_) return;
    if (open(sought_index_ - 1) && load(table_->blocks() - 1)) backward_from(reader_.entries());
    return;
  }
  if (!load_sought(key)) return;
  std::uint32_t position = reader_.lower_bound(key, kSequenceMax).index;
  while (!trusted()) {
    if (block_ == kNoBlock) return;
    position = reader_.lower_bound(key, kSequenceMax).index;
  }
  backward_from(position);
}

void TableRun::seek_to_first() {
  restart();
  if (open(begin_) && load(0)) forward_from(0);
}

void TableRun::seek_to_last() {
  restart();
  if (open(end_ - 1) && load(table_->blocks() - 1)) backward_from(reader_.entries());
}

// The first table whose largest key is at or after `key`; end_ when there is none.
std::size_t TableRun::find(Slice key, std::uint64_t head) const {
  if (level_ > 0) return std::clamp(version_.lower_bound(level_, head, key), begin_, end_);
  return version_.ends_before(0, begin_, head, key) ? end_ : begin_;
}

// Makes table `index` the present one; false, with the run failed, when it cannot be opened.
bool TableRun::open(std::size_t index) {
  if (table_ != nullptr && index_ == index) return true;
  auto opened = version_.level(level_)[index]->open();
  if (!opened.ok()) return fail(opened.status());
  table_ = *opened;
  index_ = index;
  block_ = kNoBlock;
  read_ahead_ = {};
  return true;
}

// Makes `block` the present one; false, with the run failed, when it cannot be read.
bool TableRun::load(std::uint32_t block) {
  if (block == block_) return true;
  const bool forward = block == block_ + 1;
  const bool backward = block + 1 == block_;
  read_ahead_.note(*table_, block);
  block_ = kNoBlock;
  static constexpr std::atomic<bool> kNever{false};
  do {
    if (Status status = table_->pin_block(block, pinned_); !status.ok()) return fail(std::move(status));
    damage_ = pinned_.mapped ? &table_->damage_flag() : &kNever;
    take_block();
  } while (!mapping_intact());  // How many entries there are is never read again.
  block_ = block;
  ++blocks_read_;
  // The block after it in a scan, so that it is there in time; and the rows that come first: no move has asked for
  // them.
  const EpochGuard guard;
  if (forward && block + 1 < table_->blocks()) table_->prefetch_block(guard, block + 1);
  if (backward && block > 0) table_->prefetch_block(guard, block - 1);
  const std::uint32_t entries = reader_.entries();
  for (std::uint32_t i = 0; i <= kRowsAhead; ++i) {
    if (forward) reader_.prefetch_body(std::min(i, entries));
    if (backward) reader_.prefetch_body(entries - std::min(i + 1, entries));
  }
  return true;
}

bool TableRun::load_sought(Slice key) {
  return open(sought_index_) && load(sought_table_ != nullptr ? sought_block_ : table_->locate(key));
}

// To the block after the present one; false at the run's end and on failure.
bool TableRun::load_next() {
  if (block_ + 1 < table_->blocks()) return load(block_ + 1);
  if (index_ + 1 < end_) return open(index_ + 1) && load(0);
  end();
  return false;
}

bool TableRun::load_previous() {
  if (block_ > 0) return load(block_ - 1);
  if (index_ > begin_) return open(index_ - 1) && load(table_->blocks() - 1);
  end();
  return false;
}

// Reads the present block again, its mapping having failed.
bool TableRun::reload() { return load(std::exchange(block_, kNoBlock)); }

void TableRun::take_block() {
  reader_ = BlockReader(pinned_.data);
  const Slice prefix = reader_.prefix();
  const Slice common = heads_.prefix();
  if (!has_prefix(prefix, common)) [[unlikely]]
    return take_short_prefix(prefix, common);
  prefix_in_heads_ = 0;
  const Slice rest = prefix.substr(common.size());
  head_base_ = key_head(rest);
  head_mask_ = rest.size() < sstable::kHeadBytes ? ~std::uint64_t{0} : 0;
  head_shift_ = rest.size() < sstable::kHeadBytes ? 8 * static_cast<std::uint32_t>(rest.size()) : 0;
}

// To the first visible entry at or after `position` of the present block.
void TableRun::forward_from(std::uint32_t position) {
  placed_ = true;
  for (;;) {
    std::uint32_t at = position;
    while (at < reader_.entries() && !is_visible(at)) ++at;
    const bool found = at < reader_.entries();
    valid_ = found;
    if (found) show(at);
    if (!trusted()) {
      if (block_ == kNoBlock) return;
    } else if (found) {
      return;
    } else if (load_next()) {
      position = 0;
    } else {
      return;
    }
  }
}

// To the newest visible version of the last key that has one before `position` of the present block.
void TableRun::backward_from(std::uint32_t position) {
  placed_ = true;
  for (;;) {
    std::uint32_t at = position;
    while (at > 0 && !is_visible(at - 1)) --at;  // A key's oldest version not being visible, none is.
    const bool found = at > 0;
    valid_ = found;
    if (found) show(newest_visible(at - 1));
    if (!trusted()) {
      if (block_ == kNoBlock) return;
    } else if (found) {
      return to_newest_visible();
    } else if (load_previous()) {
      position = reader_.entries();
    } else {
      return;
    }
  }
}

// To the next key that has a visible version. Of the present one, which has, all older versions are visible.
bool TableRun::pass_forward() {
  std::uint64_t head = 0;
  do {
    std::uint32_t position = 0;
    do {
      valid_ = true;
      show(position_);
      head = head_;
      position = position_ + 1;
      while (position < reader_.entries() && same_key(position_, position)) ++position;
    } while (!trusted() && block_ != kNoBlock);
    if (valid_) forward_from(position);
  } while (valid_ && head_ == head && continues_block_before());
  return valid_;
}

// To the last key before `position`, that of the present entry, that has a visible version.
bool TableRun::pass_backward(std::uint32_t position) {
  backward_from(position);
  return valid_;
}

// Whether the present entry begins its block and the block before ends with a visible version of its key. False, with
// the run failed, when that cannot be read.
bool TableRun::continues_block_before() {
  if (position_ > 0 || block_ == 0) return false;
  KeyBuffer key;
  do {
    read_key(key);
  } while (!trusted() && valid_);
  while (valid_) {
    PinnedBlock before;
    if (Status status = table_->pin_block(block_ - 1, before); !status.ok()) return fail(std::move(status));
    const auto intact = [&] { return !before.mapped || !table_->lose_mapping_if_damaged(); };
    const BlockReader reader(before.data);
    if (!intact()) continue;
    const std::uint32_t last = reader.entries() - 1;
    const bool same = reader.compare(last, key.slice()) == 0 && sees(reader.packed_sequence(last));
    if (intact()) return same;
  }
  return false;
}

// From the newest visible version of a key in the present block to that in the blocks before, if they have any.
void TableRun::to_newest_visible() {
  while (valid_ && continues_block_before() && load(block_ - 1)) {
    do {
      valid_ = true;
      show(newest_visible(reader_.entries() - 1));
    } while (!trusted() && block_ != kNoBlock);
  }
}

// Of the key at `position`, which has a visible version there: the newest one in the present block.
std::uint32_t TableRun::newest_visible(std::uint32_t position) const {
  while (position > 0 && is_visible(position - 1) && same_key(position - 1, position)) --position;
  return position;
}

bool TableRun::same_key(std::uint32_t a, std::uint32_t b) const {
  if (reader_.head(a) != reader_.head(b)) return false;
  const BlockReader::Body first = reader_.body(a);
  const BlockReader::Body second = reader_.body(b);
  return first.rest_bytes == second.rest_bytes &&
         (first.suffix_bytes == 0 || std::memcmp(first.suffix, second.suffix, first.suffix_bytes) == 0);
}

// The keys of the block share a prefix that is shorter than `common`, the map's; or begin otherwise.
void TableRun::take_short_prefix(Slice prefix, Slice common) {
  prefix_in_heads_ = common.size() > prefix.size() ? common.size() - prefix.size() : 1;
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  head_mask_ = prefix_in_heads_ < sstable::kHeadBytes ? ~(kAll >> 8 * prefix_in_heads_) : kAll;
  head_base_ = key_head(common, prefix.size()) & head_mask_;
  if (has_prefix(common, prefix)) return;
  head_mask_ = 0;  // No head is the base.
  head_base_ = 1;
}

void TableRun::show_by_body() {
  const std::uint64_t head = reader_.head(position_);
  valid_ = (head & head_mask_) == head_base_;
  if (!valid_) return;
  const BlockReader::Body body = reader_.body(position_);
  if (prefix_in_heads_ < sstable::kHeadBytes) {
    const std::size_t bits = 8 * prefix_in_heads_;
    head_ = head << bits | BlockReader::suffix_head(body) >> (64 - bits);
    return;
  }
  const Slice suffix(body.suffix, body.suffix_bytes);
  const Slice wanted = heads_.prefix().substr(reader_.prefix().size() + sstable::kHeadBytes);
  valid_ = has_prefix(suffix, wanted);
  if (valid_) head_ = key_head(suffix, wanted.size());
}

bool TableRun::fail(Status status) {
  valid_ = false;
  status_ = std::move(status);
  return false;
}

}  // namespace firn::lsm
