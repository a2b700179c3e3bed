#include "tools/firn/exit_code.h"

#include <fmt/core.h>

#include <cstdio>

namespace firn::tools {

ExitCode exit_code_of(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return kExitDone;
    case StatusCode::kNotFound: return kExitNo;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotSupported: return kExitUsage;
    case StatusCode::kCorruption: return kExitDamage;
    case StatusCode::kIo:
    case StatusCode::kNoSpace:
    case StatusCode::kOutOfMemory:
    case StatusCode::kClosed: return kExitIo;
    case StatusCode::kBusy: return kExitBusy;
    case StatusCode::kNotADatabase:
    case StatusCode::kNewerFormat: return kExitNoDatabase;
  }
  return kExitIo;
}

ExitCode report(std::string_view what, const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "firn: {}: {}\n", what, status.to_string());
  return exit_code_of(status);
}

}  // namespace firn::tools
