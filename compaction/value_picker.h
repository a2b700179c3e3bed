// Which value files are to be emptied, so that garbage in them stays within what the family allows: the one with most
// garbage first, since emptying it moves least for what it frees (greedy cleaning; Rosenblum and Ousterhout, "The
// Design and Implementation of a Log-Structured File System", 1992).
//
// What is allowed is allowed of all files together while the family is written, and of each file at rest: emptying one
// that has less moves much for little.
//
// Garbage is what no table refers to. What a table refers to though a newer version hides it is found out by the
// compaction that meets both.
//
// Thread safety: pure functions. Lifetime: see picker.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compaction/picker.h"

namespace firn::compaction {

struct ValueGarbage {
  // Garbage over what is allowed, at rest that of the file with most; more than 1: some is to be collected.
  double score = 0;
  // Then: which files to empty, ids ascending, and the live bytes in them.
  std::vector<std::uint64_t> emptied;
  std::uint64_t live_bytes = 0;
};
ValueGarbage value_garbage(const FamilyShape& shape);

// The table that refers to most in `emptied`, rewritten where it is. None: running compactions are in the way.
std::optional<CompactionPlan> pick_garbage(const FamilyShape& shape, const std::vector<std::uint64_t>& emptied);

}  // namespace firn::compaction
