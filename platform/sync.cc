#include "platform/sync.h"

#include <chrono>
#include <thread>

#include "platform/assert.h"

namespace firn {

namespace internal {

std::atomic<int> simulated_thread_count{0};

namespace {
thread_local SchedulerHook* thread_hook = nullptr;
}  // namespace

SchedulerHook* this_thread_hook() { return thread_hook; }

}  // namespace internal

SimulatedThread::SimulatedThread(SchedulerHook& hook) {
  FIRN_ASSERT(internal::thread_hook == nullptr);
  internal::thread_hook = &hook;
  internal::simulated_thread_count.fetch_add(1, std::memory_order_relaxed);
}

SimulatedThread::~SimulatedThread() {
  internal::simulated_thread_count.fetch_sub(1, std::memory_order_relaxed);
  internal::thread_hook = nullptr;
}

CondVar::CondVar() = default;

CondVar::~CondVar() = default;

void CondVar::wait(Mutex& mutex) {
  if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) return hook->wait(*this, mutex);
  std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
  condition_.wait(lock);
  lock.release();
}

bool CondVar::wait_until(Mutex& mutex, std::uint64_t deadline_ns) {
  if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) {
    return hook->wait_until(*this, mutex, deadline_ns);
  }
  // steady_clock and Clock::monotonic_ns() are one clock; a deadline beyond its range (292 years) is no deadline.
  constexpr std::uint64_t kNever = std::uint64_t{1} << 62;
  if (deadline_ns >= kNever) {
    wait(mutex);
    return true;
  }
  const std::chrono::steady_clock::time_point deadline{
      std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(deadline_ns))};
  std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
  const std::cv_status outcome = condition_.wait_until(lock, deadline);
  lock.release();
  return outcome == std::cv_status::no_timeout;
}

void CondVar::notify_one() {
  if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) return hook->notify_one(*this);
  condition_.notify_one();
}

void CondVar::notify_all() {
  if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) return hook->notify_all(*this);
  condition_.notify_all();
}

void yield_thread() {
  if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) return hook->yield();
  std::this_thread::yield();
}

}  // namespace firn
