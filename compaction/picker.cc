#include "compaction/picker.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "compaction/level_targets.h"
#include "compaction/plan_builder.h"
#include "compaction/value_picker.h"

namespace firn::compaction {

namespace {

constexpr int kLastLevel = kLevelCount - 1;

// A table is dense in tombstones when at least one entry in so many is one.
constexpr std::uint64_t kDenseEntriesPerTombstone = 2;

// L0 into the base level is put off while it would rewrite more than so many times what it brings; until then L0 tables
// that are too many are merged among themselves, which costs that many times less.
constexpr std::uint64_t kBaseBytesPerL0ByteMax = 3;

// L0 tables, in multiples of LevelLimits::l0_tables, from which they are merged among themselves while the way to the
// base level is blocked.
constexpr std::size_t kCrowdedL0 = 2;

struct Candidate {
  double score = 0;
  int level = 0;
  bool tombstones = false;  // For the sake of dense tables, not of the level's size.
};

bool dense(const TableMeta& meta) {
  return meta.tombstones > 0 && meta.tombstones * kDenseEntriesPerTombstone >= meta.entries;
}

// Whether compacting this table by itself gets rid of tombstones, or at least brings them further down.
bool worth_compacting(const FamilyShape& shape, int level, const ShapeTable& table) {
  if (table.compacting || !dense(*table.meta)) return false;
  return level < kLastLevel || table.meta->largest_sequence <= shape.oldest_snapshot;
}

double tombstone_score(const FamilyShape& shape, int level) {
  double score = 0;
  for (const ShapeTable& table : shape.levels[static_cast<std::size_t>(level)]) {
    if (!worth_compacting(shape, level, table)) continue;
    const double density = static_cast<double>(table.meta->tombstones) / static_cast<double>(table.meta->entries);
    score = std::max(score, 1 + density / 2);
  }
  return score;
}

// What is due, most urgent first.
std::vector<Candidate> candidates(const FamilyShape& shape, const LevelTargets& targets) {
  std::vector<Candidate> due;
  if (const double score = l0_score(shape); score >= 1) due.push_back({score, 0, false});
  for (int level = 1; level < kLevelCount; ++level) {
    if (const double score = level_score(shape, targets, level); score > 1) due.push_back({score, level, false});
    if (const double score = tombstone_score(shape, level); score > 0) due.push_back({score, level, true});
  }
  std::stable_sort(due.begin(), due.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  return due;
}

std::string describe(const char* format, int level, double score) {
  char text[96];
  std::snprintf(text, sizeof text, format, level, score);
  return text;
}

// Newest L0 tables that are not being compacted.
std::size_t free_l0_tables(const FamilyShape& shape) {
  std::size_t count = 0;
  while (count < shape.levels[0].size() && !shape.levels[0][count].compacting) ++count;
  return count;
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
  while (count < free_l0_tables(shape) && shape.levels[0][count].meta->file_bytes <= shape.limits.memtable_bytes) {
    ++count;
  }
  if (count < 2 || count < kCrowdedL0 * shape.limits.l0_tables) return std::nullopt;
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

std::optional<CompactionPlan> pick_l0(const FamilyShape& shape, const LevelTargets& targets, double score) {
  const std::vector<ShapeTable>& l0 = shape.levels[0];
  std::size_t seed = l0.size();
  while (seed > 0 && l0[seed - 1].compacting) --seed;
  if (seed == 0) return std::nullopt;
  std::optional<CompactionPlan> plan = plan_l0(shape, seed - 1, targets.base_level);
  if (!plan) return relieve_l0(shape);
  if (plan->inputs.size() > 1) {
    std::uint64_t l0_bytes = 0;
    for (const ShapeTable& table : l0) l0_bytes += table.compacting ? 0 : table.meta->file_bytes;
    if (l0_bytes < l0_batch_bytes(shape.limits) && plan->input_bytes > (kBaseBytesPerL0ByteMax + 1) * l0_bytes) {
      if (std::optional<CompactionPlan> gathered = gather_l0(shape)) return gathered;
    }
  }
  plan->reason = describe("L%d is at %.2f of its limit", 0, score);
  return plan;
}

// The table whose way down rewrites the least per byte moved, tombstones counting as bytes moved several times.
std::optional<CompactionPlan> pick_down(const FamilyShape& shape, const Candidate& candidate) {
  const int level = candidate.level;
  const std::vector<ShapeTable>& upper = shape.levels[static_cast<std::size_t>(level)];
  const std::vector<ShapeTable>& lower = shape.levels[static_cast<std::size_t>(level) + 1];
  std::vector<std::pair<double, std::size_t>> order;  // Cost, position.
  std::size_t below = 0;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    const TableMeta& meta = *upper[i].meta;
    while (below < lower.size() && lower[below].meta->largest_key < meta.smallest_key) ++below;
    if (upper[i].compacting || (candidate.tombstones && !worth_compacting(shape, level, upper[i]))) continue;
    std::uint64_t overlap = 0;
    for (std::size_t j = below; j < lower.size() && lower[j].meta->smallest_key <= meta.largest_key; ++j) {
      overlap += lower[j].meta->file_bytes;
    }
    const double weight =
        1 + 4 * static_cast<double>(meta.tombstones) / static_cast<double>(std::max<std::uint64_t>(meta.entries, 1));
    order.emplace_back(
        static_cast<double>(overlap) / (weight * static_cast<double>(std::max<std::uint64_t>(meta.file_bytes, 1))), i);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [cost, i] : order) {
    if (std::optional<CompactionPlan> plan = plan_down(shape, level, {i, i + 1})) return plan;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> pick_rewrite(const FamilyShape& shape) {
  const std::vector<ShapeTable>& last = shape.levels[kLastLevel];
  for (std::size_t i = 0; i < last.size(); ++i) {
    if (!worth_compacting(shape, kLastLevel, last[i])) continue;
    if (std::optional<CompactionPlan> plan = plan_rewrite(shape, kLastLevel, {i, i + 1})) return plan;
  }
  return std::nullopt;
}

std::optional<CompactionPlan> pick(const FamilyShape& shape, const LevelTargets& targets, const Candidate& candidate) {
  if (candidate.level == 0) return pick_l0(shape, targets, candidate.score);
  std::optional<CompactionPlan> plan =
      candidate.level == kLastLevel ? pick_rewrite(shape) : pick_down(shape, candidate);
  if (plan) {
    plan->reason = candidate.tombstones ? describe("L%d has a table of mostly tombstones", candidate.level, 0)
                                        : describe("L%d is at %.2f of its target", candidate.level, candidate.score);
  }
  return plan;
}

// Levels kept for something more urgent that is blocked, so that what blocks it comes to an end.
class Reservations {
 public:
  explicit Reservations(const FamilyShape& shape) : shape_(shape) {}

  // Not when a compaction out of the same level is running: that one has its turn already.
  void add(int input_level, int output_level) {
    for (const RunningCompaction& running : shape_.running) {
      if (running.input_level == input_level && running.output_level == output_level) return;
    }
    reserved_[static_cast<std::size_t>(input_level)] = true;
    reserved_[static_cast<std::size_t>(output_level)] = true;
  }
  bool allow(int input_level, int output_level) const {
    return !reserved_[static_cast<std::size_t>(input_level)] && !reserved_[static_cast<std::size_t>(output_level)];
  }

 private:
  const FamilyShape& shape_;
  std::array<bool, kLevelCount> reserved_{};
};

}  // namespace

RunningCompaction running_compaction(const CompactionPlan& plan) {
  return {plan.inputs.front().level, plan.output_level, plan.smallest_key, plan.largest_key};
}

namespace {

std::optional<CompactionPlan> collect_garbage(const FamilyShape& shape, const ValueGarbage& garbage) {
  std::optional<CompactionPlan> plan = pick_garbage(shape, garbage.emptied);
  if (plan)
    plan->reason =
        describe("L%d refers to value files; garbage there is at %.2f of its limit", plan->output_level, garbage.score);
  return plan;
}

std::optional<CompactionPlan> pick_any(const FamilyShape& shape, const ValueGarbage& garbage) {
  const LevelTargets targets = level_targets(shape);
  Reservations reservations(shape);
  bool collect = !garbage.emptied.empty();  // When its turn comes, and nothing more urgent is blocked.
  for (const Candidate& candidate : candidates(shape, targets)) {
    if (collect && garbage.score > candidate.score) {
      if (std::optional<CompactionPlan> plan = collect_garbage(shape, garbage)) return plan;
      collect = false;
    }
    const int output = candidate.level == 0 ? targets.base_level : std::min(candidate.level + 1, kLastLevel);
    if (!reservations.allow(candidate.level, output)) continue;
    if (std::optional<CompactionPlan> plan = pick(shape, targets, candidate)) return plan;
    reservations.add(candidate.level, output);
    collect = false;
  }
  return collect ? collect_garbage(shape, garbage) : std::nullopt;
}

}  // namespace

std::optional<CompactionPlan> pick_compaction(const FamilyShape& shape) {
  ValueGarbage garbage = value_garbage(shape);
  std::optional<CompactionPlan> plan = pick_any(shape, garbage);
  if (plan && !plan->trivial_move) plan->emptied_values = std::move(garbage.emptied);
  return plan;
}

}  // namespace firn::compaction
