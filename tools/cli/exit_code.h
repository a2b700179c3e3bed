// Exit codes of `firn`: the one table.
#pragma once

#include "firn/status.h"

namespace firn::tools {

enum class ExitCode : int {
  kDone = 0,
  kNo = 1,            // The answer is no: key not found, difference found.
  kUsage = 2,         // The command line, or a line of input, is wrong.
  kDamage = 3,        // Bytes on disk are not what was written.
  kIo = 4,            // I/O error, no space, no permission, no memory.
  kBusy = 5,          // Open elsewhere.
  kNotADatabase = 6,  // Or one of a newer format.
  kInterrupted = 7,   // By SIGINT or SIGTERM, after a clean end.
};

// For `firn --help`.
inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done; 1 no (key not found); 2 usage; 3 damage found; 4 I/O error, no space, no permission;\n"
    "5 busy or locked; 6 not a database, or a newer format; 7 interrupted.";

constexpr ExitCode exit_code_of(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return ExitCode::kDone;
    case StatusCode::kNotFound: return ExitCode::kNo;
    case StatusCode::kInvalidArgument: return ExitCode::kUsage;
    case StatusCode::kCorruption: return ExitCode::kDamage;
    case StatusCode::kBusy: return ExitCode::kBusy;
    case StatusCode::kNotADatabase:
    case StatusCode::kNewerFormat: return ExitCode::kNotADatabase;
    case StatusCode::kIo:
    case StatusCode::kNoSpace:
    case StatusCode::kNotSupported:
    case StatusCode::kClosed:
    case StatusCode::kOutOfMemory: break;
  }
  return ExitCode::kIo;
}

}  // namespace firn::tools
