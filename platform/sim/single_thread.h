// A platform on which a whole program runs on the thread that calls it: background tasks run when the program waits for
// them or says so, a clock moves when somebody waits, and randomness comes from a seed. The same seed gives the same
// run.
//
// Waiting runs the oldest task; when there is none, time passes until the next delayed one. A wait that nothing can
// end is a deadlock of the program: said on standard error, with `where`, and the process aborts.
//
// For explorations, where it matters more how many states can be opened than who runs when: no step hands over to
// another thread, as those of a sim::Machine do.
//
// Thread safety: one thread. Lifetime: the file system outlives this object, this object what runs on it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/platform.h"
#include "platform/random.h"
#include "platform/sync.h"

namespace firn::sim {

class SingleThread final : public SchedulerHook, public firn::Clock {
 public:
  SingleThread(FileSystem& files, std::uint64_t seed, std::string where);
  ~SingleThread() override;

  const Platform& platform() const { return platform_; }
  void run_background();
  void advance_clock(std::uint64_t ns);

  // --- Clock
  std::uint64_t monotonic_ns() override { return now_ns_; }
  std::uint64_t wall_ms() override { return now_ns_ / 1'000'000; }

  // --- SchedulerHook
  void lock(Mutex& mutex) override;
  bool try_lock(Mutex& mutex) override;
  void unlock(Mutex& mutex) override;
  void wait(CondVar& condition, Mutex& mutex) override;
  bool wait_until(CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns) override;
  void notify_one(CondVar&) override {}
  void notify_all(CondVar&) override {}
  void yield() override;
  void step(std::uint64_t) override {}
  bool traces() const override { return false; }
  void pause(std::uint64_t ns) override { advance_clock(ns); }

 private:
  using Task = std::function<void()>;
  class Pool;

  bool holds(const Mutex& mutex) const;
  [[noreturn]] void deadlock(const char* what) const;
  // Runs one task that is due; false when there is none.
  bool run_one();
  bool has_task_of(const Pool* pool) const;
  bool run_delayed(std::uint64_t until_ns);

  const std::string where_;
  std::uint64_t now_ns_ = 1'000'000'000;
  SplitMix64 random_;
  Platform platform_;
  std::vector<const Mutex*> held_;
  std::array<std::deque<std::pair<Pool*, Task>>, 2> tasks_;       // By priority, high first.
  std::multimap<std::uint64_t, std::pair<Pool*, Task>> delayed_;  // By the time they are due.
  std::unique_ptr<SimulatedThread> hook_;
};

}  // namespace firn::sim
