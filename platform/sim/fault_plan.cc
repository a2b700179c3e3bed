// Tested in tests/sim/fault_plan_test.cc.
#include "firn/sim/fault_plan.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "platform/random.h"

namespace firn::sim {

namespace {

bool is_write(OperationKind kind) { return kind == OperationKind::kWrite || kind == OperationKind::kPublish; }
bool is_sync(OperationKind kind) { return kind == OperationKind::kSync || kind == OperationKind::kSyncDirectory; }

bool can_befall(FaultKind fault, OperationKind operation) {
  switch (fault) {
    case FaultKind::kError:
    case FaultKind::kDelay: return true;
    case FaultKind::kTorn:
    case FaultKind::kShort: return is_write(operation) || operation == OperationKind::kRead;
    case FaultKind::kDroppedSync: return is_sync(operation);
    case FaultKind::kFlippedRead:
    case FaultKind::kStaleRead: return operation == OperationKind::kRead;
    case FaultKind::kFlippedWrite:
    case FaultKind::kLostWrite:
    case FaultKind::kMisdirectedWrite: return is_write(operation);
  }
  return false;
}

// '*' greedily, as always with one kind of wildcard: the last one takes as much as the rest needs.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Fault make_fault(const FaultRule& rule, const Operation& operation, std::uint64_t draw) {
  Fault fault(rule.error);
  fault.kind = rule.kind;
  fault.draw = draw;
  fault.delay_ns = rule.delay_ns;
  if (rule.kind == FaultKind::kTorn) fault.bytes_done = static_cast<std::size_t>(operation.bytes / 2);
  // Not nothing: that would be an end of the file.
  if (rule.kind == FaultKind::kShort) fault = Fault(0, static_cast<std::size_t>((operation.bytes + 1) / 2));
  return fault;
}

}  // namespace

bool FaultRule::matches(const Operation& operation) const {
  const bool listed = operations.empty()
                          ? can_befall(kind, operation.kind)
                          : std::find(operations.begin(), operations.end(), operation.kind) != operations.end();
  return listed && (path == "*" || matches_pattern(path, operation.path));
}

struct FaultPlan::State {
  State(std::vector<FaultRule> list, std::uint64_t seed) : rules(std::move(list)), random(seed), seen(rules.size()) {}

  bool wants(std::size_t rule) {
    const FaultRule& of = rules[rule];
    const std::uint64_t number = seen[rule]++;
    if (number < of.nth) return false;
    return of.one_in > 0 ? random.next() % of.one_in == 0 : number - of.nth < of.count;
  }

  const std::vector<FaultRule> rules;
  std::mutex mutex;  // A plain one: not held over any wait. Guards the rest.
  SplitMix64 random;
  std::vector<std::uint64_t> seen;  // Of each rule: operations that it is about.
  std::vector<Injection> injections;
  bool enabled = true;
};

FaultPlan::FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed)
    : state_(std::make_unique<State>(std::move(rules), seed)) {}
FaultPlan::~FaultPlan() = default;

std::optional<Fault> FaultPlan::consult(const Operation& operation) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::optional<Fault> fault;
  for (std::size_t rule = 0; rule < state_->rules.size() && state_->enabled; ++rule) {
    if (!state_->rules[rule].matches(operation) || !state_->wants(rule) || fault.has_value()) continue;
    fault = make_fault(state_->rules[rule], operation, state_->random.next());
    state_->injections.push_back({rule, operation});
  }
  return fault;
}

void FaultPlan::enable(bool on) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->enabled = on;
}

std::vector<Injection> FaultPlan::injections() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->injections;
}

bool FaultPlan::injected() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return !state_->injections.empty();
}

}  // namespace firn::sim
