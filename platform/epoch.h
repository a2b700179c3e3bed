// Frees what lock-free readers may still be looking at, once they cannot be any more. A reader stands inside an
// EpochGuard; who unlinks an object retires it, and it is deleted when every guard that was active then has left.
// One domain for the process. Idea: epoch protection of FASTER (Chandramouli et al., SIGMOD 2018, section 2.3-2.5).
//
// Protocol: a guard writes the current epoch to its thread's slot, then a full fence, then reads shared pointers.
// epoch_retire tags the (already unlinked) object with the epoch and advances it. An object may go when, after a full
// fence, every slot is empty or newer than its tag: an empty slot's next guard, and a newer one, see the unlinking.
// Where the system can make every running thread of the process pass a fence (membarrier), collectors ask it to and
// guards do without their own: a fence keeps the loads of one read from overlapping those of the next.
//
// Thread safety: any thread. Guards are cheap (a few ns, no shared write), may nest, and must not be held over waits:
// one forgotten guard keeps everything that is retired after it alive.
// Lifetime: slots belong to the process; a thread returns its slot when it ends.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/fence.h"

namespace firn {

namespace internal {

// Two lines wide because neighbouring lines are fetched in pairs.
struct alignas(128) EpochSlot {
  std::atomic<std::uint64_t> epoch{0};  // Of the outermost guard; 0 outside guards.
  std::uint64_t depth = 0;              // Nested guards; the owning thread only.
  bool fenced = true;                   // Guards need a fence of their own. Constant, as are the next two.
  std::uint32_t number = 0;             // Slots are numbered as they are made.
  EpochSlot* next = nullptr;
  std::atomic<bool> taken{false};  // Owned by a live thread.
};

struct alignas(128) EpochCounter {
  std::atomic<std::uint64_t> now{1};
};
extern EpochCounter epoch_counter;

// This thread's slot; null before its first guard. Initial-exec: one load, also inside the shared library.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local EpochSlot* epoch_slot;
EpochSlot* claim_epoch_slot();

}  // namespace internal

class EpochGuard {
 public:
  EpochGuard() : slot_(internal::epoch_slot) {
    if (slot_ == nullptr) [[unlikely]]
      slot_ = internal::claim_epoch_slot();
    if (slot_->depth++ > 0) return;
    // Acquire: who sees an advanced epoch sees what was unlinked before. Release: a scan that sees this epoch knows
    // that this thread's earlier guards are over.
    slot_->epoch.store(internal::epoch_counter.now.load(std::memory_order_acquire), std::memory_order_release);
    if (slot_->fenced) {
      full_fence();
    } else {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }
  ~EpochGuard() {
    if (--slot_->depth == 0) slot_->epoch.store(0, std::memory_order_release);
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  internal::EpochSlot* slot_;
};

// A number that no other live thread has; small numbers are given again first.
inline std::size_t thread_number() {
  internal::EpochSlot* slot = internal::epoch_slot;
  if (slot == nullptr) [[unlikely]]
    slot = internal::claim_epoch_slot();
  return slot->number;
}

// When a retired object goes, once no guard can see it any more.
enum class Retire : std::uint8_t {
  kSoon,      // For what is large and rare.
  kTogether,  // With many others, at little cost each: for what is small and frequent.
};

// Calls `deleter(object)` once, on some thread that retires or drains, after every guard active now has left.
// Precondition: no guard that starts later can reach `object`; the caller holds no lock that a deleter takes (not only
// this one's). A deleter may retire, but not drain.
void epoch_retire(void* object, void (*deleter)(void*), Retire when = Retire::kSoon);

// The same with delete.
template <class T>
void epoch_retire(T* object) {
  epoch_retire(static_cast<void*>(object), [](void* retired) { delete static_cast<T*>(retired); });
}

// Returns when everything retired before the call has been deleted; waits for guards. Precondition: the caller is
// inside no guard and no deleter. For close and for tests.
void epoch_drain();

// Drains, and makes later collections happen after as many retirements as in every other process that aligned: a
// simulation that begins so is the same each time. Precondition: as epoch_drain(), and nobody else retires meanwhile.
void epoch_align();

}  // namespace firn
