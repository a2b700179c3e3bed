// What seeks have read in vain of one version, because its runs overlap; and when that is so much that merging them
// would have cost less (compaction/l0_picker.h). A seek writes to its thread's line only; now and then one looks at the
// sum.
//
// Thread safety: all of it, by any thread.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "lsm/counters.h"

namespace firn::lsm {

class ReadAccount {
 public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  void charge(std::uint64_t blocks) {
    const std::uint64_t after = blocks_.add(blocks);
    if (((after - blocks) ^ after) < step_.load(std::memory_order_relaxed)) [[likely]]
      return;
    const std::uint64_t spent = blocks_.value() - settled_.load(std::memory_order_relaxed);
    if (spent >= due_.load(std::memory_order_relaxed) && state_.load(std::memory_order_relaxed) == State::kQuiet) {
      state_.store(State::kAsks, std::memory_order_relaxed);
    }
  }

  // Reads ask for a merge.
  bool asks() const { return state_.load(std::memory_order_relaxed) != State::kQuiet; }
  // The same, to one caller.
  bool asks_now() {
    State asks = State::kAsks;
    return state_.load(std::memory_order_relaxed) == State::kAsks &&
           state_.compare_exchange_strong(asks, State::kHeard, std::memory_order_relaxed);
  }

  // Reads ask from so many blocks on.
  void set_due(std::uint64_t blocks) {
    due_.store(blocks, std::memory_order_relaxed);
    step_.store(std::bit_floor(blocks / kLooks + 1), std::memory_order_relaxed);
  }
  // What was asked for could not be done: as much again is to be read first.
  void put_off() {
    settled_.store(blocks_.value(), std::memory_order_relaxed);
    state_.store(State::kQuiet, std::memory_order_relaxed);
  }

 private:
  enum class State : std::uint8_t { kQuiet, kAsks, kHeard };
  static constexpr std::uint64_t kLooks = 64;  // At the sum, by each thread, until it is due.

  std::atomic<State> state_{State::kQuiet};
  std::atomic<std::uint64_t> step_{std::uint64_t{1} << 63};  // A power of two: each thread looks at the sum so often.
  std::atomic<std::uint64_t> due_{kNever};
  std::atomic<std::uint64_t> settled_{0};  // Blocks that were dealt with.
  StripedCounter blocks_;
};

}  // namespace firn::lsm
