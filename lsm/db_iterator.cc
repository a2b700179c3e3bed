#include "lsm/db_iterator.h"

#include <new>
#include <utility>

namespace firn::lsm {

DbIterator::DbIterator(ViewRef view, Sequence at, const IteratorOptions& options)
    : view_(std::move(view)),
      lower_(options.lower),
      upper_(options.upper),
      lazy_values_(options.lazy_values),
      merge_(*view_, at, lower_, upper_, reinterpret_cast<std::byte*>(this + 1)) {}

DbIterator::~DbIterator() {
  if (const std::uint64_t blocks = merge_.blocks_in_vain(); blocks != 0) view_->version()->reads().charge(blocks);
}

std::unique_ptr<IteratorImpl> DbIterator::make(ViewRef view, Sequence at, const IteratorOptions& options) {
  const Room room{RunMerge::room_bytes(*view)};
  return std::unique_ptr<IteratorImpl>(new (room) DbIterator(std::move(view), at, options));
}

Step DbIterator::seek_to_first() try {
  passed_ = false;
  if (lower_) {
    merge_.seek(*lower_);
  } else {
    merge_.seek_to_first();
  }
  return settle_forward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::seek_to_last() try {
  passed_ = false;
  if (upper_) {
    merge_.seek_before(*upper_);
  } else {
    merge_.seek_to_last();
  }
  return settle_backward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::seek(Slice key) try {
  if (lower_ && key < Slice(*lower_)) return seek_to_first();
  passed_ = false;
  merge_.seek(key);
  return settle_forward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::seek_before(Slice key) try {
  if (upper_ && Slice(*upper_) < key) return seek_to_last();
  passed_ = false;
  merge_.seek_before(key);
  return settle_backward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::next() try {
  switch (position_) {
    case Position::kNew:
    case Position::kFirstEnd: return seek_to_first();
    case Position::kLastEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kForward: merge_.next(); break;
    case Position::kBackward: merge_.seek(key_.slice()); break;
  }
  return settle_forward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::prev() try {
  switch (position_) {
    case Position::kNew:
    case Position::kLastEnd: return seek_to_last();
    case Position::kFirstEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kForward: merge_.seek_before(key_.slice()); break;
    case Position::kBackward: merge_.prev(); break;
  }
  return settle_backward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

[[gnu::always_inline]] inline bool DbIterator::read_new_key(RunEntry& entry) {
  const std::uint64_t head = merge_.head();
  if (passed_ && head == key_head_) [[unlikely]] {
    if (!merge_.read(next_key_, entry) || next_key_.slice() == key_.slice()) return false;
    key_.assign(next_key_.slice());
    return true;
  }
  if (!merge_.read(key_, entry)) return false;
  key_head_ = head;
  passed_ = true;
  return true;
}

[[gnu::always_inline]] inline Step DbIterator::show(const RunEntry& entry, Position position) {
  position_ = position;
  value_ = entry.value;
  separated_ = entry.separated;
  if (separated_ == nullptr) [[likely]]
    return Step::kEntry;
  value_ = {};
  reference_ = entry.reference;
  return lazy_values_ ? Step::kEntry : load_value();
}

Step DbIterator::settle_forward() {
  for (RunEntry entry; merge_.valid(); merge_.next()) {
    if (!read_new_key(entry)) {
      if (!merge_.valid()) break;
      continue;
    }
    if (upper_ && key_head_ >= merge_.upper_head() && key_.slice() >= Slice(*upper_)) return end(Position::kLastEnd);
    if (entry.tombstone) continue;
    return show(entry, Position::kForward);
  }
  return merge_.status().ok() ? end(Position::kLastEnd) : fail(merge_.status());
}

Step DbIterator::settle_backward() {
  for (RunEntry entry; merge_.valid(); merge_.prev()) {
    if (!read_new_key(entry)) {
      if (!merge_.valid()) break;
      continue;
    }
    if (lower_ && key_head_ <= merge_.lower_head() && key_.slice() < Slice(*lower_)) return end(Position::kFirstEnd);
    if (entry.tombstone) continue;
    return show(entry, Position::kBackward);
  }
  return merge_.status().ok() ? end(Position::kFirstEnd) : fail(merge_.status());
}

Step DbIterator::load_value() {
  if (position_ == Position::kError) return Step::kError;
  if (separated_ == nullptr) return Step::kEntry;
  const EpochGuard guard;
  ValueHit hit;
  if (Status status = separated_->read_value(guard, reference_, key_.slice(), hit); !status.ok()) return fail(status);
  separated_ = nullptr;
  value_ = hit.value;
  if (hit.block != nullptr) {
    hit.block->add_reference();
    value_block_ = BlockRef(hit.block);
  }
  return Step::kEntry;
}

Step DbIterator::end(Position end) {
  position_ = end;
  status_ = {};
  return Step::kEnd;
}

Step DbIterator::fail(const Status& status) {
  position_ = Position::kError;
  separated_ = nullptr;
  status_ = status;
  return Step::kError;
}

}  // namespace firn::lsm
