// Tested in tests/crash/explorer_test.cc.
#include "platform/sim/explorer.h"

#include <algorithm>
#include <utility>

#include "platform/sim/hash.h"

namespace firn::sim {

namespace {

// Operations whose states are in memory at a time.
constexpr std::uint64_t kWindowOperations = 256;
constexpr std::uint32_t kShrinkChecks = 2'000;
constexpr std::uint64_t kProgressNs = 100'000'000;
constexpr std::uint32_t kRecoveryPlansMax = 4;
constexpr std::uint32_t kFaultPlansMax = 6;
// Of what the limits allow; the rest is for the runs with faults.
constexpr double kShareWithoutFaults = 0.6;

Clock& real_clock() { return *real_platform().clock; }

}  // namespace

Status broken(std::string_view what) { return Status(StatusCode::kCorruption, std::string(what)); }

void ExploreReport::add(const ExploreReport& other) {
  for (const ExploreFigure& figure : kExploreFigures) this->*figure.count += other.*figure.count;
  seconds += other.seconds;
  complete = complete && other.complete;
  violations.insert(violations.end(), other.violations.begin(), other.violations.end());
}

Token StateContext::token(const CrashPlan& plan) const {
  Token token = before;
  token.steps.push_back({point.operation, point.state.profile(), point.state.format(plan)});
  return token;
}

RecordingRequest StateContext::request() const {
  RecordingRequest request;
  request.seed = hash_mix(before.seed, point.operation);
  request.damaged = damaged();
  request.where = "in the check of a crash before operation " + std::to_string(point.operation);
  return request;
}

Recording check_state(Workload& workload, const StateContext& context, SimFileSystem& state,
                      const RecordingRequest& request) {
  return record(
      state, [&](World& world) { return workload.check(world, context.promised()); }, request);
}

Recording check_state(Workload& workload, const StateContext& context, const CrashPlan& plan,
                      const RecordingRequest& request) {
  return check_state(workload, context, *context.point.state.apply(plan), request);
}

Exploration::Exploration(Workload& workload, const ExploreLimits& limits, const ExploreObserver& observer)
    : workload_(workload), limits_(limits), observer_(observer), start_ns_(real_clock().monotonic_ns()) {}

double Exploration::elapsed() const { return static_cast<double>(real_clock().monotonic_ns() - start_ns_) / 1e9; }

bool Exploration::done() {
  if (stopped_) return true;
  if (report_.violations.size() >= limits_.violations_max) return stopped_ = true;
  const std::uint64_t now = real_clock().monotonic_ns();
  if (observer_.progress && now >= next_progress_ns_) {
    next_progress_ns_ = now + kProgressNs;
    report_.seconds = elapsed();
    report_.unique_outcomes = outcomes_.size();
    stopped_ = !observer_.progress(report_);
  }
  const bool used_up =
      report_.states_explored >= states_end_ || (limits_.seconds > 0 && elapsed() >= seconds_end_) || stopped_;
  report_.complete = report_.complete && !used_up;
  return used_up;
}

// What comes next may use `share` of what is left of the limits.
void Exploration::allow(double share) {
  const auto left = static_cast<double>(limits_.states_max - std::min(limits_.states_max, report_.states_explored));
  states_end_ = share < 1 ? report_.states_explored + static_cast<std::uint64_t>(share * left) : limits_.states_max;
  seconds_end_ = elapsed() + share * (limits_.seconds - elapsed());
}

ExploreReport Exploration::run() {
  allow(limits_.faults_max > 0 ? kShareWithoutFaults : 1);
  explore_run(std::nullopt, limits_.plans_max);
  explore_faults();
  report_.seconds = elapsed();
  report_.unique_outcomes = outcomes_.size();
  return report_;
}

Recording Exploration::record_run(const std::optional<InjectedFault>& fault, std::uint64_t first, std::uint64_t end) {
  RecordingRequest request;
  request.seed = limits_.seed;
  request.profiles = limits_.profiles;
  request.first = first;
  request.end = end;
  request.fault = fault;
  request.where = "in a run of " + workload_.name();
  SimFileSystem files;
  return record(
      files, [this](World& world) { return workload_.run(world); }, request);
}

void Exploration::explore_run(const std::optional<InjectedFault>& fault, std::uint32_t plans_max) {
  const Token token{workload_.name(), limits_.seed, fault, {}};
  std::uint64_t hash = 0;
  // After a fault only what comes then is new.
  std::uint64_t first = 0;
  for (std::uint64_t window = 0; !done(); ++window) {
    if (observer_.checking) observer_.checking(token.text());
    const Recording recording = record_run(fault, first, first + kWindowOperations);
    if (window == 0) {
      hash = recording.hash;
      ++report_.runs;
      report_.operations += recording.end;
      if (!fault.has_value()) {
        prepared_ = recording.prepared;
        fallible_ = recording.fallible;
      }
      if (fault.has_value() && recording.faulted.has_value()) ++report_.faults_injected;
      if (!run_is_sound(recording, token)) return;
      if (fault.has_value() && !recording.faulted.has_value()) return;
      if (fault.has_value() && *recording.faulted >= kWindowOperations) {
        first = *recording.faulted;
        continue;
      }
    } else if (recording.hash != hash) {
      report_.violations.push_back(
          {token.text(), "two runs of the workload did different file operations: it is not deterministic", {}});
      return;
    }
    for (const RecordedPoint& point : recording.points) {
      if (done()) return;
      explore_point({recording, point, recording.promises, point.kill_promises, point.power_promises, token},
                    plans_max);
    }
    first += kWindowOperations;
    if (first > recording.end) return;
  }
}

bool Exploration::run_is_sound(const Recording& recording, const Token& token) {
  if (recording.sound(token.fault)) return true;
  Violation violation{token.text(), recording.status.to_string(), "  the workload itself failed"};
  if (token.fault.has_value()) {
    violation.reproduction += ", with the fault " + std::string(explorer_faults()[token.fault->kind].name) +
                              " in its operation " + std::to_string(recording.faulted.value_or(0));
  }
  violation.reproduction += '\n';
  report_.violations.push_back(std::move(violation));
  return false;
}

// Each kind gets its share of the runs, spread evenly over the operations that can fail so.
void Exploration::explore_faults() {
  std::vector<InjectedFault> faults;
  const auto allowed = [this](const ExplorerFault& fault) { return limits_.device_lies || !fault.lies(); };
  const auto kinds =
      static_cast<std::uint64_t>(std::count_if(explorer_faults().begin(), explorer_faults().end(), allowed));
  const std::uint64_t share = (limits_.faults_max + kinds - 1) / kinds;
  for (std::size_t i = 0; i < kExplorerFaultCount; ++i) {
    if (!allowed(explorer_faults()[i])) continue;
    const std::uint64_t count = fallible_[i] - prepared_[i];
    const std::uint64_t runs = std::min(share, count);
    for (std::uint64_t run = 0; run < runs; ++run) {
      faults.push_back({i, prepared_[i] + run * count / runs});
    }
  }
  for (std::size_t i = 0; i < faults.size() && !stopped_; ++i) {
    if (report_.states_explored >= limits_.states_max || (limits_.seconds > 0 && elapsed() >= limits_.seconds)) return;
    allow(1.0 / static_cast<double>(faults.size() - i));
    explore_run(faults[i], kFaultPlansMax);
  }
}

void Exploration::explore_point(const StateContext& context, std::uint32_t plans_max) {
  CrashLimits limits;
  limits.plans_max = plans_max;
  limits.subset_units_max = limits_.subset_units_max;
  limits.seed = hash_mix(limits_.seed, context.point.operation);
  for_each_crash_plan(context.point.state, limits,
                      [&](const CrashPlan& plan) { return visit(context, plan, plans_max); });
}

bool Exploration::is_new(const SimFileSystem& state, const StateContext& context) {
  const std::uint64_t key = hash_mix(state.content_hash(), context.only_killed() ? 1 : 2);
  const auto promises = static_cast<std::uint32_t>(context.promised().size());
  const auto [known, fresh] = checked_.try_emplace(key, promises);
  if (!fresh && known->second >= promises) return false;
  known->second = promises;
  return true;
}

bool Exploration::visit(const StateContext& context, const CrashPlan& plan, std::uint32_t plans_max) {
  if (done()) return false;
  const std::unique_ptr<SimFileSystem> state = context.point.state.apply(plan);
  if (!is_new(*state, context)) {
    ++report_.states_pruned;
    return true;
  }
  if (observer_.checking) observer_.checking(context.token(plan).text());
  ++report_.states_explored;
  if (context.depth() > 0) ++report_.recovery_states;
  const Recording checked = check_state(workload_, context, *state, context.request());
  if (checked.outcome.has_value()) outcomes_.insert(*checked.outcome);
  if (!context.allows(checked.status)) {
    violate(context, plan, checked.status);
    return !done();
  }
  if (recovery_is_due(context.depth())) explore_recovery(context, plan, plans_max);
  return !done();
}

// Recoveries have many operations: what they lead to stays at most half of all, and deeper ones get their turn.
bool Exploration::recovery_is_due(std::size_t depth) {
  if (depth >= limits_.recovery_depth) return false;
  if (depth == 0 && 2 * report_.recovery_states > report_.states_explored) return false;
  const std::uint64_t period = std::uint64_t{limits_.recovery_period} << 3 * depth;
  return hash_mix(report_.states_explored, limits_.seed) / 4 % period == 0;
}

// A kill that follows, and a power loss: of the same profile, or after a kill of each in turn.
std::vector<CrashProfile> Exploration::recovery_profiles(CrashProfile profile) const {
  std::vector<CrashProfile> power;
  std::vector<CrashProfile> chosen;
  for (const CrashProfile known : limits_.profiles) {
    if (known == CrashProfile::kProcessKill) chosen.push_back(known);
    if (known != CrashProfile::kProcessKill && (profile == known || profile == CrashProfile::kProcessKill)) {
      power.push_back(known);
    }
  }
  if (!power.empty()) chosen.push_back(power[hash_mix(report_.states_explored, limits_.seed) / 4 % power.size()]);
  return chosen;
}

void Exploration::explore_recovery(const StateContext& context, const CrashPlan& plan, std::uint32_t plans_max) {
  RecordingRequest request = context.request();
  request.profiles = recovery_profiles(context.point.state.profile());
  request.end = UINT64_MAX;
  const Recording recording = check_state(workload_, context, plan, request);
  const Token token = context.token(plan);
  for (const RecordedPoint& point : recording.points) {
    if (done()) return;
    explore_point(context.next(recording, point, token), std::min(plans_max, kRecoveryPlansMax));
  }
}

void Exploration::violate(const StateContext& context, const CrashPlan& plan, const Status& status) {
  const CrashPlan least = shrink(workload_, context, plan, kShrinkChecks);
  const Recording again = check_state(workload_, context, least, context.request());
  report_.violations.push_back(describe(context, least, context.allows(again.status) ? status : again.status));
}

ExploreReport explore(Workload& workload, const ExploreLimits& limits, const ExploreObserver& observer) {
  return Exploration(workload, limits, observer).run();
}

}  // namespace firn::sim
