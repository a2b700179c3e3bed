#include "platform/epoch.h"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>
#include <deque>
#include <limits>
#include <mutex>

#include "platform/assert.h"
#include "platform/sync.h"

namespace firn {

namespace internal {

EpochCounter epoch_counter;
[[gnu::tls_model("initial-exec")]] constinit thread_local EpochSlot* epoch_slot = nullptr;

namespace {

// Grows only, by pushing at the head; as long as the most threads that ever ran at once.
std::atomic<EpochSlot*> slots{nullptr};

#if defined(__linux__) && defined(SYS_membarrier) && !defined(FIRN_THREAD_SANITIZER)
bool membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

// Whether fence_threads() works; decided before the first guard.
bool threads_can_be_fenced() {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  return registered;
}

// Makes every running thread of the process pass a full fence; the others pass one when they run again.
void fence_threads() {
  if (!threads_can_be_fenced() || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  // In the child of a fork the registration may be gone.
  FIRN_ASSERT(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}
#else
bool threads_can_be_fenced() { return false; }
void fence_threads() {}
#endif

// Returns the thread's slot when the thread ends.
struct SlotReturn {
  ~SlotReturn() {
    FIRN_ASSERT(epoch_slot->depth == 0);
    epoch_slot->taken.store(false, std::memory_order_release);
    epoch_slot = nullptr;
  }
};

// The one of the smallest number among those that are free.
EpochSlot* take_free_slot() {
  for (;;) {
    EpochSlot* first = nullptr;  // The list begins with the greatest number.
    for (EpochSlot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
      if (!slot->taken.load(std::memory_order_relaxed)) first = slot;
    }
    if (first == nullptr || !first->taken.exchange(true, std::memory_order_acquire)) return first;
  }
}

}  // namespace

EpochSlot* claim_epoch_slot() {
  EpochSlot* slot = take_free_slot();
  if (slot == nullptr) {
    static std::atomic<std::uint32_t> numbers{0};
    slot = new EpochSlot;
    slot->fenced = !threads_can_be_fenced();
    slot->number = numbers.fetch_add(1, std::memory_order_relaxed);
    slot->taken.store(true, std::memory_order_relaxed);
    slot->next = slots.load(std::memory_order_relaxed);
    while (!slots.compare_exchange_weak(slot->next, slot, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  epoch_slot = slot;
  [[maybe_unused]] static thread_local SlotReturn slot_return;
  return slot;
}

namespace {

// The oldest epoch any guard may stand in; the greatest number when there is none.
std::uint64_t oldest_guard() {
  full_fence();     // Pairs with the one in EpochGuard,
  fence_threads();  // or stands in for it.
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (EpochSlot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    const std::uint64_t epoch = slot->epoch.load(std::memory_order_acquire);
    if (epoch != 0 && epoch < oldest) oldest = epoch;
  }
  return oldest;
}

struct Retired {
  std::uint64_t epoch = 0;
  void* object = nullptr;
  void (*deleter)(void*) = nullptr;
  Retire when = Retire::kSoon;
};

class Domain {
 public:
  void retire(void* object, void (*deleter)(void*), Retire when) {
    if (!add(object, deleter, when)) return;
    // Who finds another thread collecting leaves it to that one to do so again: what is retired now may be much memory,
    // and the next retirement may be far.
    due_.store(true);
    while (due_.load() && try_begin_collection()) {
      due_.store(false);
      collect();
      end_collection();
    }
  }

  void drain() {
    const std::uint64_t last = epoch_counter.now.load(std::memory_order_acquire);
    for (bool done = false; !done;) {
      if (try_begin_collection()) {
        collect();
        done = oldest_retired() >= last;
        end_collection();
      }
      if (!done) yield_thread();
    }
  }

  void align() {
    drain();
    const std::uint64_t now = epoch_counter.now.load(std::memory_order_acquire);
    epoch_counter.now.store(now + kScanInterval - now % kScanInterval, std::memory_order_release);
  }

 private:
  // A scan costs a cache miss per thread and perhaps a system call: made for every object that is to go soon while few
  // wait, and for every kScanInterval-th where they are many.
  static constexpr std::size_t kScanInterval = 64;

  // Whether it is time to collect.
  bool add(void* object, void (*deleter)(void*), Retire when) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Under the lock, so that `retired_` is ordered by epoch. Release: see EpochGuard.
    const std::uint64_t epoch = epoch_counter.now.fetch_add(1, std::memory_order_acq_rel);
    retired_.push_back({epoch, object, deleter, when});
    if (when == Retire::kSoon) ++soon_;
    return (when == Retire::kSoon && soon_ < kScanInterval) || epoch % kScanInterval == 0;
  }

  // One collector at a time, so that drain knows that no deleter of an earlier object is still running elsewhere.
  bool try_begin_collection() { return !collecting_.exchange(true); }
  void end_collection() { collecting_.store(false); }

  void collect() {
    const std::uint64_t oldest = oldest_guard_of_retired();
    // Needs no memory: a collection must come to its end.
    std::array<Retired, kScanInterval> free;
    std::size_t count = free.size();
    while (count == free.size()) {
      count = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (; count < free.size() && !retired_.empty() && retired_.front().epoch < oldest; retired_.pop_front()) {
          free[count] = retired_.front();
          if (free[count++].when == Retire::kSoon) --soon_;
        }
      }
      for (std::size_t i = 0; i < count; ++i) free[i].deleter(free[i].object);
    }
  }

  // Guards that began after the scan can only see objects that were retired after it: those must stay.
  std::uint64_t oldest_guard_of_retired() {
    const std::uint64_t now = epoch_counter.now.load(std::memory_order_acquire);
    const std::uint64_t oldest = oldest_guard();
    return oldest < now ? oldest : now;
  }

  std::uint64_t oldest_retired() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return retired_.empty() ? std::numeric_limits<std::uint64_t>::max() : retired_.front().epoch;
  }

  // A plain std::mutex: held for a few instructions and never over a wait, so no schedule depends on it.
  std::mutex mutex_;
  std::deque<Retired> retired_;  // Guarded by mutex_; epochs rise.
  std::size_t soon_ = 0;         // Guarded by mutex_; of retired_, those that are to go soon.
  std::atomic<bool> collecting_{false};
  // Set before a look at collecting_, looked at after that is reset: one sees the other.
  std::atomic<bool> due_{false};
};

// Never destroyed: threads may retire while the process exits.
Domain& domain() {
  static Domain* const domain = new Domain;
  return *domain;
}

}  // namespace

}  // namespace internal

void epoch_retire(void* object, void (*deleter)(void*), Retire when) {
  internal::domain().retire(object, deleter, when);
}

void epoch_drain() {
  FIRN_ASSERT(internal::epoch_slot == nullptr || internal::epoch_slot->depth == 0);
  internal::domain().drain();
}

void epoch_align() { internal::domain().align(); }

}  // namespace firn
