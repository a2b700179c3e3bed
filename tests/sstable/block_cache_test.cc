#include "sstable/block_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "platform/epoch.h"
#include "tests/sstable/table_fixture.h"
#include "tests/support/cases.h"

namespace firn {
namespace {

using testing::Item;
using testing::numbered_items;
using testing::TableFixture;

BlockRef filled(BlockCache& cache, char byte, std::size_t bytes = 1000) {
  BlockRef block = cache.make_block(bytes);
  std::memset(block->data(), byte, bytes);
  return block;
}

class BlockCacheTest : public ::testing::Test {
 protected:
  void put(BlockCache& cache, std::size_t slot, char byte) {
    const EpochGuard guard;
    EXPECT_EQ(cache.insert(guard, slots_[slot], filled(cache, byte))->data()[0], byte);
  }
  // The first byte of what `slot` holds; '-' for nothing.
  char look(BlockCache& cache, std::size_t slot) {
    const EpochGuard guard;
    const CachedBlock* const block = cache.lookup(guard, slots_[slot]);
    return block == nullptr ? '-' : block->data()[0];
  }
  std::string look_at_all(BlockCache& cache, std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += look(cache, i);
    return bytes;
  }

  std::vector<BlockCache::Slot> slots_ = std::vector<BlockCache::Slot>(100);
};

TEST_F(BlockCacheTest, HoldsWhatFits) {
  BlockCache cache(5000);
  EXPECT_EQ(look(cache, 0), '-');
  for (char c = 'a'; c < 'e'; ++c) put(cache, static_cast<std::size_t>(c - 'a'), c);
  EXPECT_EQ(look_at_all(cache, 4), "abcd");
  EXPECT_LE(cache.used_bytes(), 5000U);
  EXPECT_EQ(cache.counts().hits, 4U);
  EXPECT_EQ(cache.counts().misses, 1U);
  cache.remove(slots_);
  EXPECT_EQ(cache.used_bytes(), 0U);
}

TEST_F(BlockCacheTest, UnusedBlocksGoFirst) {
  BlockCache cache(5000);
  for (char c = 'a'; c < 'e'; ++c) put(cache, static_cast<std::size_t>(c - 'a'), c);
  EXPECT_EQ(look(cache, 0), 'a');
  EXPECT_EQ(look(cache, 2), 'c');
  put(cache, 4, 'e');
  put(cache, 5, 'f');
  EXPECT_EQ(look_at_all(cache, 6), "a-c-ef");
  cache.remove(slots_);
}

TEST_F(BlockCacheTest, ReferencedBlocksStayAndCount) {
  BlockCache cache(5000);
  std::vector<BlockRef> references;
  for (char c = 'a'; c < 'e'; ++c) {
    put(cache, static_cast<std::size_t>(c - 'a'), c);
    const EpochGuard guard;
    CachedBlock* const block = cache.lookup(guard, slots_[static_cast<std::size_t>(c - 'a')]);
    block->add_reference();
    references.push_back(BlockRef(block));
  }
  {
    // No room: the reader gets a block of its own.
    const EpochGuard guard;
    EXPECT_EQ(cache.insert(guard, slots_[9], filled(cache, 'x'))->data()[0], 'x');
    EXPECT_GT(cache.used_bytes(), 5000U);
  }
  epoch_drain();
  EXPECT_LE(cache.used_bytes(), 5000U);
  EXPECT_EQ(look_at_all(cache, 10), "abcd------");
  references.clear();
  put(cache, 9, 'x');
  EXPECT_EQ(look(cache, 9), 'x');
  epoch_drain();
  EXPECT_LE(cache.used_bytes(), 5000U);
  cache.remove(slots_);
}

TEST_F(BlockCacheTest, ABlockLargerThanTheCacheIsNotCached) {
  BlockCache cache(5000);
  put(cache, 0, 'a');
  {
    const EpochGuard guard;
    EXPECT_EQ(cache.insert(guard, slots_[1], filled(cache, 'x', 6000))->size(), 6000U);
  }
  epoch_drain();
  EXPECT_EQ(look(cache, 1), '-');
  EXPECT_LE(cache.used_bytes(), 5000U);
  cache.remove(slots_);
}

TEST_F(BlockCacheTest, NoCapacityStillServes) {
  BlockCache cache(0);
  put(cache, 0, 'a');
  EXPECT_EQ(look(cache, 0), '-');
  epoch_drain();
  EXPECT_EQ(cache.used_bytes(), 0U);
}

TEST_F(BlockCacheTest, SecondInsertGetsTheFirstBlock) {
  BlockCache cache(5000);
  const EpochGuard guard;
  CachedBlock* const first = cache.insert(guard, slots_[0], filled(cache, 'a'));
  EXPECT_EQ(cache.insert(guard, slots_[0], filled(cache, 'a')), first);
  cache.remove(slots_);
}

TEST_F(BlockCacheTest, ReferenceOutlivesTheCache) {
  BlockRef reference;
  {
    BlockCache cache(5000);
    put(cache, 0, 'a');
    {
      const EpochGuard guard;
      CachedBlock* const block = cache.lookup(guard, slots_[0]);
      block->add_reference();
      reference = BlockRef(block);
    }
    cache.remove(slots_);
  }
  EXPECT_EQ(reference->data()[999], 'a');
}

// Threads read one table through a cache that holds a fraction of it; some keep references, some only look.
TEST(BlockCacheThreads, ReadersAlwaysSeeTheRightBytes) {
  const auto items = numbered_items(20000, 30);
  TableFixture fixture(100'000);
  ASSERT_TRUE(fixture.build(items).ok());
  auto opened = fixture.open();
  ASSERT_TRUE(opened.ok());
  const Table& table = **opened;
  std::atomic<int> wrong{0};
  const auto look_up = [&](std::uint64_t seed) {
    std::vector<BlockRef> held;
    std::vector<std::pair<Slice, std::size_t>> values;
    for (std::uint64_t n = 0; n < testing::cases(20'000); ++n) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      const std::uint64_t r = seed >> 33;
      const std::size_t i = r % (r % 3 == 0 ? items.size() : 200);
      const EpochGuard guard;
      TableHit hit;
      const Status s = table.get(guard, items[i].key, key_hash(items[i].key), kSequenceMax, hit);
      if (!s.ok() || !hit.found || hit.value != items[i].value) ++wrong;
      if (hit.found && r % 64 == 0) {
        hit.block->add_reference();
        held.push_back(BlockRef(hit.block));
        values.emplace_back(hit.value, i);
      }
      if (held.size() == 8) {
        for (const auto& [value, at] : values) wrong += value == items[at].value ? 0 : 1;
        held.clear();
        values.clear();
      }
    }
  };
  const auto scan = [&] {
    TableCursor cursor(table);
    for (int round = 0; round < 2; ++round) {
      std::size_t i = 0;
      for (cursor.seek_to_first(); cursor.valid(); cursor.next(), ++i) {
        wrong += cursor.entry().value == items[i].value ? 0 : 1;
      }
      wrong += i == items.size() ? 0 : 1;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 3; ++t) threads.emplace_back(look_up, t);
    threads.emplace_back(scan);
  }
  EXPECT_EQ(wrong, 0);
  epoch_drain();
  EXPECT_LE(fixture.cache().used_bytes(), 100'000U);
  EXPECT_GT(fixture.cache().counts().hits, 0U);
  EXPECT_GT(fixture.cache().counts().misses, 0U);
}

// Many threads come upon the same unverified blocks.
TEST(MappedTableThreads, BlocksAreVerifiedByWhoeverComesFirst) {
  const auto items = numbered_items(5000, 30);
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  std::atomic<int> wrong{0};
  for (int round = 0; round < 5; ++round) {
    auto table = fixture.open(true);
    ASSERT_TRUE(table.ok());
    const auto read = [&] {
      for (const Item& item : items) {
        bool found = false;
        Item answer;
        const Status s = testing::get(**table, item.key, kSequenceMax, found, answer);
        wrong += s.ok() && found && answer == item ? 0 : 1;
      }
    };
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) threads.emplace_back(read);
  }
  EXPECT_EQ(wrong, 0);
}

// Tables come and go while others are read.
TEST(BlockCacheThreads, TablesCloseBesideReaders) {
  const auto items = numbered_items(3000, 30);
  TableFixture fixture(50'000);
  ASSERT_TRUE(fixture.build(items).ok());
  std::atomic<int> wrong{0};
  const auto work = [&] {
    for (std::uint64_t round = 0; round < testing::cases(30); ++round) {
      auto table = fixture.open();
      if (!table.ok()) {
        ++wrong;
        return;
      }
      for (std::size_t i = 0; i < items.size(); i += 7) {
        bool found = false;
        Item answer;
        const Status s = testing::get(**table, items[i].key, kSequenceMax, found, answer);
        wrong += s.ok() && found && answer == items[i] ? 0 : 1;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) threads.emplace_back(work);
  }
  EXPECT_EQ(wrong, 0);
  epoch_drain();
  EXPECT_EQ(fixture.cache().used_bytes(), 0U);
}

}  // namespace
}  // namespace firn
