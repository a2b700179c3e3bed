// Tested by tests/contract, through MemoryDB.
#include "lsm/memory_iterator.h"

namespace firn::lsm {

Step MemoryIterator::seek(Slice key) {
  if (lower_ && key < Slice(*lower_)) return seek_to_first();
  return forward(std::string(key), Start::kInclusive);
}

Step MemoryIterator::seek_before(Slice key) {
  if (upper_ && Slice(*upper_) < key) return seek_to_last();
  return backward(std::string(key));
}

Step MemoryIterator::next() {
  switch (position_) {
    case Position::kNew:
    case Position::kFirstEnd: return seek_to_first();
    case Position::kEntry: return forward(std::string(key_), Start::kExclusive);
    case Position::kLastEnd: break;
  }
  return Step::kEnd;
}

Step MemoryIterator::prev() {
  switch (position_) {
    case Position::kNew:
    case Position::kLastEnd: return seek_to_last();
    case Position::kEntry: return backward(std::string(key_));
    case Position::kFirstEnd: break;
  }
  return Step::kEnd;
}

Step MemoryIterator::forward(const std::string& from, Start start) {
  MutexLock lock(pin_->store().mutex());
  const auto& keys = family_.keys;
  auto at = start == Start::kInclusive ? keys.lower_bound(from) : keys.upper_bound(from);
  for (; at != keys.end() && (!upper_ || at->first < *upper_); ++at) {
    SharedValue value = MemoryFamily::visible(at->second, pin_->sequence());
    if (value == nullptr) continue;
    key_ = at->first;
    value_ = std::move(value);
    position_ = Position::kEntry;
    return Step::kEntry;
  }
  position_ = Position::kLastEnd;
  return Step::kEnd;
}

Step MemoryIterator::backward(const std::optional<std::string>& to) {
  MutexLock lock(pin_->store().mutex());
  const auto& keys = family_.keys;
  auto at = to ? keys.lower_bound(*to) : keys.end();
  while (at != keys.begin()) {
    --at;
    if (lower_ && at->first < *lower_) break;
    SharedValue value = MemoryFamily::visible(at->second, pin_->sequence());
    if (value == nullptr) continue;
    key_ = at->first;
    value_ = std::move(value);
    position_ = Position::kEntry;
    return Step::kEntry;
  }
  position_ = Position::kFirstEnd;
  return Step::kEnd;
}

}  // namespace firn::lsm
