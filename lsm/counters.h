// Counters that many threads bump without sharing a cache line.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/epoch.h"

namespace firn::lsm {

// A sum in stripes: each thread adds to its own line, without a locked instruction (which would keep one read's cache
// misses from overlapping the next one's); threads beyond the stripes share the last. Reading adds the stripes up.
// Thread safety: any thread may add and read; a read sees at least what the reading thread added.
class StripedCounter {
 public:
  // What the thread's stripe then has.
  std::uint64_t add(std::uint64_t amount) {
    const std::size_t number = thread_number();
    if (number >= kStripes - 1) [[unlikely]]
      return stripes_[kStripes - 1].value.fetch_add(amount, std::memory_order_relaxed) + amount;
    std::atomic<std::uint64_t>& value = stripes_[number].value;
    const std::uint64_t sum = value.load(std::memory_order_relaxed) + amount;
    value.store(sum, std::memory_order_relaxed);
    return sum;
  }
  std::uint64_t value() const {
    std::uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += stripe.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> value{0};
  };

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace firn::lsm
