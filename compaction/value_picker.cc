#include "compaction/value_picker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "compaction/plan_builder.h"

namespace firn::compaction {

namespace {

// Once too much is garbage, so much of what is allowed may stay: then it is quiet for a while.
constexpr double kGarbageLeft = 0.75;

// Files are emptied a few at a time, to about so many tables' worth of moved values: a job should end.
constexpr std::uint64_t kMovedTablesMax = 4;

struct File {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::uint64_t live_bytes = 0;

  std::uint64_t garbage() const { return bytes - live_bytes; }
};

std::vector<File> files_of(const FamilyShape& shape) {
  std::map<std::uint64_t, std::uint64_t> live;
  for (const auto& level : shape.levels) {
    for (const ShapeTable& table : level) {
      for (const ValueUse& use : table.meta->values) live[use.file] += use.bytes;
    }
  }
  std::vector<File> files;
  for (const ShapeValues& values : shape.values) {
    if (!values.damaged) files.push_back({values.id, values.bytes, std::min(values.bytes, live[values.id])});
  }
  return files;
}

// The share of `garbage` in `bytes`, over the allowed one.
double over_allowed(const FamilyShape& shape, std::uint64_t garbage, std::uint64_t bytes) {
  if (garbage == 0 || bytes == 0) return 0;
  return 100 * static_cast<double>(garbage) / static_cast<double>(bytes) /
         static_cast<double>(shape.value_garbage_percent);
}

}  // namespace

ValueGarbage value_garbage(const FamilyShape& shape) {
  std::vector<File> files = files_of(shape);
  std::uint64_t bytes = 0;
  std::uint64_t garbage = 0;
  for (const File& file : files) {
    bytes += file.bytes;
    garbage += file.garbage();
  }
  ValueGarbage found;
  found.score = over_allowed(shape, garbage, bytes);
  const bool at_rest = shape.at_rest && garbage >= shape.limits.table_bytes;
  if (found.score <= 1 && !at_rest) return found;
  // By the garbage for each live byte that has to be moved.
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    const double left = static_cast<double>(a.garbage()) * static_cast<double>(b.bytes);
    const double right = static_cast<double>(b.garbage()) * static_cast<double>(a.bytes);
    return left != right ? left > right : a.id < b.id;
  });
  if (at_rest) found.score = over_allowed(shape, files.front().garbage(), files.front().bytes);
  for (const File& file : files) {
    const bool full =
        !found.emptied.empty() && found.live_bytes + file.live_bytes > kMovedTablesMax * shape.limits.table_bytes;
    const bool enough = at_rest ? over_allowed(shape, file.garbage(), file.bytes) <= 1
                                : over_allowed(shape, garbage, bytes) <= kGarbageLeft;
    if (full || enough) break;
    found.emptied.push_back(file.id);
    found.live_bytes += file.live_bytes;
    garbage -= file.garbage();
    bytes -= file.garbage();
  }
  std::sort(found.emptied.begin(), found.emptied.end());
  return found;
}

std::optional<CompactionPlan> pick_garbage(const FamilyShape& shape, const std::vector<std::uint64_t>& emptied) {
  struct Choice {
    std::uint64_t bytes = 0;
    int level = 0;
    std::size_t index = 0;
  };
  std::vector<Choice> choices;
  for (int level = 0; level < kLevelCount; ++level) {
    const std::vector<ShapeTable>& tables = shape.levels[static_cast<std::size_t>(level)];
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (tables[i].compacting) continue;
      std::uint64_t bytes = 0;
      for (const ValueUse& use : tables[i].meta->values) {
        if (std::binary_search(emptied.begin(), emptied.end(), use.file)) bytes += use.bytes;
      }
      if (bytes > 0) choices.push_back({bytes, level, i});
    }
  }
  std::stable_sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) { return a.bytes > b.bytes; });
  for (const Choice& choice : choices) {
    std::optional<CompactionPlan> plan = plan_rewrite(shape, choice.level, {choice.index, choice.index + 1});
    if (plan) return plan;
  }
  return std::nullopt;
}

}  // namespace firn::compaction
