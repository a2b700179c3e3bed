#include "platform/event_count.h"

#include <limits>

#if defined(__linux__)
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

namespace firn {

namespace {

#if defined(__linux__)
constexpr bool kFutex = true;
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

// False when `deadline_ns` has passed; else for any reason.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint64_t deadline_ns) {
  timespec deadline{};
  deadline.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000);
  deadline.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000);
  return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen,
                 deadline_ns == EventCount::kNever ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY) == 0 ||
         errno != ETIMEDOUT;
}

void futex_wake_all(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max());
}
#else
constexpr bool kFutex = false;
bool futex_wait(std::atomic<std::uint32_t>&, std::uint32_t, std::uint64_t) { return false; }
void futex_wake_all(std::atomic<std::uint32_t>&) {}
#endif

bool uses_futex() { return kFutex && internal::scheduler_hook() == nullptr; }

}  // namespace

void EventCount::wait_until(std::uint32_t seen, std::uint64_t deadline_ns) {
  if (!uses_futex()) return sleep_until(seen, deadline_ns);
  // Before the count is looked at, as advance() looks for waiters after it has added to the count.
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  while (count_.load(std::memory_order_seq_cst) == seen && futex_wait(count_, seen, deadline_ns)) {
  }
  waiters_.fetch_sub(1, std::memory_order_relaxed);
}

void EventCount::advance() {
  if (uses_futex()) {
    count_.fetch_add(1, std::memory_order_seq_cst);
    if (waiters_.load(std::memory_order_seq_cst) != 0) futex_wake_all(count_);
    return;
  }
  const MutexLock lock(mutex_);
  count_.fetch_add(1, std::memory_order_release);
  advanced_.notify_all();
}

void EventCount::sleep_until(std::uint32_t seen, std::uint64_t deadline_ns) {
  const MutexLock lock(mutex_);
  bool waiting = true;
  while (waiting && count() == seen) {
    if (deadline_ns == kNever) {
      advanced_.wait(mutex_);
    } else {
      waiting = advanced_.wait_until(mutex_, deadline_ns);
    }
  }
}

}  // namespace firn
