#include "bench/race/histogram.h"

#include <algorithm>
#include <cmath>

namespace firn::race {

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::upper_bound(std::size_t index) {
  if (index < kLinear) return index;
  const std::uint64_t shift = index / kLinear - 1;
  const std::uint64_t lead = index - kLinear * shift;
  return ((lead + 1) << shift) - 1;
}

std::uint64_t Histogram::percentile(double fraction) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank && seen > 0) return std::min(upper_bound(i), max_);
  }
  return 0;
}

}  // namespace firn::race
