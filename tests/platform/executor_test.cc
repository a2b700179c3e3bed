#include "platform/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "platform/posix_clock.h"
#include "platform/sync.h"
#include "tests/support/cases.h"

namespace firn {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNsPerHour = 3600 * 1000 * kNsPerMs;

TEST(ThreadPool, RunsEverythingThatWasSubmitted) {
  for (const std::uint32_t threads : {0u, 1u, 2u, 5u}) {
    std::atomic<int> ran{0};
    {
      const std::unique_ptr<Executor> pool = make_thread_pool(threads);
      ASSERT_NE(pool, nullptr);
      for (int i = 0; i < 100; ++i) {
        pool->submit(i % 2 == 0 ? TaskPriority::kHigh : TaskPriority::kLow, [&] { ++ran; });
      }
    }
    EXPECT_EQ(ran, 100) << threads << " threads";
  }
}

TEST(ThreadPool, OneThreadTakesHighTasksFirst) {
  std::latch gate(1);
  std::vector<int> order;
  {
    const std::unique_ptr<Executor> pool = make_thread_pool(1);
    pool->submit(TaskPriority::kLow, [&] { gate.wait(); });
    pool->submit(TaskPriority::kLow, [&] { order.push_back(3); });
    pool->submit(TaskPriority::kHigh, [&] { order.push_back(1); });
    pool->submit(TaskPriority::kLow, [&] { order.push_back(4); });
    pool->submit(TaskPriority::kHigh, [&] { order.push_back(2); });
    gate.count_down();
  }
  // The gate may have been overtaken by the high tasks, never the others by each other.
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(ThreadPool, HighTasksRunWhileEveryOtherThreadIsBusyWithLowOnes) {
  for (const std::uint32_t threads : {2u, 3u}) {
    std::latch high_ran(1);
    const std::unique_ptr<Executor> pool = make_thread_pool(threads);
    // More low tasks than threads, none of which ends before the high one has run.
    for (std::uint32_t i = 0; i < 2 * threads; ++i) pool->submit(TaskPriority::kLow, [&] { high_ran.wait(); });
    pool->submit(TaskPriority::kHigh, [&] { high_ran.count_down(); });
    high_ran.wait();
  }
}

TEST(ThreadPool, LowTasksRunInParallelOnTheOtherThreads) {
  std::latch both(2);
  const std::unique_ptr<Executor> pool = make_thread_pool(3);
  for (int i = 0; i < 2; ++i) pool->submit(TaskPriority::kLow, [&] { both.arrive_and_wait(); });
  both.wait();
}

TEST(ThreadPool, NoTaskWaitsWhileAThreadThatMayTakeItIsIdle) {
  const std::uint64_t rounds = testing::cases(500);
  std::uint64_t submitted = 0;
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> ran{0};
  const std::unique_ptr<Executor> pool = make_thread_pool(4);
  // None of these tasks ends before all have begun.
  const auto run_together = [&](std::initializer_list<TaskPriority> priorities) {
    submitted += priorities.size();
    for (const TaskPriority priority : priorities) {
      pool->submit(priority, [&, all = submitted] {
        ++begun;
        while (begun < all) std::this_thread::yield();
        ++ran;
      });
    }
    while (ran < submitted) std::this_thread::yield();
  };
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // The threads become idle in any order. Then the one that is called for a low task may take the high one.
    run_together({TaskPriority::kHigh, TaskPriority::kHigh, TaskPriority::kHigh, TaskPriority::kHigh});
    run_together({TaskPriority::kLow, TaskPriority::kHigh, TaskPriority::kLow});
  }
}

TEST(ThreadPool, DelayedTasksRunInTheOrderOfTheirTimes) {
  Mutex mutex;
  std::vector<int> order;
  std::latch done(3);
  const std::uint64_t start = real_clock().monotonic_ns();
  const std::unique_ptr<Executor> pool = make_thread_pool(1);
  const auto add = [&](int number, std::uint64_t delay_ms) {
    pool->submit_after(delay_ms * kNsPerMs, [&, number] {
      const MutexLock lock(mutex);
      order.push_back(number);
      done.count_down();
    });
  };
  add(3, 9);
  add(1, 3);
  add(2, 6);
  done.wait();
  EXPECT_GE(real_clock().monotonic_ns() - start, 9 * kNsPerMs);
  const MutexLock lock(mutex);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(ThreadPool, DelayedTasksRunWhileLowOnesBlock) {
  std::latch ran(1);
  const std::unique_ptr<Executor> pool = make_thread_pool(2);
  pool->submit(TaskPriority::kLow, [&] { ran.wait(); });
  pool->submit_after(kNsPerMs, [&] { ran.count_down(); });
  ran.wait();
}

TEST(ThreadPool, DestructionDropsDelayedTasksThatAreNotDue) {
  const auto held = std::make_shared<int>(0);
  std::atomic<bool> ran{false};
  {
    const std::unique_ptr<Executor> pool = make_thread_pool(2);
    pool->submit_after(kNsPerHour, [&, held] { ran = true; });
    pool->submit_after(UINT64_MAX, [&, held] { ran = true; });
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadPool, DestructionRunsWhatRunningTasksSubmit) {
  std::atomic<int> ran{0};
  {
    const std::unique_ptr<Executor> pool = make_thread_pool(3);
    Executor& executor = *pool;
    for (int i = 0; i < 50; ++i) {
      executor.submit(TaskPriority::kHigh, [&] {
        executor.submit(TaskPriority::kLow, [&] { executor.submit(TaskPriority::kHigh, [&] { ++ran; }); });
      });
    }
  }
  EXPECT_EQ(ran, 50);
}

TEST(ThreadPool, TakesTasksFromManyThreads) {
  const std::uint64_t rounds = testing::cases(2000);
  std::atomic<std::uint64_t> ran{0};
  {
    const std::unique_ptr<Executor> pool = make_thread_pool(3);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (std::uint64_t round = 0; round < rounds; ++round) {
          if (i == 0) {
            pool->submit_after(0, [&] { ++ran; });
          } else {
            pool->submit(i == 1 ? TaskPriority::kHigh : TaskPriority::kLow, [&] { ++ran; });
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    while (ran < rounds * 4) std::this_thread::yield();
  }
  EXPECT_EQ(ran, rounds * 4);
}

}  // namespace
}  // namespace firn
