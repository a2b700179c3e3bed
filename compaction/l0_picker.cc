#include "compaction/l0_picker.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "compaction/level_targets.h"
#include "compaction/plan_builder.h"

namespace firn::compaction {

namespace {

// L0 into the base level is put off while it would rewrite more than so many times what it brings; until then L0 tables
// that are too many are merged among themselves, which costs that many times less.
constexpr std::uint64_t kBaseBytesPerL0ByteMax = 3;

// L0 tables, in multiples of LevelLimits::l0_tables, from which they are merged among themselves while the way to the
// base level is blocked.
constexpr double kCrowdedL0 = 2;

// Newest L0 tables that are not being compacted.
std::size_t free_l0_tables(const FamilyShape& shape) {
  std::size_t count = 0;
  while (count < shape.levels[0].size() && !shape.levels[0][count].compacting) ++count;
  return count;
}

std::optional<std::size_t> oldest_free_l0(const FamilyShape& shape) {
  for (std::size_t i = shape.levels[0].size(); i-- > 0;) {
    if (!shape.levels[0][i].compacting) return i;
  }
  return std::nullopt;
}

std::uint64_t free_l0_bytes(const FamilyShape& shape) {
  std::uint64_t bytes = 0;
  for (const ShapeTable& table : shape.levels[0]) bytes += table.compacting ? 0 : table.meta->file_bytes;
  return bytes;
}

// With the values that these tables, it seems, replace: only a merge with those below finds out that they are garbage.
std::uint64_t free_l0_gain(const FamilyShape& shape) {
  std::uint64_t bytes = 0;
  for (const ShapeTable& table : shape.levels[0]) bytes += table.compacting ? 0 : referred_bytes(*table.meta);
  return free_l0_bytes(shape) + static_cast<std::uint64_t>(shape.replaced_share * static_cast<double>(bytes));
}

bool l0_merge_running(const FamilyShape& shape) {
  return std::any_of(shape.running.begin(), shape.running.end(),
                     [](const RunningCompaction& running) { return running.output_level == 0; });
}

// While L0 -> base is blocked and tables crowd in L0. Only tables as flush made them are merged, so no byte is merged
// twice; one such merge runs at a time, over the newest tables; and L0 -> base takes the older ones as soon as it can,
// merge or no merge. So it is never starved by them.
std::optional<CompactionPlan> relieve_l0(const FamilyShape& shape) {
  if (l0_merge_running(shape)) return std::nullopt;
  std::size_t count = 0;
  double weight = 0;
  while (count < free_l0_tables(shape) && shape.levels[0][count].meta->file_bytes <= shape.limits.memtable_bytes) {
    weight += l0_weight(*shape.levels[0][count].meta, shape.limits.memtable_bytes);
    ++count;
  }
  if (count < 2 || weight < kCrowdedL0 * shape.limits.l0_tables) return std::nullopt;
  CompactionPlan plan = plan_within_l0(shape, count);
  plan.reason = "L0 is blocked and crowded by " + std::to_string(count) + " tables";
  return plan;
}

// L0 has many small tables above a base level of many times their size: so many of the newest that each table less
// costs least. (Merges of tables that are all alike grow into those of Mathieu, Staelin, Young and Yousefi, "Bigtable
// merge compaction", 2014.)
std::optional<CompactionPlan> gather_l0(const FamilyShape& shape) {
  if (l0_merge_running(shape)) return std::nullopt;
  const std::size_t available = free_l0_tables(shape);
  std::uint64_t bytes = 0;
  std::size_t best = 0;
  double best_cost = 0;
  for (std::size_t count = 1; count <= available; ++count) {
    bytes += shape.levels[0][count - 1].meta->file_bytes;
    if (count < 2) continue;
    const double cost = static_cast<double>(bytes) / static_cast<double>(count - 1);
    if (best == 0 || cost <= best_cost) {
      best = count;
      best_cost = cost;
    }
  }
  if (best == 0) return std::nullopt;
  CompactionPlan plan = plan_within_l0(shape, best);
  plan.reason = "L0 has " + std::to_string(available) + " small tables";
  return plan;
}

// How many of the L0 tables that `taken` accepts a seek looks at, at most: so many overlap in one key.
template <class Taken>
std::size_t depth_of_l0(const FamilyShape& shape, Taken taken) {
  std::size_t depth = 0;
  for (const ShapeTable& at : shape.levels[0]) {
    std::size_t overlapping = 0;
    for (const ShapeTable& table : shape.levels[0]) {
      overlapping += taken(table) && table.meta->smallest_key <= at.meta->smallest_key &&
                             at.meta->smallest_key <= table.meta->largest_key
                         ? 1
                         : 0;
    }
    depth = std::max(depth, overlapping);
  }
  return depth;
}

// How many runs less a seek has to look at after `plan`, at most.
std::size_t runs_saved(const FamilyShape& shape, const CompactionPlan& plan) {
  const std::vector<std::uint64_t>& tables = plan.inputs.front().tables;
  const std::size_t depth = depth_of_l0(shape, [&tables](const ShapeTable& table) {
    return std::find(tables.begin(), tables.end(), table.meta->id) != tables.end();
  });
  return plan.inputs.size() > 1 ? depth : depth - 1;
}

// Runs that a seek looks at beyond one because of L0, at most.
std::size_t runs_extra(const FamilyShape& shape) {
  const bool deeper = std::any_of(shape.levels.begin() + 1, shape.levels.end(),
                                  [](const std::vector<ShapeTable>& level) { return !level.empty(); });
  const std::size_t depth = depth_of_l0(shape, [](const ShapeTable&) { return true; });
  return deeper ? depth : depth - 1;
}

// What each run less costs to get: inputs are read and written.
double cost_per_run(const FamilyShape& shape, const CompactionPlan& plan) {
  const std::size_t saved = runs_saved(shape, plan);
  if (saved == 0) return std::numeric_limits<double>::infinity();
  return 2 * static_cast<double>(plan.input_bytes) / static_cast<double>(saved);
}

}  // namespace

std::optional<CompactionPlan> pick_l0(const FamilyShape& shape, const LevelTargets& targets, double score) {
  const std::optional<std::size_t> seed = oldest_free_l0(shape);
  if (!seed) return std::nullopt;
  std::optional<CompactionPlan> plan = plan_l0(shape, *seed, targets.base_level);
  if (!plan) return relieve_l0(shape);
  if (plan->inputs.size() > 1) {
    const std::uint64_t l0_bytes = free_l0_bytes(shape);
    const std::uint64_t base_bytes = plan->input_bytes - std::min(plan->input_bytes, l0_bytes);
    if (l0_bytes < l0_batch_bytes(shape.limits) && base_bytes > kBaseBytesPerL0ByteMax * free_l0_gain(shape)) {
      if (std::optional<CompactionPlan> gathered = gather_l0(shape)) return gathered;
    }
  }
  plan->reason = describe("L%d is at %.2f of its limit", 0, score);
  return plan;
}

std::optional<CompactionPlan> pick_for_reads(const FamilyShape& shape, const LevelTargets& targets) {
  const std::optional<std::size_t> seed = oldest_free_l0(shape);
  if (!seed) return std::nullopt;
  std::optional<CompactionPlan> best = plan_l0(shape, *seed, targets.base_level);
  if (best && best->input_bytes > (kBaseBytesPerL0ByteMax + 1) * free_l0_bytes(shape)) best.reset();
  std::optional<CompactionPlan> gathered = gather_l0(shape);
  if (gathered && (!best || cost_per_run(shape, *gathered) < cost_per_run(shape, *best))) best = std::move(gathered);
  const std::size_t saved = best ? runs_saved(shape, *best) : 0;
  if (saved == 0) return std::nullopt;
  best->for_reads = true;
  best->reason = "reads ask for " + std::to_string(saved) + " runs less";
  return best;
}

std::uint64_t reads_due_bytes(const FamilyShape& shape) {
  const std::optional<CompactionPlan> plan = pick_for_reads(shape, level_targets(shape));
  if (!plan) return kReadsNeverDue;
  return static_cast<std::uint64_t>(cost_per_run(shape, *plan) * static_cast<double>(runs_extra(shape)));
}

}  // namespace firn::compaction
