// How a violation is written down, in one word that leads there again:
//
//   WORKLOAD/SEED[/fNUMBER.KIND](/OPERATION.PROFILE.PLAN)*
//
// for example "outbox/1/212.strict.12+3-": the workload with machine seed 1, a crash at its operation 212 that left the
// plan (CrashPoint::format) of the profile; a further part is a crash of the check that came then.
//
// Thread safety: as for any value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/sim/explorer_recording.h"

namespace firn::sim {

struct CrashStep {
  std::uint64_t operation = 0;
  CrashProfile profile = CrashProfile::kProcessKill;
  std::string plan;
};

struct Token {
  std::string workload;
  std::uint64_t seed = 1;
  std::optional<InjectedFault> fault;
  std::vector<CrashStep> steps;

  std::string text() const;
  // Absent: `text` is no token.
  static std::optional<Token> parse(std::string_view text);
};

std::string_view profile_name(CrashProfile profile);
std::optional<CrashProfile> profile_of(std::string_view name);

}  // namespace firn::sim
