// From a failing state to the least one that still fails, and to words about it. Greedy, as in delta debugging (Zeller
// and Hildebrandt, TSE 2002) with parts of one unit: a state has few enough units for that.
#include <algorithm>
#include <array>
#include <utility>

#include "platform/sim/explorer.h"

namespace firn::sim {

namespace {

constexpr std::size_t kOperationsShown = 12;
constexpr std::size_t kPromisesShown = 3;
constexpr std::size_t kLinesShown = 16;

class Shrinking {
 public:
  Shrinking(Workload& workload, const StateContext& context, std::uint32_t checks)
      : workload_(workload), context_(context), units_(context.point.state.units()), checks_(checks) {}

  // Moves choice after choice to what `simple` says, as long as it goes on failing.
  CrashPlan towards(const CrashPlan& simple, CrashPlan plan) {
    plan.choices.resize(units_.size());
    for (bool moved = true; moved && checks_ > 0;) {
      moved = false;
      for (std::size_t i = 0; i < units_.size() && checks_ > 0; ++i) {
        if (plan.choices[i] == simple.choices[i]) continue;
        CrashPlan next = plan;
        next.choices[i] = simple.choices[i];
        if (!fails(next)) continue;
        plan = std::move(next);
        moved = true;
      }
    }
    return plan;
  }

 private:
  bool fails(const CrashPlan& plan) {
    --checks_;
    return !context_.allows(check_state(workload_, context_, plan, context_.request()).status);
  }

  Workload& workload_;
  const StateContext& context_;
  const std::vector<CrashUnit>& units_;
  std::uint32_t checks_;
};

std::size_t differences(const CrashPlan& a, const CrashPlan& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.choices.size(); ++i) count += a.choices[i] != b.choices[i] ? 1U : 0U;
  return count;
}

std::string operation_text(const Operation& operation) {
  std::string text =
      std::to_string(operation.index) + " " + std::string(operation_kind_name(operation.kind)) + " " + operation.path;
  if (operation.kind == OperationKind::kWrite || operation.kind == OperationKind::kPublish) {
    text += " " + std::to_string(operation.offset) + "+" + std::to_string(operation.bytes);
  }
  return text;
}

void append_indented(std::string& text, std::string_view lines) {
  for (std::size_t line = 0; !lines.empty(); ++line) {
    if (line == kLinesShown) {
      text += "    ... and " + std::to_string(std::count(lines.begin(), lines.end(), '\n')) + " more\n";
      return;
    }
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += "    " + std::string(lines.substr(0, end)) + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

}  // namespace

CrashPlan shrink(Workload& workload, const StateContext& context, CrashPlan plan, std::uint32_t checks) {
  // Either little is lost, or little is there: the one that is shorter to tell.
  const CrashPoint& point = context.point.state;
  Shrinking shrinking(workload, context, checks);
  const CrashPlan lost = shrinking.towards(point.all(), plan);
  const CrashPlan there = shrinking.towards(point.none(), std::move(plan));
  return differences(lost, point.all()) <= differences(there, point.none()) ? lost : there;
}

Violation describe(const StateContext& context, const CrashPlan& plan, const Status& status) {
  const RecordedPoint& point = context.point;
  const std::vector<Operation>& operations = context.recording.operations;
  const auto next = std::find_if(operations.begin(), operations.end(),
                                 [&](const Operation& operation) { return operation.index >= point.operation; });
  Violation violation{context.token(plan).text(), status.to_string(), {}};
  std::string& text = violation.reproduction;
  text += next == operations.end() ? "  crash after the last operation"
                                   : "  crash before, or in, operation " + operation_text(*next);
  text += ", profile " + std::string(profile_name(point.state.profile())) + "\n";
  if (context.depth() > 0) text += "  of the check of " + context.before.text() + "\n";
  if (context.before.fault.has_value()) {
    text += "  after the fault " + std::string(explorer_faults()[context.before.fault->kind].name) + " in operation " +
            std::to_string(context.recording.faulted.value_or(0)) + "\n";
  }
  const std::span<const std::string> promised = context.promised();
  text += "  promised: " + std::to_string(promised.size());
  for (std::size_t i = promised.size() - std::min(promised.size(), kPromisesShown); i < promised.size(); ++i) {
    text += (i + 1 == promised.size() ? " ... " : ", ") + promised[i];
  }
  text += "\n  of " + std::to_string(point.state.units().size()) + " units that were not durable:\n";
  append_indented(text, point.state.describe(plan));
  text += "  the last operations:\n";
  const auto first = next - std::min(static_cast<std::ptrdiff_t>(kOperationsShown), next - operations.begin());
  for (auto operation = first; operation != next; ++operation) text += "    " + operation_text(*operation) + "\n";
  return violation;
}

}  // namespace firn::sim
