#include "lsm/memtable/memtable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/key_hash.h"

namespace firn {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class MemTableTest : public ::testing::Test {
 protected:
  void add(EntryKind kind, Slice key, Slice value) {
    ASSERT_TRUE(memtable_->reserve(1, key.size() + value.size()).ok());
    memtable_->add(++sequence_, kind, key, key_hash(key), value);
  }
  void put(Slice key, Slice value) { add(EntryKind::kPut, key, value); }
  void erase(Slice key) { add(EntryKind::kTombstone, key, {}); }

  // "value", "tombstone", or "none".
  std::string get(Slice key, Sequence at = kSequenceMax) const {
    MemTable::Hit hit;
    if (!memtable_->get(key, key_hash(key), at, hit)) return "none";
    return hit.kind == EntryKind::kTombstone ? "tombstone" : std::string(hit.value);
  }
  std::vector<std::string> keys_forward() const {
    std::vector<std::string> keys;
    MemTableCursor cursor(*memtable_);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) keys.emplace_back(cursor.entry().key);
    return keys;
  }
  void restart(std::uint64_t capacity, const std::string& common_prefix) {
    memtable_ = std::make_unique<MemTable>(capacity, common_prefix);
  }

  std::unique_ptr<MemTable> memtable_ = std::make_unique<MemTable>(64 * kMiB);
  Sequence sequence_ = 0;
};

TEST_F(MemTableTest, EmptyOneHoldsNothingAndCostsNearlyNothing) {
  EXPECT_TRUE(memtable_->empty());
  EXPECT_LT(memtable_->memory_bytes(), 1024U);
  EXPECT_EQ(memtable_->smallest_sequence(), 0U);
  EXPECT_EQ(get("a"), "none");
  const std::unique_ptr<MemTableCursor> cursor = memtable_->cursor();
  cursor->seek_to_first();
  EXPECT_FALSE(cursor->valid());
  cursor->seek_to_last();
  EXPECT_FALSE(cursor->valid());
  cursor->seek("a", kSequenceMax);
  EXPECT_FALSE(cursor->valid());
  cursor->seek_before("a");
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status().ok());
  EXPECT_EQ(memtable_->common_prefix_sample(), "");
}

TEST_F(MemTableTest, NearlyEmptyOneStaysSmall) {
  for (int n = 0; n < 10; ++n) put("key" + std::to_string(n), "value");
  EXPECT_LT(memtable_->memory_bytes(), 32U << 10);
}

TEST_F(MemTableTest, CountsWhatItHolds) {
  sequence_ = 40;
  put("a", "12345");
  put("bc", "1");
  erase("a");
  EXPECT_EQ(memtable_->entries(), 3U);
  EXPECT_EQ(memtable_->keys(), 2U);
  EXPECT_EQ(memtable_->tombstones(), 1U);
  EXPECT_EQ(memtable_->key_bytes(), 4U);
  EXPECT_EQ(memtable_->value_bytes(), 6U);
  EXPECT_EQ(memtable_->smallest_sequence(), 41U);
  EXPECT_EQ(memtable_->largest_sequence(), 43U);
}

TEST_F(MemTableTest, GetFindsTheNewestVersionNotNewerThanASequence) {
  put("k", "one");
  erase("k");
  put("other", "");
  put("k", "four");
  EXPECT_EQ(get("k", 0), "none");
  EXPECT_EQ(get("k", 1), "one");
  EXPECT_EQ(get("k", 2), "tombstone");
  EXPECT_EQ(get("k", 3), "tombstone");
  EXPECT_EQ(get("k", 4), "four");
  EXPECT_EQ(get("k"), "four");
  EXPECT_EQ(get("other"), "");
  EXPECT_EQ(get("kk"), "none");
}

TEST_F(MemTableTest, OldSnapshotOfAMuchOverwrittenKeyIsReadInFewSteps) {
  constexpr Sequence kVersions = 500'000;
  for (Sequence n = 1; n <= kVersions; ++n) put("k", std::to_string(n));
  for (Sequence at = 1; at <= kVersions; at += 97) ASSERT_EQ(get("k", at), std::to_string(at));

  MemTableCursor cursor(*memtable_);
  for (Sequence at = 1; at <= kVersions; at += 97) {
    cursor.seek("k", at);
    ASSERT_EQ(cursor.entry().sequence, at);
    if (at == kVersions) break;
    cursor.prev();
    ASSERT_EQ(cursor.entry().sequence, at + 1);
  }
  cursor.seek("", kSequenceMax);
  cursor.next_key(7);
  EXPECT_FALSE(cursor.valid());
}

TEST_F(MemTableTest, KeysOfEveryLengthComeBackInOrder) {
  std::vector<std::string> keys;
  for (std::size_t bytes = 0; bytes <= kKeyBytesMax; bytes = bytes < 40 ? bytes + 1 : bytes * 3 / 2) {
    for (const char byte : {'\0', 'a', '\xFF'}) keys.emplace_back(bytes, byte);
  }
  keys.emplace_back(kKeyBytesMax, 'k');
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string& key = keys[i * 61 % keys.size()];
    if (get(key) == "none") put(key, "of " + std::to_string(key.size()));
  }
  for (const std::string& key : keys) {
    if (get(key) == "none") put(key, "of " + std::to_string(key.size()));
  }
  EXPECT_EQ(keys_forward(), keys);
  for (const std::string& key : keys) {
    EXPECT_EQ(get(key), "of " + std::to_string(key.size()));
    MemTableCursor cursor(*memtable_);
    cursor.seek(key, kSequenceMax);
    ASSERT_TRUE(cursor.valid());
    EXPECT_EQ(cursor.entry().key, key);
  }
}

TEST_F(MemTableTest, KeysThatDifferOnlyInTrailingZerosAreDifferent) {
  std::vector<std::string> keys;
  for (std::size_t zeros = 0; zeros < 100; ++zeros) keys.push_back("a" + std::string(zeros, '\0'));
  for (std::size_t i = 0; i < keys.size(); ++i) put(keys[i * 37 % keys.size()], std::to_string(i * 37 % keys.size()));
  EXPECT_EQ(keys_forward(), keys);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(get(keys[i]), std::to_string(i));
}

TEST_F(MemTableTest, ThousandsOfKeysOfOneHeadStayInOrder) {
  std::vector<std::string> keys;
  for (std::size_t n = 0; n < 20'000; ++n) {
    std::string digits = std::to_string(n * 7919 % 20'000);
    keys.push_back("a common beginning of many bytes " + std::string(5 - digits.size(), '0') + digits);
    put(keys.back(), "");
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys_forward(), keys);
}

TEST_F(MemTableTest, KeysOutsideTheCommonPrefixKeepTheirPlace) {
  restart(kMiB, "mm");
  std::vector<std::string> keys;
  for (std::size_t n = 0; n < 2000; ++n) {
    keys.push_back(std::string(1, static_cast<char>('k' + n % 5)) + "m" + std::to_string(n));
    put(keys.back(), "");
  }
  for (const char* const key : {"", "m", "mm", "mn", "ml\xFF", "mm\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    keys.emplace_back(key);
    put(key, "");
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys_forward(), keys);
}

TEST_F(MemTableTest, ValuesOfEverySizeComeBack) {
  std::vector<std::size_t> sizes = {0, 1, 7, 8, 255, 4096, 65'535, 262'143, 262'144, kMiB, 2 * kMiB - 1, 5 * kMiB};
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t size : sizes) put("k" + std::to_string(size), std::string(size, static_cast<char>(round)));
  }
  for (const std::size_t size : sizes) {
    EXPECT_TRUE(get("k" + std::to_string(size)) == std::string(size, '\2'));
    EXPECT_TRUE(get("k" + std::to_string(size), sizes.size()) == std::string(size, '\0'));
  }
}

TEST_F(MemTableTest, HalfOfTheMemoryIsKeysAndValues) {
  while (memtable_->memory_bytes() < 64 * kMiB) {
    const std::string key = std::to_string(key_hash(std::to_string(sequence_)) % 10'000'000'000'000'000);
    put(key, std::string(100, 'v'));
  }
  EXPECT_GT(memtable_->key_bytes() + memtable_->value_bytes(), 33 * kMiB);
}

// The index used to double for the last few rows, which took an eighth of the capacity and more.
TEST_F(MemTableTest, WhatIsLeftOfTheCapacityIsForRows) {
  for (const std::uint64_t capacity : {kMiB, 4 * kMiB, 64 * kMiB}) {
    restart(capacity, "");
    while (memtable_->memory_bytes() < capacity) put(std::to_string(1'000'000'000 + sequence_), std::string(106, 'v'));
    EXPECT_LT(memtable_->memory_bytes(), capacity + capacity / 32);
    EXPECT_GT(memtable_->entries(), capacity / 200);
    EXPECT_EQ(get(std::to_string(1'000'000'000 + sequence_ - 1)), std::string(106, 'v'));
  }
}

TEST_F(MemTableTest, SmallCapacityIsNotOvershot) {
  restart(64 << 10, "");
  while (memtable_->memory_bytes() < 64 << 10) put(std::to_string(sequence_ * 2'654'435'761U), std::string(100, 'v'));
  EXPECT_LT(memtable_->memory_bytes(), 100U << 10);
  EXPECT_GT(memtable_->entries(), 150U);
}

TEST_F(MemTableTest, ReserveFailsWithoutEffect) {
  put("k", "v");
  const Status status = memtable_->reserve(1, std::size_t{1} << 60);
  EXPECT_EQ(status.code(), StatusCode::kOutOfMemory);
  EXPECT_EQ(get("k"), "v");
  put("l", "w");
  EXPECT_EQ(get("l"), "w");
}

TEST_F(MemTableTest, ABatchNeedsNoMoreThanItsReservation) {
  for (int round = 0; round < 50; ++round) {
    const std::size_t count = static_cast<std::size_t>(1) << (round % 12);
    ASSERT_TRUE(memtable_->reserve(count, count * 40).ok());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key = std::to_string(key_hash(std::to_string(sequence_)));
      memtable_->add(++sequence_, EntryKind::kPut, key, key_hash(key), std::string(40 - key.size(), 'v'));
    }
  }
}

TEST_F(MemTableTest, CursorGoesOnOverKeysAddedMeanwhile) {
  for (int n = 100; n < 200; n += 10) put(std::to_string(n), "");
  MemTableCursor cursor(*memtable_);
  cursor.seek("120", kSequenceMax);
  for (int n = 100; n < 200; ++n) put(std::to_string(n), "new");
  std::vector<std::string> old;
  for (; cursor.valid(); cursor.next()) {
    if (cursor.entry().sequence <= 10) old.emplace_back(cursor.entry().key);
  }
  EXPECT_EQ(old, (std::vector<std::string>{"120", "130", "140", "150", "160", "170", "180", "190"}));
}

TEST_F(MemTableTest, NextKeyShowsOneVisibleVersionOfEachKey) {
  put("a", "1");
  put("b", "2");
  put("a", "3");
  put("c", "4");
  put("b", "5");
  MemTableCursor cursor(*memtable_);
  cursor.seek("", 3);
  EXPECT_EQ(cursor.entry().sequence, 3U);
  cursor.next_key(3);
  EXPECT_EQ(cursor.entry().sequence, 2U);
  cursor.next_key(3);
  EXPECT_FALSE(cursor.valid());
  cursor.seek_to_last();
  EXPECT_EQ(cursor.entry().key, "c");
  cursor.prev_key(3);
  EXPECT_EQ(cursor.entry().sequence, 2U);
  cursor.prev_key(3);
  EXPECT_EQ(cursor.entry().sequence, 3U);
  cursor.prev_key(3);
  EXPECT_FALSE(cursor.valid());
}

TEST_F(MemTableTest, LearnsTheCommonPrefixOfItsKeys) {
  for (std::uint64_t n = 0; n < 5000; ++n) put("user:" + std::to_string(key_hash(std::to_string(n)) | 1ULL << 63), "");
  EXPECT_EQ(memtable_->common_prefix_sample(), "user:");
}

TEST_F(MemTableTest, RisingKeysLeaveRoomToCountOn) {
  for (std::uint64_t n = 0; n < 5000; ++n) put("row" + std::to_string(100'000 + n), "");
  EXPECT_EQ(memtable_->common_prefix_sample(), "ro");  // "row10", less three bytes.
}

TEST_F(MemTableTest, TooFewKeysTeachNothing) {
  for (std::uint64_t n = 0; n < 10; ++n) put("row" + std::to_string(n), "");
  EXPECT_EQ(memtable_->common_prefix_sample(), "");
}

}  // namespace

}  // namespace firn
