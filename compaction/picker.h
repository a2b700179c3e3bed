// Decides what to compact next. Pure functions: the shape of a family in, a plan (or none) out; nothing is read,
// nothing is remembered, so every decision can be replayed from a text file (tests/compaction/scripts).
//
// Leveled, with level targets computed from the last level upward, so that the last level holds most of the data
// whatever its size (idea: RocksDB's level_compaction_dynamic_level_bytes). L0 holds flushed tables, which may overlap;
// it is compacted to the base level, the first level in use below it. Each level below has one sorted run.
//
// Rule of order (every plan keeps it): of two versions of a key, the newer is never in a deeper level than the older,
// and within L0 never in an older table.
//
// Thread safety: pure functions over their arguments. Lifetime: a shape borrows its TableMeta.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firn/options.h"
#include "firn/slice.h"
#include "sstable/table_meta.h"

namespace firn::compaction {

struct LevelLimits {
  std::uint64_t memtable_bytes = 0;  // What one flush brings to L0.
  std::uint64_t table_bytes = 0;     // Target size of a table below L0.
  std::uint32_t level_ratio = 0;     // Size of a level over the one above it, at most.
  std::uint32_t l0_tables = 0;       // L0 tables that start a compaction.
};

// What a table of L0 counts for. Memtables that become immutable before they are full (pacing.h) make more and smaller
// tables: each is the part of one that its memtable was. A small table of any other origin is one.
double l0_weight(const TableMeta& table, std::uint64_t memtable_bytes);

struct FamilyShape;
// All tables of L0 together, or those that are not being compacted.
double l0_tables(const FamilyShape& shape, bool with_compacting);

struct ShapeTable {
  const TableMeta* meta = nullptr;
  bool compacting = false;  // Input of a running compaction.
};

// A value file that tables refer to.
struct ShapeValues {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;  // Of its records.
  bool damaged = false;     // Left alone: a compaction met damage in it.
};

// What running compactions take part in. Nothing else may write into their range of the output level, even where no
// table is yet.
struct RunningCompaction {
  int input_level = 0;  // The upper one.
  int output_level = 0;
  std::string smallest_key;  // Over all its inputs; both inclusive.
  std::string largest_key;
};

struct FamilyShape {
  std::array<std::vector<ShapeTable>, kLevelCount> levels;  // L0 newest first, the others by key.
  std::vector<ShapeValues> values;                          // By id.
  std::uint32_t value_garbage_percent = 100;                // Of the values' bytes: allowed.
  std::vector<RunningCompaction> running;
  LevelLimits limits;
  LevelCompression compression{};  // A table changes level without being rewritten only between equals.
  // Smallest sequence that a snapshot reads at; kSequenceMax: none. Tombstones up to it can be got rid of.
  Sequence oldest_snapshot = kSequenceMax;
  // Seeks have read reads_due_bytes(*this) in vain.
  bool reads_ask = false;
  // Nothing of the family is in memtables, because somebody asked for a flush: who wrote has come to an end.
  bool at_rest = false;
  // From this sequence on entries were written since it was at rest before.
  Sequence written_since = 0;
  // Of the entries above the last level, tombstones included, so many replace an older one: 0 to 1.
  double replaced_share = 0;
};

struct LevelTargets {
  int base_level = kLevelCount - 1;                // Where L0 goes.
  std::array<std::uint64_t, kLevelCount> bytes{};  // 0 for L0 and for levels above the base.
};
LevelTargets level_targets(const FamilyShape& shape);

// What would have to be rewritten to bring every level within its target, estimated. When it is not 0, a compaction is
// running or pick_compaction has a plan.
std::uint64_t compaction_debt_bytes(const FamilyShape& shape);

// Bytes of blocks that seeks have to read in vain, as long as the family has this shape, before merging tables of L0
// costs less than going on: see compaction/l0_picker.h. A seek reads one block in each run that it looks at; in vain
// are those of L0, except one where no deeper level has any.
inline constexpr std::uint64_t kReadsNeverDue = UINT64_MAX;  // There is nothing to merge.
std::uint64_t reads_due_bytes(const FamilyShape& shape);

struct PlanInputs {
  int level = 0;
  std::vector<std::uint64_t> tables;  // Ids, in the order of the shape.

  friend bool operator==(const PlanInputs&, const PlanInputs&) = default;
};

// A table of the level below the output: an output is cut here rather than overlap too many of them.
struct Boundary {
  std::string largest_key;
  std::uint64_t bytes = 0;
};

struct CompactionPlan {
  std::vector<PlanInputs> inputs;  // By level, none empty.
  int output_level = 0;
  bool for_reads = false;     // Reads ask for it: nothing else is due.
  bool trivial_move = false;  // Nothing to merge: the tables change level and are not rewritten.
  // No other table holds, nor will a running compaction write, an older version of any key within
  // [smallest_key, largest_key]: tombstones that no snapshot needs may go and sequences may be zeroed.
  bool bottommost = false;
  std::string smallest_key;  // Over all inputs; both inclusive.
  std::string largest_key;
  std::uint64_t input_bytes = 0;
  std::uint64_t input_entries = 0;
  std::uint64_t table_bytes = 0;                    // Target size of an output table.
  std::vector<std::uint64_t> emptied_values;        // Ids of value files, ascending: live values there are moved.
  std::vector<Boundary> grandparents;               // By key; empty at the last level.
  std::uint64_t grandparent_overlap_bytes_max = 0;  // Per output table.
  std::string reason;  // For the log: "L0 has 5 tables of 4", "L4 holds 1.3 of its target", ...
};

// How `plan` is listed in FamilyShape::running while it runs.
RunningCompaction running_compaction(const CompactionPlan& plan);

// The most urgent compaction that may run beside those already running; what frees space at rest, or else what reads
// ask for, when nothing is due and nothing runs; none when every level is within its target or what is over it is being
// compacted.
std::optional<CompactionPlan> pick_compaction(const FamilyShape& shape);

// A compaction of all data of a key range down to the last level, step by step.
struct RangeCompaction {
  std::string from;  // Inclusive.
  std::string to;    // Exclusive; empty: unbounded.
  // What follows is set by pick_range.
  int level = 0;                    // Being drained now.
  std::optional<Sequence> newest;   // Data written to L0 since the first step stays there.
  std::optional<std::string> done;  // Of this level, keys up to this one, inclusive, are drained.
};

struct RangeStep {
  enum class Kind : std::uint8_t {
    kPlan,     // Run `plan`, then ask again.
    kBlocked,  // By a running compaction: ask again when one has finished.
    kDone,
  };
  Kind kind = Kind::kDone;
  CompactionPlan plan;
  RangeCompaction next;  // The state to ask again with.
};
RangeStep pick_range(const FamilyShape& shape, const RangeCompaction& state);

}  // namespace firn::compaction
