// A number that threads sleep on until it has grown. Who wakes them takes no lock, and neither do they when they wake:
// eight threads that are woken at once do not queue for a mutex, as they would behind a CondVar. Idea: D. Vyukov's
// event counts; a futex is one.
//
//   waiter: lock; while (!ready) { seen = events.count(); unlock; events.wait_until(seen, t); lock; }
//   waker:  lock; ready = true; unlock; events.advance();
//
// Thread safety: any thread. Simulated threads only, or real ones only, as with a CondVar (platform/sync.h).
// Lifetime: outlives every call on it.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/sync.h"

namespace firn {

class EventCount {
 public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }
  // Until count() is no longer `seen`, or Clock::monotonic_ns() of the real clock (or the simulated one) reaches
  // `deadline_ns`.
  void wait_until(std::uint32_t seen, std::uint64_t deadline_ns);
  // Adds one and wakes all who wait.
  void advance();

 private:
  // Where threads are simulated, and where there is no futex.
  void sleep_until(std::uint32_t seen, std::uint64_t deadline_ns);

  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> waiters_{0};
  Mutex mutex_;
  CondVar advanced_;
};

}  // namespace firn
