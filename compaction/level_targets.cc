#include "compaction/level_targets.h"

#include <algorithm>
#include <cmath>

#include "codec/entry.h"
#include "compaction/value_picker.h"

namespace firn::compaction {

namespace {

constexpr int kLastLevel = kLevelCount - 1;

std::uint64_t level_bytes(const FamilyShape& shape, int level, bool with_compacting) {
  std::uint64_t bytes = 0;
  for (const ShapeTable& table : shape.levels[static_cast<std::size_t>(level)]) {
    if (with_compacting || !table.compacting) bytes += table.meta->file_bytes;
  }
  return bytes;
}

// The uppermost level below L0 that holds tables or will; kLevelCount when there is none.
int first_used_level(const FamilyShape& shape) {
  int level = 1;
  while (level < kLevelCount && shape.levels[static_cast<std::size_t>(level)].empty()) ++level;
  for (const RunningCompaction& running : shape.running) {
    if (running.output_level > 0) level = std::min(level, running.output_level);
  }
  return level;
}

// Whether `levels` levels, the first of `batch` bytes and each at most `ratio` times the one above, hold `bytes`.
bool levels_hold(int levels, double ratio, double batch, double bytes) {
  return batch * std::pow(ratio, levels - 1) >= bytes;
}

}  // namespace

LevelTargets level_targets(const FamilyShape& shape) {
  std::uint64_t largest = 0;
  for (int level = 1; level < kLevelCount; ++level) largest = std::max(largest, level_bytes(shape, level, true));
  const auto bytes = static_cast<double>(largest);
  const auto batch = static_cast<double>(std::max<std::uint64_t>(l0_batch_bytes(shape.limits), 1));
  const auto ratio = static_cast<double>(std::max(shape.limits.level_ratio, 2U));
  int levels = 1;
  while (levels < kLastLevel && !levels_hold(levels, ratio, batch, bytes)) ++levels;
  // A level that is in use stays until there is clearly one too many, or it would come and go with every compaction.
  const int first_used = first_used_level(shape);
  const int used = kLevelCount - first_used;
  if (used == levels + 1 && !levels_hold(levels, ratio, batch / 2, bytes)) levels = used;

  LevelTargets targets;
  const int base = kLevelCount - levels;
  // The base level holds about what L0 brings at a time, and sizes grow by the same factor from there to the last.
  const double step = levels == 1 ? 1 : std::max(1.0, std::pow(bytes / batch, 1.0 / (levels - 1)));
  double target = bytes;
  for (int level = kLastLevel; level >= base; --level) {
    targets.bytes[static_cast<std::size_t>(level)] = static_cast<std::uint64_t>(target);
    target /= step;
  }
  targets.base_level = std::min(base, first_used);
  return targets;
}

double l0_weight(const TableMeta& table, std::uint64_t memtable_bytes) {
  constexpr double kFull = 0.9;        // The estimate of a full memtable is not exact,
  constexpr double kEndedEarly = 0.4;  // nor is that of half of one, which is the least.
  const std::uint64_t bytes = table.key_bytes + table.value_bytes + kMemtableEntryBytes * table.entries;
  const double part = static_cast<double>(bytes) / (kFull * static_cast<double>(memtable_bytes));
  return part >= kEndedEarly ? std::min(part, 1.0) : 1.0;
}

double l0_tables(const FamilyShape& shape, bool with_compacting) {
  double tables = 0;
  for (const ShapeTable& table : shape.levels[0]) {
    if (with_compacting || !table.compacting) tables += l0_weight(*table.meta, shape.limits.memtable_bytes);
  }
  return tables;
}

double l0_score(const FamilyShape& shape) {
  if (shape.levels[0].empty()) return 0;
  const double by_count = l0_tables(shape, false) / std::max(shape.limits.l0_tables, 1U);
  const double by_bytes = static_cast<double>(level_bytes(shape, 0, false)) /
                          static_cast<double>(std::max<std::uint64_t>(l0_batch_bytes(shape.limits), 1));
  return std::max(by_count, by_bytes);
}

double level_score(const FamilyShape& shape, const LevelTargets& targets, int level) {
  if (level == kLastLevel) return 0;
  const auto bytes = static_cast<double>(level_bytes(shape, level, false));
  const std::uint64_t target = targets.bytes[static_cast<std::size_t>(level)];
  if (target > 0) return bytes / static_cast<double>(target);
  // A level that is not needed any more.
  return bytes > 0 ? 1 + bytes / static_cast<double>(std::max<std::uint64_t>(l0_batch_bytes(shape.limits), 1)) : 0;
}

std::uint64_t compaction_debt_bytes(const FamilyShape& shape) {
  const LevelTargets targets = level_targets(shape);
  const std::uint64_t l0_bytes = level_bytes(shape, 0, true);
  double debt = 0;
  double arriving = 0;  // From the level above.
  const bool l0_due = l0_tables(shape, true) >= std::max(shape.limits.l0_tables, 1U) ||
                      (l0_bytes > 0 && l0_bytes >= l0_batch_bytes(shape.limits));
  if (l0_due) {
    arriving = static_cast<double>(l0_bytes);
    debt = arriving + static_cast<double>(level_bytes(shape, targets.base_level, true));
  }
  for (int level = targets.base_level; level < kLastLevel; ++level) {
    const double bytes = static_cast<double>(level_bytes(shape, level, true)) + arriving;
    arriving = std::max(0.0, bytes - static_cast<double>(targets.bytes[static_cast<std::size_t>(level)]));
    if (arriving > 0) debt += arriving * (1 + static_cast<double>(level_bytes(shape, level + 1, true)) / bytes);
  }
  return static_cast<std::uint64_t>(debt) + value_garbage(shape).live_bytes;
}

}  // namespace firn::compaction
