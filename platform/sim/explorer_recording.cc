#include "platform/sim/explorer_recording.h"

#include <array>
#include <utility>

#include "platform/sim/hash.h"
#include "platform/sim/single_thread.h"

namespace firn::sim {

namespace {

bool changes_something(OperationKind kind) {
  switch (kind) {
    case OperationKind::kOpen:
    case OperationKind::kRead:
    case OperationKind::kSize:
    case OperationKind::kMap:
    case OperationKind::kList:
    case OperationKind::kSpace: return false;
    default: return true;
  }
}

// The world of one run, which also watches its file operations.
class RecordingWorld final : public World {
 public:
  RecordingWorld(SimFileSystem& files, const RecordingRequest& request, Recording& recording)
      : files_(files),
        request_(request),
        recording_(recording),
        faults_(rules(request), request.seed),
        thread_(files, request.seed, request.where) {
    // Without points and faults nobody wants to know the operations.
    if (request_.profiles.empty() && !request_.fault.has_value()) return;
    files_.set_fault_hook([this](const Operation& operation) { return before(operation); });
  }
  ~RecordingWorld() override { files_.set_fault_hook({}); }

  const Platform& platform() const override { return thread_.platform(); }
  void acknowledge(std::string what, Promise promise) override {
    if (promise == Promise::kPowerLoss) recording_.promises.power.push_back(what);
    recording_.promises.kill.push_back(std::move(what));
  }
  void explore_from_here() override {
    recording_.points.clear();
    recording_.prepared = recording_.fallible;
  }
  void run_background() override { thread_.run_background(); }
  void advance_clock(std::uint64_t ns) override { thread_.advance_clock(ns); }
  bool faulted() const override { return recording_.faulted.has_value(); }
  bool damaged() const override { return request_.damaged; }
  void note_outcome(std::uint64_t fingerprint) override { recording_.outcome = fingerprint; }

  void end() {
    recording_.end = files_.operation_count();
    add_points(recording_.end);
  }

 private:
  std::optional<Fault> before(const Operation& operation) {
    recording_.hash = hash_text(operation.path, hash_mix(recording_.hash, static_cast<std::uint64_t>(operation.kind)));
    recording_.hash = hash_mix(recording_.hash, hash_mix(operation.offset, operation.bytes));
    if (changes_something(operation.kind)) {
      add_points(operation.index);
      recording_.operations.push_back(operation);
    }
    std::optional<Fault> fault = inject(operation);
    if (fault.has_value() && !recording_.faulted.has_value()) recording_.faulted = operation.index;
    return fault;
  }

  std::optional<Fault> inject(const Operation& operation) {
    for (std::size_t i = 0; i < kExplorerFaultCount; ++i) {
      if (explorer_faults()[i].rule.matches(operation)) ++recording_.fallible[i];
    }
    return faults_.consult(operation);
  }

  static std::vector<FaultRule> rules(const RecordingRequest& request) {
    if (!request.fault.has_value()) return {};
    FaultRule rule = explorer_faults()[request.fault->kind].rule;
    rule.nth = request.fault->number;
    return {rule};
  }

  void add_points(std::uint64_t operation) {
    if (operation < request_.first || operation >= request_.end) return;
    // Up to the fault all is as in the run without it.
    if (request_.fault.has_value() && !recording_.faulted.has_value()) return;
    for (const CrashProfile profile : request_.profiles) {
      recording_.points.push_back(
          {operation, files_.crash_point(profile), recording_.promises.kill.size(), recording_.promises.power.size()});
    }
  }

  SimFileSystem& files_;
  const RecordingRequest& request_;
  Recording& recording_;
  FaultPlan faults_;
  SingleThread thread_;
};

}  // namespace

bool Recording::sound(const std::optional<InjectedFault>& fault) const {
  if (status.ok() || !faulted.has_value()) return status.ok();
  return status.code() != StatusCode::kCorruption || (explorer_faults()[fault->kind].lies() && !is_broken(status));
}

Recording record(SimFileSystem& files, const Program& program, const RecordingRequest& request) {
  Recording recording;
  RecordingWorld world(files, request, recording);
  recording.status = program(world);
  world.end();
  return recording;
}

}  // namespace firn::sim
