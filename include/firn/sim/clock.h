// Time that passes when somebody says so: the scheduler of a simulation, or a test by hand.
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "firn/export.h"
#include "firn/platform.h"

namespace firn::sim {

class FIRN_EXPORT Clock final : public firn::Clock {
 public:
  std::uint64_t monotonic_ns() override { return monotonic_ns_.load(std::memory_order_relaxed); }
  std::uint64_t wall_ms() override {
    return wall_start_ms_.load(std::memory_order_relaxed) + monotonic_ns() / 1'000'000;
  }

  void advance(std::uint64_t ns) { monotonic_ns_.fetch_add(ns, std::memory_order_relaxed); }
  // No effect when `ns` is past.
  void advance_to(std::uint64_t ns) {
    std::uint64_t now = monotonic_ns();
    while (now < ns && !monotonic_ns_.compare_exchange_weak(now, ns, std::memory_order_relaxed)) {
    }
  }
  // Sets the wall clock alone, forth or back by any amount, as an operator or a time server does.
  void jump_wall(std::uint64_t ms) { wall_start_ms_.store(ms - monotonic_ns() / 1'000'000, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> monotonic_ns_{1'000'000'000};
  std::atomic<std::uint64_t> wall_start_ms_{1'700'000'000'000};
};

}  // namespace firn::sim
