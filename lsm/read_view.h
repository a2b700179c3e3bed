// All that a read of one family looks at: the active memtable, the immutable ones and a version of the tables.
// Immutable; replaced as a whole when any part changes (RocksDB's SuperVersion).
//
// Lifetime: a reader loads the current view inside an EpochGuard and may use it until the guard ends; to keep it longer
// it takes a ViewRef. Thread safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "lsm/memtable/memtable.h"
#include "lsm/version.h"

namespace firn::lsm {

class ReadView {
 public:
  using MemTables = std::vector<std::shared_ptr<MemTable>>;

  // `immutables`: newest first. Starts with one reference, its maker's.
  ReadView(std::shared_ptr<MemTable> active, MemTables immutables, std::shared_ptr<const Version> version)
      : active_(std::move(active)), immutables_(std::move(immutables)), version_(std::move(version)) {}

  const std::shared_ptr<MemTable>& active() const { return active_; }
  const MemTables& immutables() const { return immutables_; }
  const std::shared_ptr<const Version>& version() const { return version_; }

  // The smallest sequence that is in memtables only, other than `flushed`; kSequenceMax when there is none.
  Sequence oldest_unflushed(const MemTable* flushed = nullptr) const {
    Sequence oldest = active_->empty() ? kSequenceMax : active_->smallest_sequence();
    for (const auto& memtable : immutables_) {
      if (memtable.get() != flushed) oldest = std::min(oldest, memtable->smallest_sequence());
    }
    return oldest;
  }

  void add_reference() const { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // drop_reference for those who keep a plain pointer: a PinnedValue, the epoch domain.
  static void release(void* view) noexcept { static_cast<const ReadView*>(view)->drop_reference(); }

 private:
  ~ReadView() = default;

  const std::shared_ptr<MemTable> active_;
  const MemTables immutables_;
  const std::shared_ptr<const Version> version_;
  mutable std::atomic<std::uint64_t> references_{1};
};

// Keeps a view alive.
class ViewRef {
 public:
  ViewRef() = default;
  // Precondition: the caller is inside an EpochGuard or holds a reference.
  explicit ViewRef(const ReadView* view) : view_(view) { view_->add_reference(); }
  ViewRef(ViewRef&& other) noexcept : view_(std::exchange(other.view_, nullptr)) {}
  ViewRef& operator=(ViewRef&& other) noexcept {
    std::swap(view_, other.view_);
    return *this;
  }
  ~ViewRef() {
    if (view_ != nullptr) view_->drop_reference();
  }
  const ReadView& operator*() const { return *view_; }
  const ReadView* operator->() const { return view_; }
  const ReadView* get() const { return view_; }
  explicit operator bool() const { return view_ != nullptr; }

 private:
  const ReadView* view_ = nullptr;
};

}  // namespace firn::lsm
