#include "sstable/filter.h"

#include <algorithm>
#include <cstring>

namespace firn::sstable {

std::uint64_t FilterBuilder::bytes() const {
  if (hashes_.empty()) return 0;
  constexpr std::uint64_t kLinesMax = UINT32_MAX;
  const std::uint64_t lines = (hashes_.size() * bits_per_key_ + 8 * kFilterLineBytes - 1) / (8 * kFilterLineBytes);
  return std::min(lines, kLinesMax) * kFilterLineBytes;
}

void FilterBuilder::finish(char* out) const {
  // Misses on the lines are overlapped: each line is asked for this many hashes before it is needed.
  constexpr std::size_t kAhead = 16;
  const std::uint64_t lines = bytes() / kFilterLineBytes;
  if (lines != 0) std::memset(out, 0, lines * kFilterLineBytes);
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (i + kAhead < hashes_.size()) {
      __builtin_prefetch(out + kFilterLineBytes * filter_line(hashes_[i + kAhead], lines), 1);
    }
    const std::uint64_t hash = hashes_[i];
    char* const line = out + kFilterLineBytes * filter_line(hash, lines);
    for (std::size_t w = 0; w < kFilterWords; ++w) {
      store(line + 8 * w, load<std::uint64_t>(line + 8 * w) | std::uint64_t{1} << filter_bit(hash, w));
    }
  }
}

}  // namespace firn::sstable
