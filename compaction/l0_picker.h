// What to do with the tables of L0: down to the base level, or merged among themselves; because there are too many, or
// because reads ask for it.
//
// Reads ask (ideas: LevelDB's seek compaction, Pebble's read-triggered one) where tables of L0 overlap: a seek reads a
// block of each run, of which one would do if the runs were one. When seeks have read so many blocks in vain, as long
// as the tables were as they are now, that merging these would have read and written less, they are merged (the rule
// for rent or purchase: never more than twice what the best plan in hindsight costs). A flush or compaction changes the
// shape and begins the account anew, so that a database that is written to more than it is read pays nothing.
//
// Thread safety: pure functions. Lifetime: see picker.h.
#pragma once

#include <cstdint>
#include <optional>

#include "compaction/picker.h"

namespace firn::compaction {

// L0 is due, with this score. None: what is running is in the way.
std::optional<CompactionPlan> pick_l0(const FamilyShape& shape, const LevelTargets& targets, double score);

// As if reads asked for it: what costs least per run less. None: L0 is no run too many, or what is running, or a
// damaged table, is in the way.
std::optional<CompactionPlan> pick_for_reads(const FamilyShape& shape, const LevelTargets& targets);

}  // namespace firn::compaction
