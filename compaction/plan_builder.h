// From "compact these tables" to a plan that keeps the rule of order: takes what must go along, refuses what would
// collide with a running compaction. Shared by the choosers in picker.cc and range_picker.cc; not for other folders.
//
// Thread safety: pure functions. Lifetime: ranges and index lists borrow from the shape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compaction/picker.h"

namespace firn::compaction {

// Inclusive on both sides. Empty until something is added.
struct KeyRange {
  Slice smallest;
  Slice largest;
  bool empty = true;

  void add(Slice from, Slice to) {
    if (empty || from < smallest) smallest = from;
    if (empty || to > largest) largest = to;
    empty = false;
  }
  void add(const TableMeta& meta) { add(meta.smallest_key, meta.largest_key); }
  bool overlaps(Slice from, Slice to) const { return !empty && from <= largest && to >= smallest; }
  bool overlaps(const TableMeta& meta) const { return overlaps(meta.smallest_key, meta.largest_key); }
};

// Positions [begin, end) in a level.
struct IndexRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool empty() const { return begin == end; }
  std::size_t count() const { return end - begin; }
};

// The tables of a sorted level (not L0) that overlap `range`.
IndexRange overlapping(const std::vector<ShapeTable>& level, const KeyRange& range);

// Of the values in value files that a table refers to.
std::uint64_t referred_bytes(const TableMeta& table);

// Sum of file bytes of [tables.begin, tables.end).
std::uint64_t bytes_of(const std::vector<ShapeTable>& level, IndexRange tables);

// Tables of `level` (1..) at `seeds` into the next level. None: a running compaction is in the way.
std::optional<CompactionPlan> plan_down(const FamilyShape& shape, int level, IndexRange seeds);

// The L0 table at `seed`, with all that must or can go along, into `base_level`. None: as above.
std::optional<CompactionPlan> plan_l0(const FamilyShape& shape, std::size_t seed, int base_level);

// The newest L0 tables [0, count) into one L0 table. Precondition: none is compacting, count >= 2.
CompactionPlan plan_within_l0(const FamilyShape& shape, std::size_t count);

// All tables above the last level, and those of the last level that they overlap, into that. None: as above.
std::optional<CompactionPlan> plan_to_last(const FamilyShape& shape);

// Tables of `level` rewritten in place, to get rid of what no snapshot needs any more, or to move values. Of L0: one
// table. None: as above.
std::optional<CompactionPlan> plan_rewrite(const FamilyShape& shape, int level, IndexRange seeds);

// CompactionPlan::reason by a printf format that takes `level`, then `score`; shortened beyond 95 bytes.
std::string describe(const char* format, int level, double score);

}  // namespace firn::compaction
