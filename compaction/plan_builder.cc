#include "compaction/plan_builder.h"

#include <cstdio>
#include <utility>

namespace firn::compaction {

namespace {

// An output overlaps at most so many tables' worth of the level below, or a later compaction of it would be huge.
constexpr std::uint64_t kGrandparentTablesMax = 10;

// Inputs of the upper level are widened for free up to so many tables' worth in all.
constexpr std::uint64_t kWidenedTablesMax = 25;

bool any_compacting(const std::vector<ShapeTable>& level, IndexRange tables) {
  for (std::size_t i = tables.begin; i < tables.end; ++i) {
    if (level[i].compacting) return true;
  }
  return false;
}

void add_to(KeyRange& range, const std::vector<ShapeTable>& level, IndexRange tables) {
  if (tables.empty()) return;
  range.add(level[tables.begin].meta->smallest_key, level[tables.end - 1].meta->largest_key);
}

const std::vector<ShapeTable>& level_of(const FamilyShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)];
}

// A plan under construction: indexes per level, then ids.
class Draft {
 public:
  explicit Draft(const FamilyShape& shape) : shape_(shape) {}

  void add(int level, const std::vector<std::size_t>& indexes) {
    if (indexes.empty()) return;
    PlanInputs inputs{level, {}};
    for (const std::size_t i : indexes) {
      const TableMeta& meta = *level_of(shape_, level)[i].meta;
      inputs.tables.push_back(meta.id);
      range_.add(meta);
      plan_.input_bytes += meta.file_bytes;
      plan_.input_entries += meta.entries;
      tombstones_ += meta.tombstones;
    }
    plan_.inputs.push_back(std::move(inputs));
  }

  void add(int level, IndexRange tables) {
    std::vector<std::size_t> indexes;
    for (std::size_t i = tables.begin; i < tables.end; ++i) indexes.push_back(i);
    add(level, indexes);
  }

  // None when a running compaction writes into the same range of the same level.
  std::optional<CompactionPlan> finish(int output_level) {
    for (const RunningCompaction& running : shape_.running) {
      if (running.output_level == output_level && range_.overlaps(running.smallest_key, running.largest_key)) {
        return std::nullopt;
      }
    }
    plan_.output_level = output_level;
    plan_.smallest_key = range_.smallest;
    plan_.largest_key = range_.largest;
    plan_.table_bytes = shape_.limits.table_bytes;
    plan_.grandparent_overlap_bytes_max = kGrandparentTablesMax * shape_.limits.table_bytes;
    if (output_level > 0 && output_level + 1 < kLevelCount) add_grandparents(output_level + 1);
    plan_.bottommost = output_level > 0 && nothing_below(output_level);
    plan_.trivial_move = can_move(output_level);
    return std::move(plan_);
  }

 private:
  void add_grandparents(int level) {
    const std::vector<ShapeTable>& tables = level_of(shape_, level);
    const IndexRange overlap = overlapping(tables, range_);
    for (std::size_t i = overlap.begin; i < overlap.end; ++i) {
      plan_.grandparents.push_back({tables[i].meta->largest_key, tables[i].meta->file_bytes});
    }
  }

  // No table below `level` overlaps, nor will one that is being written. (Whatever overlaps in `level`, between it and
  // the upper inputs, or in L0 below them in age is among the inputs: plan_down, plan_l0.)
  bool nothing_below(int level) const {
    for (int below = level + 1; below < kLevelCount; ++below) {
      if (!overlapping(level_of(shape_, below), range_).empty()) return false;
    }
    for (const RunningCompaction& running : shape_.running) {
      if (running.output_level > level && range_.overlaps(running.smallest_key, running.largest_key)) return false;
    }
    return true;
  }

  // One table, or tables of one sorted level, that nothing in the output level overlaps. Tombstones that can be dropped
  // are dropped rather than moved.
  bool can_move(int output_level) const {
    if (plan_.inputs.size() != 1) return false;
    const PlanInputs& inputs = plan_.inputs.front();
    if (inputs.level == output_level || (inputs.level == 0 && inputs.tables.size() > 1)) return false;
    if (plan_.bottommost && tombstones_ > 0) return false;
    const auto& compression = shape_.compression;
    if (compression[static_cast<std::size_t>(inputs.level)] != compression[static_cast<std::size_t>(output_level)]) {
      return false;
    }
    std::uint64_t overlap_bytes = 0;
    for (const Boundary& boundary : plan_.grandparents) overlap_bytes += boundary.bytes;
    return overlap_bytes <= plan_.grandparent_overlap_bytes_max;
  }

  const FamilyShape& shape_;
  CompactionPlan plan_;
  KeyRange range_;
  std::uint64_t tombstones_ = 0;
};

// L0 tables that go with the one at `seed`, by position, newest first: every older one that overlaps (it must not stay
// above a newer version), and newer ones as far as they overlap, since the base level is rewritten anyway. Empty when
// it or an older one is being compacted.
std::vector<std::size_t> l0_closure(const std::vector<ShapeTable>& l0, std::size_t seed) {
  if (l0[seed].compacting) return {};
  std::vector<bool> taken(l0.size());
  taken[seed] = true;
  std::size_t newest = seed;
  KeyRange range;
  range.add(*l0[seed].meta);
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t i = l0.size(); i-- > 0;) {  // Oldest first.
      if (taken[i] || !range.overlaps(*l0[i].meta)) continue;
      if (l0[i].compacting) {
        if (newest < i) return {};  // It is older than one we have.
        break;                      // Nothing newer that might overlap it.
      }
      taken[i] = true;
      newest = std::min(newest, i);
      range.add(*l0[i].meta);
      grown = true;
    }
  }
  std::vector<std::size_t> closure;
  for (std::size_t i = 0; i < l0.size(); ++i) {
    if (taken[i]) closure.push_back(i);
  }
  return closure;
}

}  // namespace

IndexRange overlapping(const std::vector<ShapeTable>& level, const KeyRange& range) {
  if (range.empty) return {};
  const auto begin = std::partition_point(level.begin(), level.end(), [&](const ShapeTable& table) {
    return Slice(table.meta->largest_key) < range.smallest;
  });
  const auto end = std::partition_point(
      begin, level.end(), [&](const ShapeTable& table) { return Slice(table.meta->smallest_key) <= range.largest; });
  return {static_cast<std::size_t>(begin - level.begin()), static_cast<std::size_t>(end - level.begin())};
}

std::uint64_t referred_bytes(const TableMeta& table) {
  std::uint64_t bytes = 0;
  for (const ValueUse& use : table.values) bytes += use.bytes;
  return bytes;
}

std::uint64_t bytes_of(const std::vector<ShapeTable>& level, IndexRange tables) {
  std::uint64_t bytes = 0;
  for (std::size_t i = tables.begin; i < tables.end; ++i) bytes += level[i].meta->file_bytes;
  return bytes;
}

std::optional<CompactionPlan> plan_down(const FamilyShape& shape, int level, IndexRange seeds) {
  const std::vector<ShapeTable>& upper = level_of(shape, level);
  const std::vector<ShapeTable>& lower = level_of(shape, level + 1);
  KeyRange range;
  add_to(range, upper, seeds);
  const IndexRange below = overlapping(lower, range);
  if (any_compacting(upper, seeds) || any_compacting(lower, below)) return std::nullopt;
  // Upper tables within the lower ones' range come for free, unless they bring in more lower ones.
  add_to(range, lower, below);
  const IndexRange widened = overlapping(upper, range);
  add_to(range, upper, widened);
  if (!below.empty() && widened.count() > seeds.count() && !any_compacting(upper, widened) &&
      overlapping(lower, range).count() == below.count() &&
      bytes_of(upper, widened) + bytes_of(lower, below) <= kWidenedTablesMax * shape.limits.table_bytes) {
    seeds = widened;
  }
  Draft draft(shape);
  draft.add(level, seeds);
  draft.add(level + 1, below);
  return draft.finish(level + 1);
}

std::optional<CompactionPlan> plan_l0(const FamilyShape& shape, std::size_t seed, int base_level) {
  const std::vector<ShapeTable>& l0 = shape.levels[0];
  const std::vector<ShapeTable>& base = level_of(shape, base_level);
  const std::vector<std::size_t> tables = l0_closure(l0, seed);
  if (tables.empty()) return std::nullopt;
  KeyRange range;
  for (const std::size_t i : tables) range.add(*l0[i].meta);
  const IndexRange below = overlapping(base, range);
  if (any_compacting(base, below)) return std::nullopt;
  Draft draft(shape);
  draft.add(0, tables);
  draft.add(base_level, below);
  return draft.finish(base_level);
}

CompactionPlan plan_within_l0(const FamilyShape& shape, std::size_t count) {
  Draft draft(shape);
  draft.add(0, IndexRange{0, count});
  CompactionPlan plan = *draft.finish(0);  // L0 is no target of other compactions' ranges.
  plan.table_bytes = 0;
  return plan;
}

std::optional<CompactionPlan> plan_to_last(const FamilyShape& shape) {
  const int last = kLevelCount - 1;
  Draft draft(shape);
  KeyRange range;
  for (int level = 0; level < last; ++level) {
    const std::vector<ShapeTable>& tables = level_of(shape, level);
    if (any_compacting(tables, {0, tables.size()})) return std::nullopt;
    for (const ShapeTable& table : tables) range.add(*table.meta);
    draft.add(level, IndexRange{0, tables.size()});
  }
  if (range.empty) return std::nullopt;
  const IndexRange below = overlapping(level_of(shape, last), range);
  if (any_compacting(level_of(shape, last), below)) return std::nullopt;
  draft.add(last, below);
  return draft.finish(last);
}

std::optional<CompactionPlan> plan_rewrite(const FamilyShape& shape, int level, IndexRange seeds) {
  if (any_compacting(level_of(shape, level), seeds)) return std::nullopt;
  Draft draft(shape);
  draft.add(level, seeds);
  std::optional<CompactionPlan> plan = draft.finish(level);
  if (plan && level == 0) plan->table_bytes = 0;
  return plan;
}

std::string describe(const char* format, int level, double score) {
  char text[96];
  std::snprintf(text, sizeof text, format, level, score);
  return text;
}

}  // namespace firn::compaction
