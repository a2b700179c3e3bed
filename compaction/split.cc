#include "compaction/split.h"

#include <algorithm>
#include <cstdint>

#include "firn/slice.h"

namespace firn::compaction {

std::vector<std::string> split_keys(const std::vector<const TableMeta*>& inputs, std::size_t parts) {
  std::vector<Slice> bounds;
  for (const TableMeta* table : inputs) {
    bounds.emplace_back(table->smallest_key);
    bounds.emplace_back(table->largest_key);
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  if (parts < 2 || bounds.size() < 3) return {};

  // Bytes in (bounds[i - 1], bounds[i]].
  std::vector<double> bytes(bounds.size());
  double total = 0;
  const auto position = [&](Slice key) {
    return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), key) - bounds.begin());
  };
  for (const TableMeta* table : inputs) {
    const std::size_t from = position(table->smallest_key);
    const std::size_t to = std::max(position(table->largest_key), from);
    const double share =
        static_cast<double>(table->file_bytes) / static_cast<double>(std::max<std::size_t>(to - from, 1));
    for (std::size_t i = std::min(from + 1, to); i <= to; ++i) bytes[i] += share;
    total += static_cast<double>(table->file_bytes);
  }

  std::vector<std::string> keys;
  double sum = bytes[0];
  for (std::size_t i = 1; i + 1 < bounds.size() && keys.size() + 1 < parts; ++i) {
    sum += bytes[i];
    if (sum * static_cast<double>(parts) >= total * static_cast<double>(keys.size() + 1)) keys.emplace_back(bounds[i]);
  }
  return keys;
}

}  // namespace firn::compaction
