#include "compaction/rest_picker.h"

#include <algorithm>

#include "compaction/plan_builder.h"

namespace firn::compaction {

namespace {

// At most so many bytes are written for each byte that is freed.
constexpr double kBytesPerFreedByteMax = 2;

// A job at rest reads at most so many tables' worth: writers may come back and want to compact.
constexpr std::uint64_t kTablesMax = 25;

// So many rows are written for each entry that was written since the last rest, or bytes for each byte of those entries
// and their values: tombstones are few bytes, references to values, too.
constexpr double kWrittenPerNewMax = 4;

struct Content {
  std::uint64_t file_bytes = 0;
  std::uint64_t all_bytes = 0;  // With the values that are referred to.
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  // Of all_bytes and entries above the last level, what was written since the last rest.
  double new_bytes = 0;
  double new_entries = 0;

  void add(const TableMeta& meta, double new_share) {
    const std::uint64_t bytes = meta.file_bytes + referred_bytes(meta);
    file_bytes += meta.file_bytes;
    all_bytes += bytes;
    entries += meta.entries;
    tombstones += meta.tombstones;
    new_bytes += new_share * static_cast<double>(bytes);
    new_entries += new_share * static_cast<double>(meta.entries);
  }
};

// As if its sequences were spread evenly.
double new_share(const TableMeta& meta, Sequence written_since) {
  if (meta.largest_sequence < written_since) return 0;
  const Sequence first = std::max(written_since, meta.smallest_sequence);
  const auto part = static_cast<double>(meta.largest_sequence - first + 1);
  return part / static_cast<double>(meta.largest_sequence - meta.smallest_sequence + 1);
}

// Whether all versions of a key but the newest may go.
bool seen_by_all(const FamilyShape& shape, const TableMeta& meta) {
  return meta.largest_sequence <= shape.oldest_snapshot;
}

}  // namespace

std::optional<CompactionPlan> pick_at_rest(const FamilyShape& shape) {
  Content above;
  for (std::size_t level = 0; level + 1 < shape.levels.size(); ++level) {
    for (const ShapeTable& table : shape.levels[level]) {
      if (!seen_by_all(shape, *table.meta)) return std::nullopt;
      above.add(*table.meta, new_share(*table.meta, shape.written_since));
    }
  }
  if (above.entries == 0) return std::nullopt;
  std::optional<CompactionPlan> plan = plan_to_last(shape);
  if (!plan || plan->trivial_move || plan->input_bytes > kTablesMax * shape.limits.table_bytes) return std::nullopt;
  Content all = above;
  KeyRange range;
  range.add(plan->smallest_key, plan->largest_key);
  const IndexRange below = overlapping(shape.levels.back(), range);
  for (std::size_t i = below.begin; i < below.end; ++i) all.add(*shape.levels.back()[i].meta, 0);
  const auto rows = static_cast<double>(std::max<std::uint64_t>(all.entries - all.tombstones, 1));
  const double gone = std::min(shape.replaced_share * static_cast<double>(above.entries) / rows, 1.0);
  const double freed = gone * static_cast<double>(all.all_bytes);
  const double written = (1 - gone) * static_cast<double>(all.file_bytes);
  if (freed < static_cast<double>(shape.limits.table_bytes) || written > kBytesPerFreedByteMax * freed) {
    return std::nullopt;
  }
  if ((1 - gone) * rows > kWrittenPerNewMax * above.new_entries && written > kWrittenPerNewMax * above.new_bytes) {
    return std::nullopt;
  }
  plan->reason = describe("L%d may be rid of %.2f of what there is", plan->output_level, gone);
  return plan;
}

}  // namespace firn::compaction
