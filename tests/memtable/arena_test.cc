#include "lsm/memtable/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace firn::memtable {

namespace {

constexpr std::size_t kKiB = 1024;

TEST(Arena, HoldsNothingUntilAsked) {
  const Arena arena(16 * kKiB, 2048 * kKiB);
  EXPECT_EQ(arena.memory_bytes(), 0U);
}

TEST(Arena, CountsThePagesItUses) {
  Arena arena(16 * kKiB, 128 * kKiB);
  ASSERT_TRUE(arena.reserve(5000 * kKiB));
  EXPECT_EQ(arena.memory_bytes(), 0U);
  arena.allocate(1, 1);
  EXPECT_EQ(arena.memory_bytes(), 2048 * kKiB);  // A huge page.
  arena.allocate(4000 * kKiB, 1);
  EXPECT_EQ(arena.memory_bytes(), 4096 * kKiB);

  Arena small(16 * kKiB, 128 * kKiB);
  std::uint64_t used = 0;
  for (int i = 0; i < 8000; ++i) {
    ASSERT_TRUE(small.reserve(100));
    std::memset(small.allocate(100, 1), i, 100);
    used += 100;
    ASSERT_GE(small.memory_bytes(), used);
    ASSERT_LE(small.memory_bytes(), used * 103 / 100 + 8 * kKiB);
  }
}

TEST(Arena, KeepsItsPromiseInWhateverOrderSizesCome) {
  Arena arena(16 * kKiB, 64 * kKiB);
  std::uint64_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::size_t> sizes;
    std::size_t promised = 0;
    for (int i = 0; i < 20; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      sizes.push_back((state >> 60) == 0 ? 40 * kKiB : state >> 55);
      promised += sizes.back() + 63;
    }
    ASSERT_TRUE(arena.reserve(promised));
    for (const std::size_t size : sizes) {
      auto* const memory = static_cast<char*>(arena.allocate(size, 64));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0U);
      std::memset(memory, 1, size);
    }
  }
}

TEST(Arena, LargeRequestLeavesTheChunkInUseOpen) {
  Arena arena(16 * kKiB, 64 * kKiB);
  ASSERT_TRUE(arena.reserve(1));
  const auto* const first = static_cast<const char*>(arena.allocate(1, 1));
  ASSERT_TRUE(arena.reserve(5000 * kKiB));
  std::memset(arena.allocate(5000 * kKiB, 1), 1, 5000 * kKiB);
  ASSERT_TRUE(arena.reserve(8 * kKiB));
  EXPECT_EQ(arena.allocate(8 * kKiB, 1), first + 1);
}

TEST(Arena, ZeroedAreasAreZeroAndAligned) {
  Arena arena(16 * kKiB, 64 * kKiB);
  ASSERT_TRUE(arena.reserve(100));
  std::memset(arena.allocate(100, 1), 0xFF, 100);
  for (const std::size_t size : {std::size_t{512}, std::size_t{4096}, 8 * kKiB, 4096 * kKiB}) {
    const auto* const area = static_cast<const char*>(arena.allocate_zeroed(size));
    ASSERT_NE(area, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(area) % 64, 0U);
    EXPECT_TRUE(std::all_of(area, area + size, [](char byte) { return byte == 0; }));
  }
}

TEST(Arena, RefusesWhatTheMachineHasNot) {
  Arena arena(16 * kKiB, 64 * kKiB);
  ASSERT_TRUE(arena.reserve(10));
  const std::uint64_t held = arena.memory_bytes();
  EXPECT_FALSE(arena.reserve(std::size_t{1} << 60));
  EXPECT_EQ(arena.allocate_zeroed(std::size_t{1} << 60), nullptr);
  EXPECT_EQ(arena.memory_bytes(), held);
  arena.allocate(10, 1);  // Still promised.
}

TEST(ArenaDeathTest, AllocatingMoreThanReservedIsABug) {
  Arena arena(16 * kKiB, 64 * kKiB);
  EXPECT_DEATH(arena.allocate(1, 1), "reserved");
}

}  // namespace

}  // namespace firn::memtable
