#include "compaction/picker.h"

#include <algorithm>
#include <utility>

#include "compaction/l0_picker.h"
#include "compaction/level_targets.h"
#include "compaction/plan_builder.h"
#include "compaction/rest_picker.h"
#include "compaction/value_picker.h"

namespace firn::compaction {

namespace {

constexpr int kLastLevel = kLevelCount - 1;

// A table is dense in tombstones when at least one entry in so many is one.
constexpr std::uint64_t kDenseEntriesPerTombstone = 2;

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
  const std::vector<Candidate> due = candidates(shape, targets);
  if (due.empty() && shape.running.empty()) {
    // Garbage is collected after it: values that this finds replaced need not be moved.
    std::optional<CompactionPlan> plan = shape.at_rest ? pick_at_rest(shape) : std::nullopt;
    if (!plan && !collect && shape.reads_ask) plan = pick_for_reads(shape, targets);
    if (plan) return plan;
  }
  for (const Candidate& candidate : due) {
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
