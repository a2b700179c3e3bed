#include "lsm/snapshot_list.h"

namespace firn::lsm {

struct SnapshotList::Hold {
  Hold(std::shared_ptr<SnapshotList> of, Sequence at) : list(std::move(of)), sequence(at) {}
  ~Hold() { list->release(sequence); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  const std::shared_ptr<SnapshotList> list;
  const Sequence sequence;
};

SnapshotList::Held SnapshotList::hold(const std::atomic<Sequence>& visible) {
  MutexLock lock(mutex_);
  const Sequence sequence = visible.load(std::memory_order_acquire);
  ++holds_[sequence];
  return {sequence, std::make_shared<Hold>(shared_from_this(), sequence)};
}

std::vector<Sequence> SnapshotList::sequences() const {
  MutexLock lock(mutex_);
  std::vector<Sequence> result;
  result.reserve(holds_.size());
  for (const auto& [sequence, count] : holds_) result.push_back(sequence);
  return result;
}

std::size_t SnapshotList::count() const {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [sequence, holds] : holds_) count += holds;
  return count;
}

void SnapshotList::release(Sequence sequence) {
  MutexLock lock(mutex_);
  const auto it = holds_.find(sequence);
  if (--it->second == 0) holds_.erase(it);
}

}  // namespace firn::lsm
