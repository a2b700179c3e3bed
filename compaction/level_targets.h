// How urgent each level is. Internal to the picker.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>

#include "compaction/picker.h"

namespace firn::compaction {

// L0 bytes that start a compaction whatever their number of tables.
inline std::uint64_t l0_batch_bytes(const LevelLimits& limits) { return limits.l0_tables * limits.memtable_bytes; }

// 1 or more: L0 is due. Counts what is not being compacted.
double l0_score(const FamilyShape& shape);

// More than 1: `level` (1..) holds more than its target. Counts what is not being compacted.
double level_score(const FamilyShape& shape, const LevelTargets& targets, int level);

}  // namespace firn::compaction
