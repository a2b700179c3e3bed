// The ways in which a file operation goes wrong, each as the rule of a sim::FaultPlan.
#pragma once

#include <cerrno>
#include <string>
#include <vector>

#include "firn/sim/fault_plan.h"

namespace firn::testing {

struct FaultCase {
  std::string name;
  sim::FaultRule rule;

  // Every operation from the first on, not it alone.
  bool sticky() const { return rule.count > 1; }
};

inline std::vector<FaultCase> fault_cases() {
  using enum sim::FaultKind;
  using enum sim::OperationKind;
  constexpr std::uint64_t kForEver = sim::FaultRule::kForEver;
  const std::vector<sim::OperationKind> takers{kWrite,    kPublish, kCreate, kCreateDirectory,
                                               kAllocate, kRename,  kSync,   kSyncDirectory};
  const std::vector<sim::OperationKind> openers{kOpen, kCreate, kLock, kList, kSyncDirectory};
  const std::vector<sim::OperationKind> transfers{kRead, kWrite, kPublish};
  const std::vector<sim::OperationKind> writes{kWrite, kPublish};
  const std::vector<sim::OperationKind> syncs{kSync, kSyncDirectory};
  // A transfer that is interrupted for ever is no fault: it hangs in every program.
  return {
      {"EIO", {.kind = kError}},
      {"EIO from then on", {.kind = kError, .count = kForEver}},
      {"ENOSPC", {.error = ENOSPC, .operations = takers}},
      {"ENOSPC from then on", {.error = ENOSPC, .operations = takers, .count = kForEver}},
      {"EMFILE", {.error = EMFILE, .operations = openers}},
      {"EMFILE from then on", {.error = EMFILE, .operations = openers, .count = kForEver}},
      {"EINTR", {.error = EINTR, .operations = transfers}},
      {"short transfer", {.kind = kShort}},
      {"short transfers from then on", {.kind = kShort, .count = kForEver}},
      {"EIO within a write", {.kind = kTorn, .operations = writes}},
      {"EIO within every write from then on", {.kind = kTorn, .operations = writes, .count = kForEver}},
      {"ENOSPC within a write", {.kind = kTorn, .error = ENOSPC, .operations = writes}},
      {"failed sync", {.operations = syncs}},
      {"failed syncs from then on", {.operations = syncs, .count = kForEver}},
      {"sync that drops its pages", {.kind = kDroppedSync}},
      {"flipped bit in a read", {.kind = kFlippedRead}},
  };
}

}  // namespace firn::testing
