// What is sound in a log segment, also behind damage: for repair() and verify_files(), which must say all that is lost.
// Recovery itself (wal/replay.h) never goes on behind damage.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "firn/file_system.h"
#include "firn/repair.h"
#include "wal/log_format.h"

namespace firn::lsm {

struct LogSalvage {
  // Gets every record that verifies.
  std::function<void(const wal::Record&)> take;
  // Gets every part without one. `at_end`: nothing sound follows in the segment, so that a crash may have left it.
  std::function<void(const Damage&, bool at_end)> lose;
};

// Reads segment `id` of `database` (absent: of the one that its header names). A file that cannot be read is lost.
void salvage_segment(FileSystem& files, const std::string& path, std::uint64_t id,
                     const std::optional<wal::DatabaseId>& database, const LogSalvage& salvage);

}  // namespace firn::lsm
