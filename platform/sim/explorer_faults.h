// The faults that explorations inject, one a run, by the names that tokens have for them.
//
// Thread safety: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "firn/sim/fault_plan.h"
#include "firn/status.h"

namespace firn::sim {

inline constexpr std::size_t kExplorerFaultCount = 13;

struct ExplorerFault {
  std::string_view name;
  FaultRule rule;  // `nth` is the run's.

  // What comes of it may be an error about damage, but no wrong answer.
  bool lies() const { return rule.kind > FaultKind::kDroppedSync; }
  // What it did stays on the device: promises may be lost by it, if nothing can prove it.
  bool damages() const { return rule.kind > FaultKind::kStaleRead; }
};

const std::array<ExplorerFault, kExplorerFaultCount>& explorer_faults();
std::optional<std::size_t> explorer_fault_of(std::string_view name);

// An error by broken(): of the program under test, not of what it stands on.
bool is_broken(const Status& status);

}  // namespace firn::sim
