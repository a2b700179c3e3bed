#include "platform/event_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "firn/sim/clock.h"
#include "firn/sim/scheduler.h"
#include "platform/posix_clock.h"
#include "tests/platform/file_helpers.h"

namespace firn {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

// Each of `others` waits for what the thread before it did, round by round; a wake-up that is lost hangs it.
template <class Spawn, class Join>
void take_turns(int others, int rounds, Spawn spawn, Join join) {
  EventCount events;
  std::atomic<int> turn{0};
  const auto run = [&](int me) {
    for (int round = 0; round < rounds; ++round) {
      for (;;) {
        const std::uint32_t seen = events.count();
        if (turn.load(std::memory_order_acquire) % others == me) break;
        events.wait_until(seen, EventCount::kNever);
      }
      turn.fetch_add(1, std::memory_order_release);
      events.advance();
    }
  };
  for (int i = 0; i < others; ++i) spawn([run, i] { run(i); });
  join();
  EXPECT_EQ(turn.load(), others * rounds);
}

TEST(EventCount, WakesWhoWaitsForTheCountToGrow) {
  std::vector<std::thread> threads;
  take_turns(
      4, 2000, [&](auto body) { threads.emplace_back(body); },
      [&] {
        for (std::thread& thread : threads) thread.join();
      });
}

TEST(EventCount, LosesNoWakeUpUnderASimulatedScheduler) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    sim::Clock clock;
    sim::SchedulerOptions options;
    options.seed = seed;
    options.depth = static_cast<std::uint32_t>(seed % 4);
    sim::Scheduler scheduler(options, clock);
    const Status ended = scheduler.run([&] {
      std::vector<sim::Scheduler::ThreadId> threads;
      take_turns(
          3, 20, [&](auto body) { threads.push_back(scheduler.spawn("turn", body)); },
          [&] {
            for (const auto thread : threads) scheduler.join(thread);
          });
    });
    EXPECT_TRUE(ended.ok()) << ended.to_string();
  }
}

TEST(EventCount, DoesNotWaitForWhatHasHappened) {
  EventCount events;
  const std::uint32_t seen = events.count();
  events.advance();
  events.wait_until(seen, EventCount::kNever);
  EXPECT_NE(events.count(), seen);
}

TEST(EventCount, WaitUntilReturnsAtTheDeadline) {
  EventCount events;
  const std::uint64_t deadline = real_clock().monotonic_ns() + 2 * kNsPerMs;
  events.wait_until(events.count(), deadline);
  EXPECT_GE(real_clock().monotonic_ns(), deadline);
  events.wait_until(events.count(), 0);  // Passed already.
}

}  // namespace
}  // namespace firn
