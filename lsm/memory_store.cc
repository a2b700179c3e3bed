// Tested by tests/contract, through MemoryDB.
#include "lsm/memory_store.h"

#include <algorithm>
#include <utility>

namespace firn::lsm {

SharedValue MemoryFamily::visible(const Versions& versions, Sequence at) {
  const auto newer = std::upper_bound(versions.begin(), versions.end(), at, [](Sequence sequence, const auto& version) {
    return sequence < version.sequence;
  });
  return newer == versions.begin() ? nullptr : std::prev(newer)->value;
}

MemoryStore::MemoryStore() {
  MutexLock lock(mutex_);
  add_family("default");
}

MemoryFamily* MemoryStore::find(Family family, std::optional<Sequence> at) {
  const auto found = families_.find(family.id);
  if (found == families_.end()) return nullptr;
  const auto& dropped_after = found->second.dropped_after;
  if (dropped_after && (!at || *at > *dropped_after)) return nullptr;
  return &found->second;
}

void MemoryStore::apply(const BatchOperation& op) {
  auto& keys = families_.at(op.family).keys;
  auto at = keys.lower_bound(op.key);
  if (at == keys.end() || at->first != op.key) at = keys.emplace_hint(at, op.key, MemoryFamily::Versions());
  SharedValue value = op.kind == EntryKind::kPut ? std::make_shared<const std::string>(op.value) : nullptr;
  at->second.push_back({++visible_, std::move(value)});
  collect(keys, at);
}

std::shared_ptr<const MemoryStore::Pin> MemoryStore::pin(Sequence sequence) {
  pins_.insert(sequence);
  return std::make_shared<const Pin>(shared_from_this(), sequence);
}

void MemoryStore::release(Sequence sequence) {
  std::vector<std::map<std::uint32_t, MemoryFamily>::node_type> unseen;  // Destroyed after the lock is released.
  MutexLock lock(mutex_);
  pins_.erase(pins_.find(sequence));
  for (auto at = families_.begin(); at != families_.end();) {
    const auto& dropped_after = at->second.dropped_after;
    const auto family = at++;
    if (dropped_after && !pinned_within(0, *dropped_after + 1)) unseen.push_back(families_.extract(family));
  }
}

Family MemoryStore::add_family(std::string name) {
  const Family family{next_family_id_++};
  families_[family.id].name = std::move(name);
  return family;
}

void MemoryStore::drop_family(MemoryFamily& family) {
  family.dropped_after = visible_;
  if (pinned_within(0, visible_ + 1)) return;
  std::erase_if(families_, [&family](const auto& entry) { return &entry.second == &family; });
}

void MemoryStore::collect(MemoryFamily& family, Slice from, Slice to) {
  auto& keys = family.keys;
  for (auto at = keys.lower_bound(from); at != keys.end() && (to.empty() || at->first < to);) at = collect(keys, at);
}

MemoryStore::Keys::iterator MemoryStore::collect(Keys& keys, Keys::iterator at) {
  auto& versions = at->second;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool newest = i + 1 == versions.size();
    const bool seen = newest || pinned_within(versions[i].sequence, versions[i + 1].sequence);
    // An erasure with nothing older tells nobody anything.
    if (!seen || (kept == 0 && versions[i].value == nullptr)) continue;
    if (kept != i) versions[kept] = std::move(versions[i]);
    ++kept;
  }
  versions.resize(kept);
  return kept == 0 ? keys.erase(at) : std::next(at);
}

bool MemoryStore::pinned_within(Sequence from, Sequence to) const {
  const auto pin = pins_.lower_bound(from);
  return pin != pins_.end() && *pin < to;
}

}  // namespace firn::lsm
