// Mutex, CondVar and MutexLock: the standard ones, annotated for clang's thread-safety analysis, and open to a
// simulated scheduler. A thread that takes part in a simulation (SimulatedThread) has its every lock, wait and notify
// decided by a SchedulerHook; every other thread uses the standard library and pays one relaxed load of a word that is
// never written in production. Idea: FoundationDB's and TigerBeetle's deterministic simulation.
//
// Thread safety: as their standard counterparts. A Mutex or CondVar is used by simulated threads only, or by real
// threads only, never by both at once.
// Lifetime: a Mutex or CondVar outlives every call on it; a SchedulerHook outlives its SimulatedThreads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "platform/thread_annotations.h"

namespace firn {

class CondVar;
class Mutex;

// Decides, for the threads of a simulation, who runs next. Each call blocks its thread until the simulation lets it go
// on. Precondition of unlock, wait and wait_until: the calling simulated thread holds `mutex`.
class SchedulerHook {
 public:
  virtual ~SchedulerHook() = default;
  virtual void lock(Mutex& mutex) = 0;
  virtual bool try_lock(Mutex& mutex) = 0;
  virtual void unlock(Mutex& mutex) = 0;
  virtual void wait(CondVar& condition, Mutex& mutex) = 0;
  // False when `deadline_ns` of the simulated monotonic clock passed first.
  virtual bool wait_until(CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns) = 0;
  virtual void notify_one(CondVar& condition) = 0;
  virtual void notify_all(CondVar& condition) = 0;
  // The thread has nothing to do until another one has made progress: see yield_thread.
  virtual void yield() = 0;
  // A point where another thread may run; `what` becomes part of the simulation's trace, if there is one.
  virtual void step(std::uint64_t what) = 0;
  virtual bool traces() const = 0;
  // Until the simulated clock has advanced by `ns`.
  virtual void pause(std::uint64_t ns) = 0;
};

// While it lives, the thread that made it takes part in the simulation of `hook`. Not nested.
class SimulatedThread {
 public:
  explicit SimulatedThread(SchedulerHook& hook);
  ~SimulatedThread();
  SimulatedThread(const SimulatedThread&) = delete;
  SimulatedThread& operator=(const SimulatedThread&) = delete;
};

namespace internal {

// How many threads of this process are simulated. A thread counts itself, so a relaxed load is enough for it to know
// that it may be one; zero, always, in production.
extern std::atomic<int> simulated_thread_count;
SchedulerHook* this_thread_hook();

// The calling thread's hook; null for a real thread.
inline SchedulerHook* scheduler_hook() {
  if (simulated_thread_count.load(std::memory_order_relaxed) == 0) [[likely]]
    return nullptr;
  return this_thread_hook();
}

}  // namespace internal

// Not recursive.
class FIRN_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() FIRN_ACQUIRE() {
    if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) [[unlikely]]
      return hook->lock(*this);
    mutex_.lock();
  }
  bool try_lock() FIRN_TRY_ACQUIRE(true) {
    if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) [[unlikely]]
      return hook->try_lock(*this);
    return mutex_.try_lock();
  }
  void unlock() FIRN_RELEASE() {
    if (SchedulerHook* hook = internal::scheduler_hook(); hook != nullptr) [[unlikely]]
      return hook->unlock(*this);
    mutex_.unlock();
  }
  // Tells the analysis what it cannot see; checks nothing.
  void assert_held() const FIRN_ASSERT_CAPABILITY(this) {}

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds `mutex` for a scope. unlock() and lock() open a gap in it.
class FIRN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FIRN_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() FIRN_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() FIRN_RELEASE() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() FIRN_ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// Waits may end without a notification: call them in a loop that tests the condition.
class CondVar {
 public:
  // Not inline, so that the layers above do not import the standard library's.
  CondVar();
  ~CondVar();
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Releases `mutex`, waits, and holds `mutex` again on return.
  void wait(Mutex& mutex) FIRN_REQUIRES(mutex);
  // The same until Clock::monotonic_ns() of the real clock (or the simulated one) reaches `deadline_ns`.
  // Returns false when it did.
  bool wait_until(Mutex& mutex, std::uint64_t deadline_ns) FIRN_REQUIRES(mutex);
  void notify_one();
  void notify_all();

 private:
  std::condition_variable condition_;
};

// For loops that wait for another thread's atomic store: lets that thread run.
void yield_thread();

}  // namespace firn
