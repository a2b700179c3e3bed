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
  merge_.seek(key);
  return settle_forward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::seek_before(Slice key) try {
  if (upper_ && Slice(*upper_) < key) return seek_to_last();
  merge_.seek_before(key);
  return settle_backward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::next() try {
  if (position_ == Position::kForward) [[likely]]
    return go_forward(true);
  switch (position_) {
    case Position::kLastEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kBackward: break;
    default: return seek_to_first();
  }
  merge_.seek(merge_.key());  // To the present entry again.
  if (merge_.valid()) merge_.next();
  return settle_forward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

Step DbIterator::prev() try {
  if (position_ == Position::kBackward) [[likely]]
    return go_backward(true);
  switch (position_) {
    case Position::kFirstEnd: return Step::kEnd;
    case Position::kError: return Step::kError;
    case Position::kForward: break;
    default: return seek_to_last();
  }
  merge_.seek_before(merge_.key());
  return settle_backward();
} catch (const std::bad_alloc&) {
  return fail(Status::out_of_memory());
}

[[gnu::always_inline]] inline Step DbIterator::go_forward(bool was_shown) {
  for (bool move = was_shown; move ? merge_.next() : merge_.valid(); move = true) {
    const bool deleted = merge_.deleted();
    const bool inside = merge_.inside();
    if (deleted && inside) continue;
    if (!merge_.read(entry_)) [[unlikely]]
      break;
    if (!inside && upper_ && key() >= Slice(*upper_)) [[unlikely]]
      return end(Position::kLastEnd);
    if (!deleted) return show(Position::kForward);
  }
  return merge_.status().ok() ? end(Position::kLastEnd) : fail(merge_.status());
}

[[gnu::always_inline]] inline Step DbIterator::go_backward(bool was_shown) {
  for (bool move = was_shown; move ? merge_.prev() : merge_.valid(); move = true) {
    const bool deleted = merge_.deleted();
    const bool inside = merge_.inside();
    if (deleted && inside) continue;
    if (!merge_.read(entry_)) [[unlikely]]
      break;
    if (!inside && lower_ && key() < Slice(*lower_)) [[unlikely]]
      return end(Position::kFirstEnd);
    if (!deleted) return show(Position::kBackward);
  }
  return merge_.status().ok() ? end(Position::kFirstEnd) : fail(merge_.status());
}

Step DbIterator::settle_forward() { return go_forward(false); }
Step DbIterator::settle_backward() { return go_backward(false); }

[[gnu::always_inline]] inline Step DbIterator::show(Position position) {
  position_ = position;
  value_mapping_ = nullptr;
  if (entry_.separated == nullptr) [[likely]]
    return Step::kEntry;
  entry_.value = {};
  return lazy_values_ ? Step::kEntry : load_value();
}

Step DbIterator::load_value() {
  if (position_ == Position::kError) return Step::kError;
  if (entry_.separated == nullptr) return Step::kEntry;
  const EpochGuard guard;
  ValueHit hit;
  if (Status status = entry_.separated->read_value(guard, entry_.reference, key(), hit); !status.ok())
    return fail(status);
  entry_.separated = nullptr;
  entry_.value = hit.value;
  value_mapping_ = hit.mapping;
  if (hit.block != nullptr) {
    hit.block->add_reference();
    value_block_ = BlockRef(hit.block);
  }
  return Step::kEntry;
}

bool DbIterator::intact() const {
  const FileMapping* const mapping = value_mapping_ != nullptr ? value_mapping_ : merge_.mapping();
  return mapping == nullptr || !mapping->damaged();
}

Step DbIterator::end(Position end) {
  position_ = end;
  status_ = {};
  return Step::kEnd;
}

Step DbIterator::fail(const Status& status) {
  position_ = Position::kError;
  entry_.separated = nullptr;
  status_ = status;
  return Step::kError;
}

}  // namespace firn::lsm
