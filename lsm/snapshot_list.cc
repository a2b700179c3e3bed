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
  ++moments_[sequence].count;
  return {sequence, std::make_shared<Hold>(shared_from_this(), sequence)};
}

std::vector<Sequence> SnapshotList::sequences() const {
  MutexLock lock(mutex_);
  std::vector<Sequence> result;
  result.reserve(moments_.size());
  for (const auto& [sequence, moment] : moments_) result.push_back(sequence);
  return result;
}

std::size_t SnapshotList::count() const {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [sequence, moment] : moments_) count += moment.count;
  return count;
}

void SnapshotList::drop(FamilyState& family) {
  MutexLock lock(mutex_);
  for (auto& [sequence, moment] : moments_) moment.dropped.emplace(Family{family.id()}, family.pin());
  family.mark_dropped();
}

ViewRef SnapshotList::dropped_view(Family family, Sequence at) const {
  MutexLock lock(mutex_);
  const auto moment = moments_.find(at);
  if (moment == moments_.end()) return {};
  const auto found = moment->second.dropped.find(family);
  return found == moment->second.dropped.end() ? ViewRef() : ViewRef(found->second.get());
}

void SnapshotList::release(Sequence sequence) {
  decltype(moments_)::node_type released;  // Goes after the lock: the last of a table's versions removes its file.
  MutexLock lock(mutex_);
  const auto it = moments_.find(sequence);
  if (--it->second.count == 0) released = moments_.extract(it);
}

}  // namespace firn::lsm
