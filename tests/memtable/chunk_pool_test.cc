#include "lsm/memtable/chunk_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "codec/key_hash.h"
#include "lsm/memtable/memtable.h"
#include "platform/executor.h"
#include "platform/memory.h"

namespace firn::memtable {
namespace {

TEST(ChunkPool, KeepsNothingUnlessTold) {
  ChunkPool pool;
  pool.give(allocate_pages(kHugePageBytes));
  EXPECT_EQ(pool.bytes(), 0U);
  EXPECT_EQ(pool.take(), nullptr);
}

TEST(ChunkPool, HandsOutWhatItWasGiven) {
  ChunkPool pool;
  pool.keep(kHugePageBytes);
  void* const chunk = allocate_pages(kHugePageBytes);
  pool.give(chunk);
  pool.give(allocate_pages(kHugePageBytes));  // One too many.
  EXPECT_EQ(pool.bytes(), kHugePageBytes);
  EXPECT_EQ(pool.take(), chunk);
  EXPECT_EQ(pool.take(), nullptr);
  pool.give(chunk);
  pool.keep(0);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(ChunkPool, HasOneMadeWhereItHasNoneLeft) {
  const auto pool = std::make_shared<ChunkPool>();
  auto executor = make_thread_pool(1);
  pool->make_ahead_by(executor.get());
  EXPECT_EQ(pool->take(), nullptr);
  pool->make_ahead_by(nullptr);
  executor.reset();  // After its tasks.
  EXPECT_EQ(pool->bytes(), kHugePageBytes);
  void* const chunk = pool->take();
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(static_cast<const char*>(chunk)[kHugePageBytes - 1], 0);
  EXPECT_EQ(pool->bytes(), 0U);  // And nobody makes another one.
  pool->give(chunk);
}

std::string key_of(int i) { return "key" + std::to_string(i * 7919 % 100000); }

void fill(MemTable& memtable, int keys) {
  const std::string value(200, 'v');
  for (int i = 0; i < keys; ++i) {
    const std::string key = key_of(i);
    ASSERT_TRUE(memtable.reserve(1, key.size() + value.size()).ok());
    memtable.add(static_cast<Sequence>(i) + 1, EntryKind::kPut, key, key_hash(key), value);
  }
}

// Memory that held something else is as good as fresh memory.
TEST(ChunkPool, MemtablesFollowEachOtherInTheSameMemory) {
  constexpr std::uint64_t kCapacity = std::uint64_t{32} << 20;
  constexpr int kKeys = 60000;
  const auto pool = std::make_shared<ChunkPool>();
  pool->keep(kCapacity);
  for (int round = 0; round < 3; ++round) {
    MemTable memtable(kCapacity, {}, pool);
    fill(memtable, kKeys);
    EXPECT_EQ(memtable.keys(), static_cast<std::uint64_t>(kKeys));
    for (int i = 0; i < kKeys; ++i) {
      MemTable::Hit hit;
      const std::string key = key_of(i);
      ASSERT_TRUE(memtable.get(key, key_hash(key), kSequenceMax, hit));
      ASSERT_EQ(hit.sequence, static_cast<Sequence>(i) + 1);
    }
    std::string missing = "nothing";
    MemTable::Hit hit;
    EXPECT_FALSE(memtable.get(missing, key_hash(missing), kSequenceMax, hit));
    const auto cursor = memtable.cursor();
    std::string last;
    int seen = 0;
    for (cursor->seek_to_first(); cursor->valid(); cursor->next(), ++seen) {
      ASSERT_LT(last, cursor->entry().key);
      last.assign(cursor->entry().key);
    }
    EXPECT_EQ(seen, kKeys);
    EXPECT_LE(pool->bytes(), kHugePageBytes);  // All of it is in use, again.
  }
  EXPECT_GE(pool->bytes(), std::uint64_t{12} << 20);
}

}  // namespace
}  // namespace firn::memtable
