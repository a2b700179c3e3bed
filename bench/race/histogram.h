// Counts of latencies in buckets whose width grows with the value, so that any percentile is within 1.6 %.
// Idea: Gil Tene's HdrHistogram; here 64 linear buckets per power of two, no configuration.
//
// Thread safety: one thread at a time; each worker has its own, merged at the end.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace firn::race {

class Histogram {
 public:
  void add(std::uint64_t ns) {
    ++counts_[index_of(ns)];
    ++total_;
    if (ns > max_) max_ = ns;
  }
  void merge(const Histogram& other);

  std::uint64_t total() const { return total_; }
  std::uint64_t max() const { return max_; }
  // Raises the largest value without counting one: a stall that fell between samples.
  void note_max(std::uint64_t ns) {
    if (ns > max_) max_ = ns;
  }
  // The value that `fraction` (0..1) of all are at or below, rounded up to its bucket's end; 0 when empty.
  std::uint64_t percentile(double fraction) const;

 private:
  static constexpr int kLinearBits = 6;
  static constexpr std::uint64_t kLinear = std::uint64_t{1} << kLinearBits;

  // Values below 64 have a bucket each; above, the leading bit picks the row and the next 6 bits the column.
  static std::size_t index_of(std::uint64_t value) {
    if (value < kLinear) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - kLinearBits;
    return static_cast<std::size_t>(kLinear * static_cast<std::uint64_t>(shift) + (value >> shift));
  }
  static std::uint64_t upper_bound(std::size_t index);

  std::array<std::uint64_t, (64 - kLinearBits + 1) * kLinear> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace firn::race
