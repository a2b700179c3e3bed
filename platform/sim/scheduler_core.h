// The scheduler's inside: the threads of a simulation, what each waits for, and the choice of who runs. Internal to
// platform.
//
// Every thread of the simulation is an operating-system thread; all but one sleep on a condition variable of their own.
// The one that runs calls in at each scheduling point, chooses its successor and wakes it.
//
// Thread safety: all threads of the simulation; one lock. Lifetime: shared by the scheduler and its threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "firn/sim/scheduler.h"
#include "platform/random.h"
#include "platform/sync.h"

namespace firn::sim {

class Scheduler::Core final : public SchedulerHook, public std::enable_shared_from_this<Core> {
 public:
  Core(const SchedulerOptions& options, Clock& clock);
  ~Core() override;

  Status run(std::function<void()> body);
  ThreadId spawn(std::string name, std::function<void()> body);
  void join(ThreadId target);
  Clock& clock() { return clock_; }
  std::uint64_t trace_hash() const;
  std::uint64_t steps() const;

  void lock(Mutex& mutex) override;
  bool try_lock(Mutex& mutex) override;
  void unlock(Mutex& mutex) override;
  void wait(CondVar& condition, Mutex& mutex) override;
  bool wait_until(CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns) override;
  void notify_one(CondVar& condition) override;
  void notify_all(CondVar& condition) override;
  void yield() override;
  void step(std::uint64_t what) override;
  bool traces() const override { return true; }
  void pause(std::uint64_t ns) override;

 private:
  using Guard = std::unique_lock<std::mutex>;
  enum class Waiting : std::uint8_t { kNothing, kLock, kCondition, kTime, kThread, kDone };

  struct Thread {
    ThreadId id = 0;
    std::string name;
    std::function<void()> body;
    std::thread system;
    std::condition_variable chosen_changed;
    bool chosen = false;
    Waiting waiting = Waiting::kNothing;
    const Mutex* mutex = nullptr;        // kLock; kCondition: to be locked again.
    const CondVar* condition = nullptr;  // kCondition.
    std::uint64_t deadline_ns = 0;       // kCondition, kTime; UINT64_MAX: none.
    bool timed_out = false;              // Of the last kCondition.
    ThreadId target = 0;                 // kThread.
    std::int64_t priority = 0;           // PCT: the highest runs.
  };

  Thread& self() const;
  Thread& add_thread(std::string name, std::function<void()> body);
  void thread_main(Thread& me);

  // Lets the scheduler choose; returns when it has chosen the caller again. `kind` tells the trace why.
  void reschedule(Guard& guard, Thread& me, std::uint64_t kind);
  void hand_over(Thread& next);
  Thread* choose(const Thread& me);
  Thread* choose_by_priority(const std::vector<Thread*>& ready, const Thread& me);
  Thread* choose_by_walk(const std::vector<Thread*>& ready, const Thread& me);
  bool can_run(const Thread& thread) const;
  void collect_ready();
  // The earliest deadline anybody waits for; UINT64_MAX when there is none.
  std::uint64_t next_deadline() const;
  void wake_expired();
  void block_on_condition(Guard& guard, Thread& me, CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns);
  static void wake(Thread& thread);
  std::vector<Thread*> waiters(const CondVar& condition) const;
  void finish(Status status);
  std::string describe_all() const;
  std::string describe(const Thread& thread) const;

  const SchedulerOptions options_;
  Clock& clock_;
  mutable std::mutex mutex_;  // Guards all below.
  SplitMix64 random_;
  std::uint64_t stay_percent_;                   // Of a walk: how likely the running thread goes on.
  std::vector<std::uint64_t> priority_changes_;  // PCT: steps, ascending.
  std::int64_t lowest_priority_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;  // By id.
  std::unordered_map<const Mutex*, Thread*> owners_;
  std::vector<Thread*> ready_;  // Scratch of choose().
  std::uint64_t steps_ = 0;
  std::uint64_t trace_ = 1;
  bool finished_ = false;
  std::condition_variable finished_changed_;
  Status outcome_;
};

}  // namespace firn::sim
