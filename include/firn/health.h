// How a database is: whether something went wrong that outlived the call that met it, and what that means for callers.
#pragma once

#include <cstdint>
#include <string_view>

#include "firn/export.h"
#include "firn/status.h"

namespace firn {

enum class ErrorLevel : std::uint8_t {
  kNone = 0,
  // Work in the background failed and is tried again, or a damaged table is left alone. Reads and writes go on.
  kSoft = 1,
  // Writes are refused with this error; reads go on. Where space is missing it ends by itself when there is some (until
  // then deletions are still taken); a failed log ends it with DB::resume().
  kHard = 2,
};

// The level's name, such as "soft". Never null.
FIRN_EXPORT std::string_view error_level_name(ErrorLevel level);

struct Health {
  ErrorLevel level = ErrorLevel::kNone;
  Status status;  // Ok exactly at kNone.

  bool ok() const noexcept { return status.ok(); }
  operator Status() const { return status; }  // NOLINT(google-explicit-constructor)
};

}  // namespace firn
