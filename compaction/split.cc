#include "compaction/split.h"

#include <algorithm>
#include <utility>

namespace firn::compaction {

std::vector<std::string> split_keys(std::vector<SplitMark> marks, std::size_t parts) {
  std::sort(marks.begin(), marks.end(), [](const SplitMark& a, const SplitMark& b) { return a.key < b.key; });
  std::uint64_t total = 0;
  for (const SplitMark& mark : marks) total += mark.bytes;
  std::vector<std::string> keys;
  std::uint64_t sum = 0;
  for (SplitMark& mark : marks) {
    if (keys.size() + 1 >= parts) break;
    sum += mark.bytes;
    if (sum * parts < total * (keys.size() + 1)) continue;
    if (keys.empty() || keys.back() < mark.key) keys.push_back(std::move(mark.key));
  }
  return keys;
}

}  // namespace firn::compaction
