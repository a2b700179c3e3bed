// A token's state again: each crash on its way is made as the token says.
#include <utility>

#include "platform/sim/explorer.h"

namespace firn::sim {

namespace {

Status wrong(const std::string& token, const std::string& why) {
  return Status(StatusCode::kInvalidArgument, token + ": " + why + " (the program has changed since?)");
}

class Replaying {
 public:
  Replaying(Workload& workload, const std::string& text, Token token)
      : workload_(workload), text_(text), token_(std::move(token)) {}

  Result<std::optional<Violation>> run() {
    const Recording recording = record_run();
    if (token_.steps.empty()) {
      if (recording.sound(token_.fault)) return std::optional<Violation>();
      return std::optional(Violation{text_, recording.status.to_string(), "  the workload itself failed\n"});
    }
    if (recording.points.empty()) return wrong(text_, "there is no such operation");
    const RecordedPoint& point = recording.points.front();
    const Token start{token_.workload, token_.seed, token_.fault, {}};
    return follow({recording, point, recording.promises, point.kill_promises, point.power_promises, start}, 0);
  }

 private:
  Recording record_run() {
    RecordingRequest request;
    request.seed = token_.seed;
    request.fault = token_.fault;
    if (!token_.steps.empty()) want(token_.steps.front(), request);
    SimFileSystem files;
    return record(
        files, [this](World& world) { return workload_.run(world); }, request);
  }

  static void want(const CrashStep& step, RecordingRequest& request) {
    request.profiles = {step.profile};
    request.first = step.operation;
    request.end = step.operation + 1;
  }

  Result<std::optional<Violation>> follow(const StateContext& context, std::size_t step) {
    const Result<CrashPlan> plan = context.point.state.parse(token_.steps[step].plan);
    if (!plan.ok()) return wrong(text_, "'" + token_.steps[step].plan + "' is no plan of its operation");
    RecordingRequest request = context.request();
    const bool last = step + 1 == token_.steps.size();
    if (!last) want(token_.steps[step + 1], request);
    const Recording recording = check_state(workload_, context, *plan, request);
    if (last) {
      if (context.allows(recording.status)) return std::optional<Violation>();
      return std::optional(describe(context, *plan, recording.status));
    }
    if (recording.points.empty()) return wrong(text_, "there is no such operation");
    const Token token = context.token(*plan);
    return follow(context.next(recording, recording.points.front(), token), step + 1);
  }

  Workload& workload_;
  const std::string& text_;
  const Token token_;
};

}  // namespace

Result<std::optional<Violation>> replay(Workload& workload, const std::string& token) {
  std::optional<Token> parsed = Token::parse(token);
  if (!parsed.has_value()) return Status(StatusCode::kInvalidArgument, token + ": is no token of a crash test");
  if (parsed->workload != workload.name()) {
    return Status(StatusCode::kInvalidArgument, token + ": is of another workload than " + workload.name());
  }
  return Replaying(workload, token, *std::move(parsed)).run();
}

}  // namespace firn::sim
