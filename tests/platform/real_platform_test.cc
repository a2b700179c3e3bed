#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "firn/platform.h"
#include "platform/random.h"

namespace firn {
namespace {

TEST(RealPlatform, IsCompleteAndTheSameEachTime) {
  const Platform& platform = real_platform();
  EXPECT_EQ(&platform, &real_platform());
  EXPECT_NE(platform.files, nullptr);
  EXPECT_NE(platform.clock, nullptr);
  EXPECT_NE(platform.random, nullptr);
  EXPECT_NE(platform.make_executor(1), nullptr);
}

TEST(RealClock, MonotonicTimeDoesNotGoBack) {
  Clock& clock = *real_platform().clock;
  std::uint64_t last = clock.monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t now = clock.monotonic_ns();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(RealClock, WallTimeIsAfterThisWasWritten) {
  constexpr std::uint64_t kYear2024Ms = 1'704'067'200'000;
  EXPECT_GT(real_platform().clock->wall_ms(), kYear2024Ms);
}

TEST(SplitMix64, MatchesThePublishedSequence) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(SplitMix64, ThreadsShareOneSequence) {
  constexpr int kThreads = 4;
  constexpr std::size_t kDraws = 1000;
  SplitMix64 shared(7);
  std::vector<std::vector<std::uint64_t>> drawn(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<std::uint64_t>& mine : drawn) {
    threads.emplace_back([&shared, &mine] {
      for (std::size_t i = 0; i < kDraws; ++i) mine.push_back(shared.next());
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<std::uint64_t> together;
  for (const std::vector<std::uint64_t>& mine : drawn) together.insert(mine.begin(), mine.end());
  SplitMix64 alone(7);
  std::set<std::uint64_t> expected;
  for (std::size_t i = 0; i < kThreads * kDraws; ++i) expected.insert(alone.next());
  EXPECT_EQ(together, expected);
}

TEST(RandomSeed, DiffersFromCallToCall) { EXPECT_NE(random_seed(), random_seed()); }

}  // namespace
}  // namespace firn
