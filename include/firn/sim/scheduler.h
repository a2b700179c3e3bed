// Runs real threads one at a time and decides, by a seed, who goes on at every lock, wait, notification, file operation
// and yield. The same seed over the same program gives the same run, to the last decision; another seed gives another
// interleaving. Time is simulated: it creeps from step to step and jumps to the next deadline when every thread waits.
//
// What is not seen: a race between two such points. Data races are for ThreadSanitizer, orders of events for this.
// Ideas: FoundationDB's simulation; PCT of Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs", ASPLOS 2010 (a bug that needs `depth` events in one order is found with a known chance per run).
//
// Thread safety: as said for each function. Lifetime: the clock outlives the scheduler, which outlives its executors.
// One simulation at a time in a process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "firn/export.h"
#include "firn/platform.h"
#include "firn/sim/clock.h"
#include "firn/status.h"

namespace firn::sim {

struct SchedulerOptions {
  std::uint64_t seed = 0;
  // 0: a random walk. Else PCT: threads have random priorities, which change at `depth` - 1 random steps.
  std::uint32_t depth = 0;
  std::uint64_t steps_expected = 20'000;  // PCT: where the changes lie.
  std::uint64_t steps_max = 20'000'000;   // A run that takes more is stuck in a loop and ends with an error.
};

class FIRN_EXPORT Scheduler {
 public:
  using ThreadId = std::uint32_t;

  Scheduler(const SchedulerOptions& options, Clock& clock);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs `body` as the thread "main", and whatever it spawns, until all threads have ended. Everything that belongs to
  // the simulation (the database too) is made and destroyed inside. Not from a thread of the simulation. Errors: kBusy
  // when every thread waits for ever, or steps_max is reached; the message says who waits for what. The threads that
  // were caught are left behind then, with all they hold, and the scheduler runs nothing more.
  Status run(std::function<void()> body);

  // All below: from a thread of the simulation.
  // Another thread, which the scheduler lets run when it likes. A body must not throw.
  ThreadId spawn(std::string name, std::function<void()> body);
  void join(ThreadId thread);
  // A point where another thread may run. `what` becomes part of the trace.
  void step(std::uint64_t what = 0);
  void pause(std::uint64_t ns);
  // For Platform::make_executor.
  std::unique_ptr<Executor> make_executor(std::uint32_t threads);

  // From any thread while no run is under way, or one of the simulation: of all decisions and what was done at each
  // step. Equal runs have equal hashes.
  std::uint64_t trace_hash() const;
  std::uint64_t steps() const;

 private:
  class Core;
  const std::shared_ptr<Core> core_;  // Shared with threads that were left behind.
};

}  // namespace firn::sim
