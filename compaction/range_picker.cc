#include <utility>

#include "compaction/level_targets.h"
#include "compaction/picker.h"
#include "compaction/plan_builder.h"
#include "compaction/value_picker.h"

namespace firn::compaction {

namespace {

constexpr int kLastLevel = kLevelCount - 1;

// One step takes about so many tables' worth from the upper level.
constexpr std::uint64_t kStepTables = 4;

bool starts_within(const RangeCompaction& state, Slice key) { return state.to.empty() || key < Slice(state.to); }

bool reaches_into(const RangeCompaction& state, Slice largest) {
  return largest >= Slice(state.from) && (!state.done || largest > Slice(*state.done));
}

RangeStep step_of(const FamilyShape& shape, std::optional<CompactionPlan> plan, const RangeCompaction& now,
                  RangeCompaction next) {
  if (!plan) return {RangeStep::Kind::kBlocked, {}, now};
  plan->reason = "asked for";
  if (!plan->trivial_move) plan->emptied_values = value_garbage(shape).emptied;
  return {RangeStep::Kind::kPlan, std::move(*plan), std::move(next)};
}

// The oldest L0 table within the range and all that goes with it.
std::optional<RangeStep> step_l0(const FamilyShape& shape, const RangeCompaction& state) {
  const std::vector<ShapeTable>& l0 = shape.levels[0];
  for (std::size_t i = l0.size(); i-- > 0;) {
    const TableMeta& meta = *l0[i].meta;
    if (meta.smallest_sequence > *state.newest || !starts_within(state, meta.smallest_key) ||
        !reaches_into(state, meta.largest_key)) {
      continue;
    }
    return step_of(shape, plan_l0(shape, i, level_targets(shape).base_level), state, state);
  }
  return std::nullopt;
}

// The next tables of a sorted level from the left; none when the level is drained.
std::optional<RangeStep> step_down(const FamilyShape& shape, const RangeCompaction& state) {
  const std::vector<ShapeTable>& level = shape.levels[static_cast<std::size_t>(state.level)];
  // In the last level, only tables that have something to lose.
  const auto wanted = [&](const ShapeTable& table) {
    return state.level < kLastLevel ||
           (table.meta->largest_sequence > 0 && table.meta->smallest_sequence <= shape.oldest_snapshot);
  };
  std::size_t begin = 0;
  while (begin < level.size() && !(reaches_into(state, level[begin].meta->largest_key) && wanted(level[begin])))
    ++begin;
  std::size_t end = begin;
  std::uint64_t bytes = 0;
  while (end < level.size() && starts_within(state, level[end].meta->smallest_key) && wanted(level[end]) &&
         bytes < kStepTables * shape.limits.table_bytes) {
    bytes += level[end].meta->file_bytes;
    ++end;
  }
  if (begin == end) return std::nullopt;
  RangeCompaction next = state;
  next.done = level[end - 1].meta->largest_key;
  std::optional<CompactionPlan> plan = state.level < kLastLevel ? plan_down(shape, state.level, {begin, end})
                                                                : plan_rewrite(shape, kLastLevel, {begin, end});
  return step_of(shape, std::move(plan), state, std::move(next));
}

}  // namespace

RangeStep pick_range(const FamilyShape& shape, const RangeCompaction& state) {
  RangeCompaction at = state;
  if (!at.newest) at.newest = shape.levels[0].empty() ? 0 : shape.levels[0].front().meta->largest_sequence;
  for (; at.level < kLevelCount; ++at.level, at.done.reset()) {
    std::optional<RangeStep> step = at.level == 0 ? step_l0(shape, at) : step_down(shape, at);
    if (step) return std::move(*step);
  }
  return {RangeStep::Kind::kDone, {}, std::move(at)};
}

}  // namespace firn::compaction
