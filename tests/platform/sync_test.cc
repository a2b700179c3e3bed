#include "platform/sync.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/posix_clock.h"

namespace firn {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

TEST(Mutex, ExcludesOtherThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10'000;
  Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kRounds);
}

TEST(Mutex, TryLockFailsWhileHeld) {
  Mutex mutex;
  mutex.lock();
  std::thread other([&] {
    if (mutex.try_lock()) {
      ADD_FAILURE();
      mutex.unlock();
    }
  });
  other.join();
  mutex.unlock();
}

TEST(MutexLock, CanOpenAGap) {
  Mutex mutex;
  MutexLock lock(mutex);
  lock.unlock();
  std::thread([&] { const MutexLock inside(mutex); }).join();
  lock.lock();
}

TEST(CondVar, WaitersSeeWhatTheNotifierWrote) {
  Mutex mutex;
  CondVar changed;
  int stage = 0;
  std::thread other([&] {
    const MutexLock lock(mutex);
    while (stage != 1) changed.wait(mutex);
    stage = 2;
    changed.notify_all();
  });
  {
    const MutexLock lock(mutex);
    stage = 1;
    changed.notify_one();
    while (stage != 2) changed.wait(mutex);
  }
  other.join();
}

TEST(CondVar, WaitUntilReturnsAtTheDeadline) {
  Mutex mutex;
  CondVar never;
  const MutexLock lock(mutex);
  const std::uint64_t deadline = real_clock().monotonic_ns() + 2 * kNsPerMs;
  while (never.wait_until(mutex, deadline)) {
  }
  EXPECT_GE(real_clock().monotonic_ns(), deadline);
  EXPECT_FALSE(never.wait_until(mutex, 0));
}

TEST(CondVar, FarDeadlinesAreNoDeadlines) {
  Mutex mutex;
  CondVar changed;
  bool done = false;
  std::thread other([&] {
    const MutexLock lock(mutex);
    done = true;
    changed.notify_all();
  });
  {
    const MutexLock lock(mutex);
    while (!done) EXPECT_TRUE(changed.wait_until(mutex, UINT64_MAX));
  }
  other.join();
}

// Runs its threads one at a time, passing a baton round at every call, and writes down what they do. Only the holder
// of the baton touches the members below it.
class RoundRobin final : public SchedulerHook {
 public:
  void run(const std::vector<std::function<void()>>& bodies) {
    done_.assign(bodies.size(), false);
    waiting_for_.assign(bodies.size(), nullptr);
    std::vector<std::thread> threads;
    for (std::size_t id = 0; id < bodies.size(); ++id) {
      threads.emplace_back([this, id, &body = bodies[id]] {
        await_baton(id);
        {
          const SimulatedThread simulated(*this);
          body();
        }
        done_[id] = true;
        pass_baton();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void lock(Mutex& mutex) override {
    note("lock", &mutex);
    while (!take(mutex)) yield();
  }
  bool try_lock(Mutex& mutex) override { return take(mutex); }
  void unlock(Mutex& mutex) override {
    note("unlock", &mutex);
    EXPECT_EQ(owners_.at(&mutex), turn_);
    owners_.erase(&mutex);
    yield();
  }
  void wait(CondVar& condition, Mutex& mutex) override { wait_until(condition, mutex, UINT64_MAX); }
  bool wait_until(CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns) override {
    note("wait", &condition);
    const std::size_t self = turn_;
    waiting_for_[self] = &condition;
    unlock(mutex);
    while (waiting_for_[self] != nullptr && now_ns_ < deadline_ns) yield();
    const bool notified = waiting_for_[self] == nullptr;
    waiting_for_[self] = nullptr;
    lock(mutex);
    return notified;
  }
  void notify_one(CondVar& condition) override { notify(condition, 1); }
  void notify_all(CondVar& condition) override { notify(condition, waiting_for_.size()); }
  void yield() override {
    const std::size_t self = turn_;
    ++now_ns_;
    pass_baton();
    await_baton(self);
  }
  void step(std::uint64_t) override { yield(); }
  bool traces() const override { return false; }
  void pause(std::uint64_t ns) override {
    now_ns_ += ns;
    yield();
  }

  const std::vector<std::string>& trace() const { return trace_; }

 private:
  bool take(Mutex& mutex) { return owners_.emplace(&mutex, turn_).second; }

  void notify(CondVar& condition, std::size_t count) {
    note("notify", &condition);
    for (const CondVar*& waiting : waiting_for_) {
      if (waiting == &condition && count > 0) {
        waiting = nullptr;
        --count;
      }
    }
  }

  // Objects are numbered in the order they turn up.
  void note(const char* what, const void* object) {
    const std::size_t number = numbers_.emplace(object, numbers_.size()).first->second;
    trace_.push_back("t" + std::to_string(turn_) + " " + what + " " + std::to_string(number));
  }

  void pass_baton() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t i = 0; i < done_.size(); ++i) {
      turn_ = (turn_ + 1) % done_.size();
      if (!done_[turn_]) break;
    }
    passed_.notify_all();
  }

  void await_baton(std::size_t id) {
    std::unique_lock<std::mutex> lock(mutex_);
    passed_.wait(lock, [&] { return turn_ == id; });
  }

  std::mutex mutex_;
  std::condition_variable passed_;
  std::size_t turn_ = 0;
  std::uint64_t now_ns_ = 0;
  std::vector<bool> done_;
  std::vector<const CondVar*> waiting_for_;
  std::map<const Mutex*, std::size_t> owners_;
  std::map<const void*, std::size_t> numbers_;
  std::vector<std::string> trace_;
};

std::vector<std::string> trace_of_ping_pong(RoundRobin& scheduler) {
  Mutex mutex;
  CondVar changed;
  int turn = 0;
  const auto player = [&](int parity) {
    return [&, parity] {
      for (int round = 0; round < 3; ++round) {
        const MutexLock lock(mutex);
        while (turn % 2 != parity) changed.wait(mutex);
        ++turn;
        changed.notify_all();
      }
    };
  };
  scheduler.run({player(1), player(0)});
  EXPECT_EQ(turn, 6);
  return scheduler.trace();
}

TEST(SchedulerHook, DecidesEveryLockWaitAndNotify) {
  RoundRobin first;
  RoundRobin second;
  const std::vector<std::string> trace = trace_of_ping_pong(first);
  EXPECT_EQ(trace, trace_of_ping_pong(second));
  // The first thread must wait for the second one's move.
  const std::vector<std::string> begin(trace.begin(), trace.begin() + 6);
  EXPECT_EQ(begin, (std::vector<std::string>{"t0 lock 0", "t0 wait 1", "t0 unlock 0", "t1 lock 0", "t1 notify 1",
                                             "t1 unlock 0"}));
}

TEST(SchedulerHook, DecidesWhenADeadlinePasses) {
  RoundRobin scheduler;
  bool notified = true;
  scheduler.run({[&] {
                   Mutex mutex;
                   CondVar never;
                   const MutexLock lock(mutex);
                   notified = never.wait_until(mutex, 1000);
                 },
                 [] {
                   for (int i = 0; i < 10; ++i) yield_thread();
                 }});
  EXPECT_FALSE(notified);
}

TEST(SchedulerHook, LeavesOtherThreadsAlone) {
  RoundRobin scheduler;
  Mutex real;
  scheduler.run({[&] {
    std::thread([&] { const MutexLock lock(real); }).join();
    yield_thread();
  }});
  EXPECT_TRUE(scheduler.trace().empty());
}

}  // namespace
}  // namespace firn
