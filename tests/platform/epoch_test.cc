#include "platform/epoch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/cases.h"

namespace firn {
namespace {

// Counts its deletions.
struct Probe {
  explicit Probe(std::atomic<int>& count) : deleted(count) {}
  ~Probe() { deleted.fetch_add(1); }
  std::atomic<int>& deleted;
};

TEST(Epoch, WithoutGuardsRetiringDeletesAtOnce) {
  std::atomic<int> deleted{0};
  epoch_drain();
  epoch_retire(new Probe(deleted));
  EXPECT_EQ(deleted, 1);
}

TEST(Epoch, RetiredObjectsWaitForTheGuardsOfTheirTime) {
  std::atomic<int> deleted{0};
  {
    const EpochGuard guard;
    epoch_retire(new Probe(deleted));
    EXPECT_EQ(deleted, 0);
  }
  epoch_drain();
  EXPECT_EQ(deleted, 1);
}

TEST(Epoch, NestedGuardsProtectUntilTheOutermostLeaves) {
  std::atomic<int> deleted{0};
  {
    const EpochGuard outer;
    { const EpochGuard inner; }
    epoch_retire(new Probe(deleted));
    { const EpochGuard inner; }
    epoch_retire(new Probe(deleted));
    EXPECT_EQ(deleted, 0);
  }
  epoch_drain();
  EXPECT_EQ(deleted, 2);
}

TEST(Epoch, LaterGuardsDoNotHoldEarlierObjects) {
  std::atomic<int> deleted{0};
  std::optional<EpochGuard> early(std::in_place);
  epoch_retire(new Probe(deleted));
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  std::thread later([&] {
    const EpochGuard guard;
    inside = true;
    while (!leave) std::this_thread::yield();
  });
  while (!inside) std::this_thread::yield();
  early.reset();
  std::atomic<int> other{0};
  epoch_retire(new Probe(other));  // Collects what may go.
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(other, 0);
  leave = true;
  later.join();
  epoch_drain();
  EXPECT_EQ(other, 1);
}

TEST(Epoch, DrainWaitsForGuardsOfOtherThreads) {
  std::atomic<int> deleted{0};
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  std::thread reader([&] {
    const EpochGuard guard;
    inside = true;
    while (!leave) std::this_thread::yield();
  });
  while (!inside) std::this_thread::yield();
  epoch_retire(new Probe(deleted));
  std::thread drainer([&] {
    epoch_drain();
    EXPECT_EQ(deleted, 1);
  });
  EXPECT_EQ(deleted, 0);
  leave = true;
  reader.join();
  drainer.join();
}

struct Parent {
  explicit Parent(std::atomic<int>& count) : child(new Probe(count)) {}
  ~Parent() { epoch_retire(child); }
  Probe* child;
};

TEST(Epoch, DeletersMayRetire) {
  std::atomic<int> deleted{0};
  epoch_retire(new Parent(deleted));
  epoch_drain();
  EXPECT_EQ(deleted, 1);
}

TEST(Epoch, WhatIsRetiredWhileAnotherThreadCollectsGoesWithoutAThird) {
  struct Slow {
    std::atomic<bool> deleting{false};
    std::atomic<bool> other_retired{false};
  } slow;
  std::atomic<int> deleted{0};
  std::thread collector([&slow] {
    epoch_retire(&slow, [](void* object) {
      auto& self = *static_cast<Slow*>(object);
      self.deleting = true;
      self.deleting.notify_one();
      self.other_retired.wait(false);
    });
  });
  slow.deleting.wait(false);
  epoch_retire(new Probe(deleted));
  slow.other_retired = true;
  slow.other_retired.notify_one();
  collector.join();
  EXPECT_EQ(deleted, 1);
}

TEST(Epoch, ManyRetiredBehindOneGuardAllGo) {
  constexpr int kCount = 1000;
  std::atomic<int> deleted{0};
  {
    const EpochGuard guard;
    for (int i = 0; i < kCount; ++i) epoch_retire(new Probe(deleted));
    EXPECT_EQ(deleted, 0);
  }
  epoch_drain();
  EXPECT_EQ(deleted, kCount);
}

int slot_count() {
  int count = 0;
  std::vector<std::thread> threads;
  const internal::EpochSlot* slot = nullptr;
  std::thread([&] {
    const EpochGuard guard;
    slot = internal::epoch_slot;
  }).join();
  for (; slot != nullptr; slot = slot->next) ++count;
  return count;
}

TEST(Epoch, ThreadsThatEndedLeaveTheirSlotsToOthers) {
  const int before = slot_count();
  for (int i = 0; i < 100; ++i) std::thread([] { const EpochGuard guard; }).join();
  EXPECT_LE(slot_count(), before + 1);
}

// A published object knows whether it is alive; readers that meet a dead one, and sanitizers, tell.
struct Published {
  ~Published() { alive.store(false, std::memory_order_relaxed); }
  std::atomic<bool> alive{true};
  int twice[2] = {0, 0};
};

TEST(Epoch, ReadersNeverMeetAFreedObject) {
  const std::uint64_t rounds = testing::cases(20'000);
  constexpr int kReaders = 3;
  constexpr int kWriters = 2;
  std::atomic<Published*> current{new Published};
  std::atomic<int> writers_left{kWriters};
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&] {
      while (writers_left > 0) {
        const EpochGuard guard;
        const Published* seen = current.load(std::memory_order_acquire);
        if (seen->twice[0] != seen->twice[1] || !seen->alive.load(std::memory_order_relaxed)) ++wrong;
      }
    });
  }
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t round = 0; round < rounds; ++round) {
        auto* next = new Published;
        next->twice[0] = next->twice[1] = static_cast<int>(round) + i;
        epoch_retire(current.exchange(next, std::memory_order_acq_rel));
      }
      --writers_left;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  epoch_retire(current.exchange(nullptr));
  epoch_drain();
}

// The store that announces a guard must be seen before anything is read under it. A processor delays stores behind
// earlier ones that miss its cache, so the reader makes some, and looks at what it found for as long as a deletion and
// the reuse of its memory take.
TEST(Epoch, GuardsAreSeenBeforeTheirReads) {
  struct Numbered {
    explicit Numbered(std::uint64_t value) : number(value) {}
    ~Numbered() { number.store(0, std::memory_order_relaxed); }
    std::atomic<std::uint64_t> number;
  };
  const std::uint64_t rounds = testing::cases(500'000);
  constexpr std::size_t kLines = 1 << 16;
  constexpr std::size_t kLineBytes = 64;
  constexpr int kMissesAhead = 20;
  constexpr int kLooks = 300;
  std::vector<char> far(kLines * kLineBytes);
  std::atomic<Numbered*> current{new Numbered(1)};
  std::atomic<bool> done{false};
  std::uint64_t wrong = 0;
  std::thread writer([&] {
    for (std::uint64_t number = 2; !done; ++number) {
      epoch_retire(current.exchange(new Numbered(number), std::memory_order_acq_rel));
    }
  });
  std::uint64_t line = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < kMissesAhead; ++i) {
      line = (line * 5 + 12345) % kLines;
      far[line * kLineBytes] = static_cast<char>(round);
    }
    const EpochGuard guard;
    const Numbered* seen = current.load(std::memory_order_acquire);
    const std::uint64_t number = seen->number.load(std::memory_order_relaxed);
    for (int look = 0; look < kLooks; ++look) {
      if (seen->number.load(std::memory_order_relaxed) != number) ++wrong;
    }
  }
  done = true;
  writer.join();
  EXPECT_EQ(wrong, 0u);
  epoch_retire(current.exchange(nullptr));
  epoch_drain();
}

TEST(Epoch, ShortLivedThreadsReadSafely) {
  const std::uint64_t rounds = testing::cases(300);
  std::atomic<Published*> current{new Published};
  std::atomic<std::uint64_t> wrong{0};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    std::thread reader([&] {
      const EpochGuard guard;
      if (!current.load(std::memory_order_acquire)->alive) ++wrong;
    });
    epoch_retire(current.exchange(new Published, std::memory_order_acq_rel));
    reader.join();
  }
  EXPECT_EQ(wrong, 0u);
  epoch_retire(current.exchange(nullptr));
  epoch_drain();
}

TEST(Epoch, SeveralThreadsMayDrainAtOnce) {
  const std::uint64_t rounds = testing::cases(500);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([rounds] {
      for (std::uint64_t round = 0; round < rounds; ++round) {
        std::atomic<int> deleted{0};
        {
          const EpochGuard guard;
          epoch_retire(new Probe(deleted));
        }
        epoch_drain();
        EXPECT_EQ(deleted, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EpochDeathTest, DrainInsideAGuardIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const EpochGuard guard;
        epoch_drain();
      },
      "assertion failed");
}

}  // namespace
}  // namespace firn
