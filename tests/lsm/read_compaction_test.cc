// Compactions that reads ask for, and the account that makes them.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "firn/db.h"
#include "lsm/read_account.h"
#include "tests/lsm/rows_of.h"
#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

TEST(ReadAccount, AsksOnceWhenTheSumIsDue) {
  lsm::ReadAccount account;
  account.charge(1'000'000);
  EXPECT_FALSE(account.asks());  // Never, unless told when.
  account.set_due(1'000'010);
  account.charge(1);
  EXPECT_FALSE(account.asks());
  while (!account.asks()) account.charge(1);
  EXPECT_TRUE(account.asks_now());
  EXPECT_FALSE(account.asks_now());
  EXPECT_TRUE(account.asks());
}

TEST(ReadAccount, ShortSumsAreSeenExactly) {
  lsm::ReadAccount account;
  account.set_due(10);
  for (int i = 0; i < 9; ++i) account.charge(1);
  EXPECT_FALSE(account.asks());
  account.charge(1);
  EXPECT_TRUE(account.asks());
  account.put_off();
  EXPECT_FALSE(account.asks());
  account.charge(9);
  EXPECT_FALSE(account.asks());
  account.charge(1);
  EXPECT_TRUE(account.asks_now());
}

TEST(ReadAccount, AddsUpWhatThreadsCharge) {
  lsm::ReadAccount account;
  account.set_due(4000);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&account] {
      for (int i = 0; i < 1000; ++i) account.charge(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4000 / 64 && !account.asks(); ++i) account.charge(1);
  EXPECT_TRUE(account.asks());
}

class ReadCompaction : public ::testing::Test {
 protected:
  void open(bool read_only = false) {
    Options options;
    options.compression.fill(Compression::kNone);
    options.sizes.memtable_bytes = 1 << 20;
    options.read_only = read_only;
    auto opened = DB::open(directory_.path("db"), options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }

  // `tables` tables of L0, each with some of the keys.
  void fill(int tables) {
    for (int table = 0; table < tables; ++table) {
      for (int i = 0; i < 300; ++i) {
        const std::string key = "key" + std::to_string(1000 + (i * 7 + table) % 1000);
        rows_[key] = std::string(100, static_cast<char>('a' + table));
        ASSERT_TRUE(db_->put(key, rows_[key]).status().ok());
      }
      ASSERT_TRUE(db_->flush().ok());
    }
    ASSERT_TRUE(db_->wait_idle().ok());
  }

  std::vector<std::uint32_t> tables() {
    std::vector<std::uint32_t> counts;
    const auto properties = db_->properties();
    for (const LevelInfo& level : properties->levels) counts.push_back(static_cast<std::uint32_t>(level.tables));
    return counts;
  }

  void seek(int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(db_->iterator().seek("key1500"), Step::kEntry);
    ASSERT_TRUE(db_->wait_idle().ok());
  }

  void expect_rows() { EXPECT_EQ(testing::rows_of(*db_), rows_); }

  testing::TemporaryDirectory directory_;
  std::unique_ptr<DB> db_;
  std::map<std::string, std::string> rows_;
};

TEST_F(ReadCompaction, SeeksMergeTheTablesTheyLookAt) {
  open();
  fill(4);
  ASSERT_EQ(tables()[0], 4U);
  seek(5);
  EXPECT_EQ(tables()[0], 4U);  // Not for a few.
  const Snapshot snapshot = db_->snapshot();
  Iterator older = db_->iterator();
  seek(1000);
  EXPECT_EQ(tables()[0], 0U);
  EXPECT_EQ(db_->statistics().compactions, 1U);
  seek(1000);
  EXPECT_EQ(db_->statistics().compactions, 1U);  // One run is what there is to reach.
  expect_rows();
  EXPECT_EQ(older.seek("key1500"), Step::kEntry);
}

// The block of a run in which nothing begins like that was read all the same.
TEST_F(ReadCompaction, ScansOfAPrefixThatOneRunHasMergeTheTablesTheyLookAt) {
  open();
  fill(4);
  rows_["key1500+"] = "only";
  ASSERT_TRUE(db_->put("key1500+", "only").status().ok());
  ASSERT_TRUE(db_->flush().ok());
  ASSERT_EQ(tables()[0], 5U);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(db_->scan_prefix("key1500+").next(), Step::kEntry);
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_LE(tables()[0], 1U);
  expect_rows();
}

TEST_F(ReadCompaction, SeeksAboveAMuchLargerLevelMergeL0Alone) {
  open();
  for (int i = 0; i < 30'000; ++i) {
    const std::string key = "key" + std::to_string(10'000 + i);
    rows_[key] = std::string(100, 'z');
    ASSERT_TRUE(db_->put(key, rows_[key]).status().ok());
  }
  ASSERT_TRUE(db_->compact_range().ok());
  fill(3);
  const std::vector<std::uint32_t> before = tables();
  ASSERT_EQ(before[0], 3U);
  seek(1000);
  EXPECT_LE(tables()[0], 1U);
  EXPECT_EQ(tables()[6], before[6]);
  expect_rows();
}

TEST_F(ReadCompaction, AReaderOfAReadOnlyDatabaseAsksForNothing) {
  open();
  fill(4);
  ASSERT_TRUE(db_->close().ok());
  open(true);
  seek(2000);
  EXPECT_EQ(tables()[0], 4U);
  expect_rows();
}

TEST_F(ReadCompaction, AnIteratorMayOutliveTheDatabaseItIsChargedTo) {
  open();
  fill(4);
  Iterator it = db_->iterator();
  ASSERT_TRUE(db_->close().ok());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(it.seek("key1500"), Step::kEntry);
  db_.reset();
}

}  // namespace
}  // namespace firn
