// Counters that many threads bump without sharing a cache line.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace firn::lsm {

// A sum in stripes: each thread adds to its own line; reading adds the stripes up.
// Thread safety: any thread may add and read; a read sees at least what the reading thread added.
class StripedCounter {
 public:
  void add(std::uint64_t amount) { stripes_[stripe()].value.fetch_add(amount, std::memory_order_relaxed); }
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

  // Threads take stripes in the order of their first use.
  static std::size_t stripe() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
    return mine;
  }

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace firn::lsm
