#include "firn/sim/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "firn/sim/machine.h"
#include "platform/sync.h"
#include "tests/platform/file_helpers.h"

namespace firn::sim {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed = 0, std::uint32_t depth = 0, std::uint64_t steps_max = 1'000'000)
      : scheduler_({.seed = seed, .depth = depth, .steps_expected = 50, .steps_max = steps_max}, clock_) {}

  Clock& clock() { return clock_; }
  Scheduler* operator->() { return &scheduler_; }

 private:
  Clock clock_;
  Scheduler scheduler_;
};

// The order in which three threads pass five points each.
std::string interleaving(std::uint64_t seed, std::uint32_t depth, std::uint64_t* hash = nullptr) {
  Simulation simulation(seed, depth);
  std::string order;
  const Status ended = simulation->run([&] {
    for (const char name : {'a', 'b', 'c'}) {
      simulation->spawn(std::string(1, name), [&, name] {
        for (int i = 0; i < 5; ++i) {
          order += name;
          simulation->step();
        }
      });
    }
  });
  EXPECT_OK(ended);
  if (hash != nullptr) *hash = simulation->trace_hash();
  return order;
}

TEST(Scheduler, RepeatsARunBySeed) {
  for (const std::uint32_t depth : {0U, 1U, 3U}) {
    std::set<std::string> orders;
    std::set<std::uint64_t> hashes;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      std::uint64_t first = 0;
      std::uint64_t second = 0;
      EXPECT_EQ(interleaving(seed, depth, &first), interleaving(seed, depth, &second));
      EXPECT_EQ(first, second);
      orders.insert(interleaving(seed, depth));
      hashes.insert(first);
    }
    EXPECT_GT(orders.size(), depth == 0 ? 15u : 4u);
    EXPECT_GE(hashes.size(), orders.size());
  }
}

TEST(Scheduler, RunsOneThreadAtATime) {
  Simulation simulation(7);
  int inside = 0;
  EXPECT_OK(simulation->run([&] {
    for (int t = 0; t < 4; ++t) {
      simulation->spawn("t", [&] {
        for (int i = 0; i < 100; ++i) {
          ++inside;  // No lock: were two to run at once, ThreadSanitizer would say so and the count be wrong.
          simulation->step();
        }
      });
    }
  }));
  EXPECT_EQ(inside, 400);
}

TEST(Scheduler, KeepsMutexesAndConditions) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Simulation simulation(seed, static_cast<std::uint32_t>(seed % 4));
    Mutex mutex;
    CondVar changed;
    int turn = 0;
    std::string order;
    EXPECT_OK(simulation->run([&] {
      for (int t = 0; t < 3; ++t) {
        simulation->spawn("t", [&, t] {
          const MutexLock lock(mutex);
          while (turn != t) changed.wait(mutex);
          order += static_cast<char>('0' + t);
          simulation->step();  // Under the lock: nobody comes between.
          ++turn;
          changed.notify_all();
        });
      }
    }));
    EXPECT_EQ(order, "012");
  }
}

TEST(Scheduler, FindsALostUpdate) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Simulation simulation(seed, 2);
    int balance = 0;
    EXPECT_OK(simulation->run([&] {
      for (int t = 0; t < 2; ++t) {
        simulation->spawn("t", [&] {
          const int read = balance;
          simulation->step();
          balance = read + 1;
        });
      }
    }));
    found += balance == 1 ? 1 : 0;
  }
  EXPECT_GT(found, 2);
  EXPECT_LT(found, 100);
}

TEST(Scheduler, TimeJumpsWhenAllWait) {
  Simulation simulation;
  Mutex mutex;
  CondVar never;
  const std::uint64_t start = simulation.clock().monotonic_ns();
  EXPECT_OK(simulation->run([&] {
    simulation->spawn("sleeper", [&] { simulation->pause(3600 * kSecond); });
    const MutexLock lock(mutex);
    EXPECT_FALSE(never.wait_until(mutex, start + 60 * kSecond));
    EXPECT_GE(simulation.clock().monotonic_ns(), start + 60 * kSecond);
    EXPECT_LT(simulation.clock().monotonic_ns(), start + 61 * kSecond);
  }));
  EXPECT_GE(simulation.clock().monotonic_ns(), start + 3600 * kSecond);
}

TEST(Scheduler, ANotificationComesBeforeTheDeadline) {
  Simulation simulation;
  Mutex mutex;
  CondVar changed;
  bool done = false;
  EXPECT_OK(simulation->run([&] {
    simulation->spawn("notifier", [&] {
      simulation->pause(kSecond);
      const MutexLock lock(mutex);
      done = true;
      changed.notify_one();
    });
    const MutexLock lock(mutex);
    while (!done) EXPECT_TRUE(changed.wait_until(mutex, simulation.clock().monotonic_ns() + 3600 * kSecond));
  }));
}

TEST(Scheduler, YieldersLetTheOthersWork) {
  for (const std::uint32_t depth : {0U, 1U, 2U}) {
    Simulation simulation(depth, depth);
    bool ready = false;
    EXPECT_OK(simulation->run([&] {
      simulation->spawn("worker", [&] {
        simulation->step();
        ready = true;
      });
      while (!ready) yield_thread();
    }));
  }
}

// The threads of a run that got stuck are left behind for good, and so is what they use.
template <class T, class... Arguments>
T& immortal(Arguments... arguments) {
  static auto& all = *new std::vector<std::shared_ptr<void>>;
  auto object = std::make_shared<T>(arguments...);
  all.push_back(object);
  return *object;
}

TEST(Scheduler, NamesWhoWaitsForWhatInADeadlock) {
  for (std::uint64_t seed = 0;; ++seed) {
    ASSERT_LT(seed, 1000u) << "no seed found the deadlock";
    auto& simulation = immortal<Simulation>(seed);
    auto& first = immortal<Mutex>();
    auto& second = immortal<Mutex>();
    const Status ended = simulation->run([&] {
      simulation->spawn("ab", [&] {
        const MutexLock one(first);
        const MutexLock two(second);
      });
      simulation->spawn("ba", [&] {
        const MutexLock one(second);
        const MutexLock two(first);
      });
    });
    if (ended.ok()) continue;
    EXPECT_EQ(ended.code(), StatusCode::kBusy);
    EXPECT_THAT(ended.to_string(),
                HasSubstr("deadlock: ab waits for a lock held by ba; ba waits for a lock held by ab"));
    return;
  }
}

TEST(Scheduler, NamesALostNotification) {
  auto& simulation = immortal<Simulation>();
  auto& mutex = immortal<Mutex>();
  auto& changed = immortal<CondVar>();
  const Status ended = simulation->run([&] {
    const auto waiter = simulation->spawn("waiter", [&] {
      const MutexLock lock(mutex);
      changed.wait(mutex);
    });
    simulation->join(waiter);
  });
  EXPECT_THAT(ended.to_string(), HasSubstr("main waits for the end of waiter; waiter waits for a notification"));
  EXPECT_EQ(simulation->run([] {}).code(), StatusCode::kBusy);
}

TEST(Scheduler, EndsARunThatDoesNot) {
  auto& simulation = immortal<Simulation>(0, 0, 1000);
  const Status ended = simulation->run([&] {
    for (;;) yield_thread();
  });
  EXPECT_THAT(ended.to_string(), HasSubstr("no end after the most steps allowed: main could run"));
}

TEST(Scheduler, ItsExecutorRunsEverythingInSimulatedTime) {
  Simulation simulation(3);
  int ran = 0;
  EXPECT_OK(simulation->run([&] {
    const std::uint64_t start = simulation.clock().monotonic_ns();
    const std::unique_ptr<Executor> executor = simulation->make_executor(2);
    executor->submit(TaskPriority::kLow, [&] { ++ran; });
    executor->submit(TaskPriority::kHigh, [&] { ++ran; });
    executor->submit_after(10 * kSecond, [&] {
      ++ran;
      EXPECT_GE(simulation.clock().monotonic_ns(), start + 10 * kSecond);
    });
    simulation->pause(20 * kSecond);
  }));
  EXPECT_EQ(ran, 3);
}

TEST(Scheduler, CanRunAgain) {
  Simulation simulation;
  int runs = 0;
  for (int i = 0; i < 3; ++i) EXPECT_OK(simulation->run([&] { ++runs; }));
  EXPECT_EQ(runs, 3);
}

TEST(Clock, MovesOnlyWhenTold) {
  Clock clock;
  const std::uint64_t start = clock.monotonic_ns();
  EXPECT_EQ(clock.monotonic_ns(), start);
  clock.advance(5);
  clock.advance_to(start);
  EXPECT_EQ(clock.monotonic_ns(), start + 5);
  clock.advance_to(start + 9);
  EXPECT_EQ(clock.monotonic_ns(), start + 9);
  clock.jump_wall(1000);
  EXPECT_EQ(clock.wall_ms(), 1000u);
  clock.advance(2'000'000);
  EXPECT_EQ(clock.wall_ms(), 1002u);
}

TEST(Machine, CountsFileOperationsIntoItsTrace) {
  const auto hash = [](std::string_view text) {
    Machine machine({});
    EXPECT_OK(machine.run([&] { firn::testing::create(machine.files(), "/a", text); }));
    return machine.trace_hash();
  };
  EXPECT_EQ(hash("one"), hash("one"));
  EXPECT_NE(hash("one"), hash("two"));
}

}  // namespace
}  // namespace firn::sim
