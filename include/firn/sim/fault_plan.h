// What goes wrong with the files of a simulated machine, as a list of rules:
//
//   sim::FaultPlan plan({{.kind = sim::FaultKind::kError, .path = "*.log", .operations = {sim::OperationKind::kSync}},
//                        {.kind = sim::FaultKind::kFlippedRead, .path = "*.table", .one_in = 100}},
//                       seed);
//   machine.files().set_fault_hook(plan.hook());
//
// What a program owes its user then: after an error or a short transfer the right answer or an error, and nothing that
// was acknowledged is lost; where the device lies (the kinds from kFlippedRead on) the right answer or an error, never
// a wrong one. See docs/operations.md for what Firn does.
//
// Thread safety: any thread. Lifetime: the plan outlives the hook's use.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firn/export.h"
#include "firn/sim/file_system.h"

namespace firn::sim {

struct FaultRule {
  static constexpr std::uint64_t kForEver = UINT64_MAX;

  FaultKind kind = FaultKind::kError;
  int error = EIO;                             // An errno value: of kError, kTorn and kDroppedSync.
  std::string path = "*";                      // Whose files; '*' stands for any characters, '/' too.
  std::vector<OperationKind> operations = {};  // Empty: all that the kind can befall.
  std::uint64_t nth = 0;                       // Of these the first that it befalls, from 0,
  std::uint64_t count = 1;                     // and how many from there on.
  std::uint32_t one_in = 0;                    // Not 0: from the nth on each by this chance, for ever.
  std::uint64_t delay_ns = 0;                  // Of kDelay.

  // Whether it is about `operation`, whenever that comes.
  FIRN_EXPORT bool matches(const Operation& operation) const;
};

// What a plan did.
struct Injection {
  std::size_t rule = 0;  // In the plan's list.
  Operation operation;
};

class FIRN_EXPORT FaultPlan {
 public:
  // The first rule that wants an operation gets it; each counts all that match it. Where bits flip and writes go, and
  // who is hit by chance, follows from `seed`.
  explicit FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed = 0);
  ~FaultPlan();
  FaultPlan(const FaultPlan&) = delete;
  FaultPlan& operator=(const FaultPlan&) = delete;

  std::optional<Fault> consult(const Operation& operation);
  FaultHook hook() {
    return [this](const Operation& operation) { return consult(operation); };
  }
  // While off nothing happens and nothing is counted. Initially on.
  void enable(bool on);
  // Every fault so far, oldest first.
  std::vector<Injection> injections() const;
  bool injected() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace firn::sim
