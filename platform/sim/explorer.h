// The exploration of one workload: records its runs in windows of operations, walks the crash states of each window,
// checks what is new among them, and shrinks what fails. Internal to the explorer.
//
// Thread safety: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "platform/sim/explorer_recording.h"
#include "platform/sim/explorer_token.h"

namespace firn::sim {

// One state with all that led to it.
struct StateContext {
  const Recording& recording;  // Of the run that crashes.
  const RecordedPoint& point;
  const Promises& promises;  // Of the workload, whose numbers `kill` and `power` count.
  std::size_t kill = 0;
  std::size_t power = 0;
  const Token& before;      // The token up to this crash.
  bool power_lost = false;  // In an earlier crash.

  // 0: a crash of the workload; 1: of the first check; ...
  std::size_t depth() const { return before.steps.size(); }
  // Whether nothing was worse than a kill: no crash, this one included, and no sync that dropped what it should keep.
  bool only_killed() const {
    return !power_lost && point.state.profile() == CrashProfile::kProcessKill &&
           !(before.fault.has_value() && explorer_faults()[before.fault->kind].rule.kind == FaultKind::kDroppedSync);
  }
  // Whether the device holds a lie, which may have cost promises, and cause errors.
  bool damaged() const { return before.fault.has_value() && explorer_faults()[before.fault->kind].damages(); }
  bool allows(const Status& status) const { return status.ok() || (damaged() && !is_broken(status)); }
  std::span<const std::string> promised() const {
    if (damaged()) return {};
    return only_killed() ? std::span(promises.kill).first(kill) : std::span(promises.power).first(power);
  }
  Token token(const CrashPlan& plan) const;
  // A crash of its check, which recorded `recovery`; `token` is that of the state.
  StateContext next(const Recording& recovery, const RecordedPoint& crash, const Token& token) const {
    return {recovery, crash, promises, kill, power, token, !only_killed()};
  }
  // How its states are checked: the same for every plan.
  RecordingRequest request() const;
};

// Checks `state`, or the one that `plan` makes; recorded as `request` says.
Recording check_state(Workload& workload, const StateContext& context, SimFileSystem& state,
                      const RecordingRequest& request);
Recording check_state(Workload& workload, const StateContext& context, const CrashPlan& plan,
                      const RecordingRequest& request);

// The least that still fails of a failing `plan`, by trying; `checks` are spent at most.
CrashPlan shrink(Workload& workload, const StateContext& context, CrashPlan plan, std::uint32_t checks);

// The violation in words for people.
Violation describe(const StateContext& context, const CrashPlan& plan, const Status& status);

class Exploration {
 public:
  Exploration(Workload& workload, const ExploreLimits& limits, const ExploreObserver& observer);
  ExploreReport run();

 private:
  // A run of the workload, in windows.
  void explore_run(const std::optional<InjectedFault>& fault, std::uint32_t plans_max);
  Recording record_run(const std::optional<InjectedFault>& fault, std::uint64_t first, std::uint64_t end);
  void explore_faults();
  bool run_is_sound(const Recording& recording, const Token& token);
  void explore_point(const StateContext& context, std::uint32_t plans_max);
  bool visit(const StateContext& context, const CrashPlan& plan, std::uint32_t plans_max);
  bool is_new(const SimFileSystem& state, const StateContext& context);
  bool recovery_is_due(std::size_t depth);
  std::vector<CrashProfile> recovery_profiles(CrashProfile profile) const;
  void explore_recovery(const StateContext& context, const CrashPlan& plan, std::uint32_t plans_max);
  void violate(const StateContext& context, const CrashPlan& plan, const Status& status);
  // Whether to stop, for good or with the present run, by any limit or the observer.
  bool done();
  void allow(double share);
  double elapsed() const;

  Workload& workload_;
  const ExploreLimits& limits_;
  const ExploreObserver& observer_;
  const std::uint64_t start_ns_;
  std::uint64_t next_progress_ns_ = 0;
  bool stopped_ = false;          // For good.
  std::uint64_t states_end_ = 0;  // Of the present run, as of the next.
  double seconds_end_ = 0;
  ExploreReport report_;
  // By contents: how many promises it was checked with, of crashes that killed the process and of others.
  std::unordered_map<std::uint64_t, std::uint32_t> checked_;
  std::unordered_set<std::uint64_t> outcomes_;
  // Of the run without a fault.
  std::array<std::uint64_t, kExplorerFaultCount> prepared_{};
  std::array<std::uint64_t, kExplorerFaultCount> fallible_{};
};

}  // namespace firn::sim
