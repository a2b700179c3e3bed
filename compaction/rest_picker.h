// What is worth doing for its own sake while nobody writes: a merge of everything above the last level into it, where
// that frees space that levels within their targets would hold for as long as nothing is written again. What it frees
// is estimated from FamilyShape::replaced_share. Who writes little pays little: what is merged again beyond a few rows
// for each that was written since the last rest waits for others, or for the levels' targets.
//
// Thread safety: pure functions. Lifetime: see picker.h.
#pragma once

#include <optional>

#include "compaction/picker.h"

namespace firn::compaction {

// None: it would free too little for what it writes, or be a job that does not end soon.
std::optional<CompactionPlan> pick_at_rest(const FamilyShape& shape);

}  // namespace firn::compaction
