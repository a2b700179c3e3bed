// How the tool ends: the one table of exit codes.
#pragma once

#include <cstdint>
#include <string_view>

#include "firn/status.h"

namespace firn::tools {

enum ExitCode : std::uint8_t {
  kExitDone = 0,
  kExitNo = 1,  // The key is not there; a difference was found.
  kExitUsage = 2,
  kExitDamage = 3,
  kExitIo = 4,          // I/O error, no space, no permission.
  kExitBusy = 5,        // In use by another process.
  kExitNoDatabase = 6,  // Not a database, or of a newer format.
  kExitInterrupted = 7,
};

// For --help.
inline constexpr std::string_view kExitCodesHelp =
    "Exit codes: 0 done; 1 no (key not found); 2 usage; 3 damage found; 4 I/O error, no space, no permission;\n"
    "5 busy or locked; 6 not a database, or a newer format; 7 interrupted.";

ExitCode exit_code_of(const Status& status);

// Prints "firn: <what>: <why>" to standard error; the exit code that says so.
ExitCode report(std::string_view what, const Status& status);

}  // namespace firn::tools
