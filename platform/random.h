// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a counter and a
// mixing function, hence as easily shared by threads as a counter.
//
// Thread safety: any thread. Not for secrets.
#pragma once

#include <atomic>
#include <cstdint>

#include "firn/platform.h"

namespace firn {

class SplitMix64 final : public Random {
 public:
  // The same seed gives the same sequence.
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    std::uint64_t z = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  static constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio, odd.
  std::atomic<std::uint64_t> state_;
};

// A number from the operating system that nobody can foresee.
std::uint64_t random_seed();

}  // namespace firn
