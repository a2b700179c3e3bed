// Crash tests for programs that write files, Firn itself first: run a workload once on a simulated machine, and look at
// every state that a crash could have left, at every file operation. Ideas: ALICE (Pillai et al., OSDI 2014) and
// CrashMonkey (Mohan et al., OSDI 2018); here in memory, without a kernel, at thousands of states a second.
//
//   class Outbox : public firn::sim::Workload { ... };    // What to do, and what must be true afterwards.
//   int main(int argc, char** argv) {
//     Outbox outbox;
//     return firn::sim::crash_test_main(argc, argv, {&outbox});
//   }
//
// The program under test reaches files, clock, threads and randomness through World::platform(): a database by
// Options::platform, other code by using the FileSystem in it. Everything runs on the calling thread, background tasks
// of an Executor too, so that each run of the same seed does the same operations. See docs/testing.md.
//
// Thread safety: one exploration at a time in a thread; explorations in different threads share nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firn/export.h"
#include "firn/platform.h"
#include "firn/sim/crash.h"
#include "firn/status.h"

namespace firn::sim {

// What a promise to the program's user outlives. kPowerLoss implies kKill.
enum class Promise : std::uint8_t { kKill, kPowerLoss };

// The machine that a workload runs on, and the notebook of its promises.
class FIRN_EXPORT World {
 public:
  virtual ~World() = default;
  // Files, clock, executors and randomness, deterministic. Lives as long as this World.
  virtual const Platform& platform() const = 0;
  // The workload told somebody that `what` is done: from now on no crash that `promise` covers may undo it.
  virtual void acknowledge(std::string what, Promise promise = Promise::kPowerLoss) = 0;
  // From run(): what came before is preparation, and explored by nobody; crashes and faults come from here on.
  virtual void explore_from_here() = 0;
  // Runs what was submitted to executors so far. They also run when the program waits for one.
  virtual void run_background() = 0;
  // Lets time pass; delayed tasks that are due run.
  virtual void advance_clock(std::uint64_t ns) = 0;
  // Whether an operation of this run was made to fail.
  virtual bool faulted() const = 0;
  // In check(): whether the device holds a lie (FaultKind::kFlippedWrite, kLostWrite, kMisdirectedWrite) that the
  // program was not told of. What it has cost may be past all proof.
  virtual bool damaged() const = 0;
  // From check(): which of the possible results was found; only counted.
  virtual void note_outcome(std::uint64_t fingerprint) = 0;
};

// A program under test. run() and check() are called many times, each time on a machine of its own, and must do the
// same file operations whenever they find the same files: nothing may depend on addresses, real time or a previous
// call.
class FIRN_EXPORT Workload {
 public:
  virtual ~Workload() = default;
  // Letters, digits and '-', '+', '.', '_'.
  virtual std::string name() const = 0;
  // Starts with an empty file system. An error is a violation unless a fault was injected before it; kCorruption is one
  // unless it names a file and the fault made the device lie. Where a lie is still on the device no promise is held
  // against check(), and it may find an error, but nothing broken().
  virtual Status run(World& world) = 0;
  // Opens what a crash left, as the program would, and says what is wrong with it: Ok, or any error. `acknowledged`:
  // the promises that this crash must have kept, oldest first. It should go on working (write, reopen) to see that the
  // program still can. It may itself be crashed at any file operation and called again on what is left then, so
  // whatever it writes must be something that it accepts.
  virtual Status check(World& world, std::span<const std::string> acknowledged) = 0;
};

// An error in the words of `what`: the program under test is wrong, whatever the device did. It names no file.
FIRN_EXPORT Status broken(std::string_view what);

// How far to look. At every file operation, for every profile, for_each_crash_plan (crash.h) gives the states; those
// that are equal to one that was checked with the same promises, or more, are passed over.
struct ExploreLimits {
  std::uint64_t seed = 1;                 // Of what is sampled, and of the machine's randomness.
  std::uint64_t states_max = UINT64_MAX;  // States to check.
  double seconds = 0;                     // 0: no limit.
  std::vector<CrashProfile> profiles = {CrashProfile::kProcessKill, CrashProfile::kOrdered, CrashProfile::kLinux,
                                        CrashProfile::kStrict};
  std::uint32_t plans_max = 64;        // Of one operation and profile.
  std::uint32_t subset_units_max = 6;  // All subsets of so many pending units.
  std::uint32_t recovery_depth = 2;    // Crashes inside check(), inside the check() after that, ...: 0..3. Each a kill
                                       // or a power loss, in any order.
  std::uint32_t recovery_period = 16;  // Of so many states one has its recovery crashed; at least 1.
  std::uint32_t faults_max = 0;        // Runs with a fault in one operation, spread over the workload and the
                                       // FaultKinds (file_system.h).
  bool device_lies = false;            // Faults that no error tells of, too: for programs that check what they read.
  std::uint32_t violations_max = 1;    // Stop after so many.
};

struct Violation {
  std::string token;         // Repeats it: replay(), `firn crashtest --replay TOKEN`.
  std::string what;          // The error of check() or run().
  std::string reproduction;  // The operations that lead there and what the crash left of them, for people.
};

struct ExploreReport {
  std::uint64_t states_explored = 0;  // Distinct states, each opened and checked.
  std::uint64_t states_pruned = 0;    // Enumerated too, and equal to one that was checked.
  std::uint64_t recovery_states = 0;  // Of the explored, those of a crash during recovery.
  std::uint64_t operations = 0;       // File operations of all runs.
  std::uint64_t runs = 0;             // Of the workload: one, and one for each fault.
  std::uint64_t faults_injected = 0;
  std::uint64_t unique_outcomes = 0;
  double seconds = 0;
  bool complete = true;  // No limit on states or time cut it short.
  std::vector<Violation> violations;

  FIRN_EXPORT void add(const ExploreReport& other);
};

// The counts of a report by the names that `firn crashtest --json` has for them.
struct ExploreFigure {
  std::string_view name;
  std::uint64_t ExploreReport::*count;
};
inline constexpr ExploreFigure kExploreFigures[] = {
    {"states_explored", &ExploreReport::states_explored},
    {"states_equal", &ExploreReport::states_pruned},
    {"recovery_states", &ExploreReport::recovery_states},
    {"operations", &ExploreReport::operations},
    {"runs", &ExploreReport::runs},
    {"faults_injected", &ExploreReport::faults_injected},
    {"unique_outcomes", &ExploreReport::unique_outcomes},
};

// Called now and then with the figures so far (false ends the exploration), and with the token of each run before it
// starts and of each state before it is checked, so that whoever watches a process that dies knows where.
struct ExploreObserver {
  std::function<bool(const ExploreReport&)> progress;
  std::function<void(const std::string& token)> checking;
};

FIRN_EXPORT ExploreReport explore(Workload& workload, const ExploreLimits& limits,
                                  const ExploreObserver& observer = {});

// Builds one state again and checks it. Absent: no violation. kInvalidArgument for a token of another workload, or of
// one that has changed since.
FIRN_EXPORT Result<std::optional<Violation>> replay(Workload& workload, const std::string& token);
// The name of the workload that `token` is of, and the seed of its machine; empty and 0 when it is no token.
FIRN_EXPORT std::string token_workload(const std::string& token);
FIRN_EXPORT std::uint64_t token_seed(const std::string& token);

// A whole program: --seconds N (default 10), --states N, --seed S, --faults N, --depth N, --replay TOKEN, --list.
// Explores each workload; its exit code is 0, 1 after a violation (whose reproduction it prints), or 2.
FIRN_EXPORT int crash_test_main(int argc, char** argv, std::initializer_list<Workload*> workloads);

}  // namespace firn::sim
