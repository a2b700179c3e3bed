// A writer in a process of its own, killed in the middle of its work, and the proof that nothing it acknowledged is
// missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firn/options.h"
#include "tools/demo/file_tree.h"

namespace firn::demo {

struct Killed {
  std::uint64_t acknowledged = 0;  // Batches that the writer knew to be written when SIGKILL ended it.
  double seconds = 0;              // It had run.
};

// Starts a process that loads `rows` again, batch i into two families at once, and kills it with SIGKILL once it has
// acknowledged half of them. The database is closed before and after.
Killed load_and_kill(const std::string& database, const Options& options, const std::vector<FileRow>& rows);

struct Proof {
  std::uint64_t survived = 0;           // Batches found.
  std::uint64_t expected_checksum = 0;  // Over the acknowledged batches as they were written,
  std::uint64_t found_checksum = 0;     // and as they were read.
  bool whole = false;                   // Both halves of every batch are there, or neither.
};

// Reads the killed writer's batches back.
Proof prove(const std::string& database, const Options& options, const std::vector<FileRow>& rows, const Killed& killed,
            std::string& recovery);

}  // namespace firn::demo
