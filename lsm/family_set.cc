#include "lsm/family_set.h"

#include <algorithm>

namespace firn::lsm {

FamilyState::~FamilyState() {
  if (const ReadView* view = view_.load(std::memory_order_acquire)) view->drop_reference();
}

ViewRef FamilyState::pin_moment(const std::atomic<Sequence>& visible, std::optional<Sequence>& at) const {
  EpochGuard guard;
  if (at) return ViewRef(view());
  for (;;) {
    const ReadView* now = view();
    at = visible.load(std::memory_order_acquire);
    // Had the view changed before `at` was read, writes up to `at` might be in a memtable that `now` lacks.
    if (view() == now) return ViewRef(now);
  }
}

const ReadView* FamilyState::install(const ReadView* view) { return view_.exchange(view, std::memory_order_acq_rel); }

void retire_view(const ReadView* view) {
  if (view != nullptr) epoch_retire(const_cast<ReadView*>(view), ReadView::release);
}

FamilySet::FamilySet() : index_(new Index) {}

FamilySet::~FamilySet() { delete index_.load(std::memory_order_acquire); }

FamilyState* FamilySet::find_other(std::uint32_t id) const {
  EpochGuard guard;
  const Index* index = index_.load(std::memory_order_acquire);
  if (id >= index->size()) return nullptr;
  FamilyState* family = (*index)[id];
  return family == nullptr || family->dropped() ? nullptr : family;
}

Result<FamilyState*> FamilySet::find_or_error(Family family) const {
  if (FamilyState* found = find(family.id)) return found;
  return unknown_family(family);
}

FamilyState* FamilySet::find_by_name(const std::string& name) const {
  MutexLock lock(mutex_);
  for (const auto& family : owned_) {
    if (!family->dropped() && family->name() == name) return family.get();
  }
  return nullptr;
}

std::vector<FamilyState*> FamilySet::live() const {
  MutexLock lock(mutex_);
  std::vector<FamilyState*> result;
  for (const auto& family : owned_) {
    if (!family->dropped()) result.push_back(family.get());
  }
  std::sort(result.begin(), result.end(), [](const auto* a, const auto* b) { return a->id() < b->id(); });
  return result;
}

void FamilySet::add(std::unique_ptr<FamilyState> family) {
  MutexLock lock(mutex_);
  const Index* old = index_.load(std::memory_order_acquire);
  auto index = std::make_unique<Index>(*old);
  if (index->size() <= family->id()) index->resize(std::size_t{family->id()} + 1, nullptr);
  (*index)[family->id()] = family.get();
  if (family->id() == kDefaultFamily.id) default_ = family.get();
  owned_.push_back(std::move(family));
  index_.store(index.release(), std::memory_order_release);
  epoch_retire(const_cast<Index*>(old), [](void* retired) { delete static_cast<const Index*>(retired); });
}

Status unknown_family(Family family) {
  return Status(StatusCode::kNotFound,
                "family " + std::to_string(family.id) + " does not exist: it was dropped or never created");
}

}  // namespace firn::lsm
