// Space that is given back when writers rest (compaction/rest_picker.h).
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "firn/firn.h"
#include "firn/sim/file_system.h"
#include "tests/lsm/rows_of.h"

namespace firn {
namespace {

constexpr std::uint64_t kMemtableBytes = 256 << 10;
constexpr std::uint64_t kRows = 10'000;  // Of 116 bytes: some nine memtables.

std::string key_of(std::uint64_t row) {
  char key[17];
  std::snprintf(key, sizeof key, "key%013llu", static_cast<unsigned long long>(row));
  return key;
}

class Rest : public ::testing::Test {
 protected:
  Rest() {
    platform_ = real_platform();
    platform_.files = &files_;
    open();
  }

  void open() {
    Options options;
    options.platform = &platform_;
    options.compression.fill(Compression::kNone);
    options.sizes.memtable_bytes = kMemtableBytes;
    options.sizes.table_bytes = kMemtableBytes;
    options.sizes.log_segment_bytes = kMemtableBytes;
    auto opened = DB::open("db", options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  void put(std::uint64_t row) {
    const std::string value(100, static_cast<char>('a' + ++puts_ % 26));
    rows_[key_of(row)] = value;
    ASSERT_TRUE(db_->put(key_of(row), value).ok());
  }
  // In an order of its own each time.
  void put_all() {
    const std::uint64_t step = 7919 + 2 * puts_ / kRows;
    for (std::uint64_t i = 0; i < kRows; ++i) put(i * step % kRows);
  }
  void erase(std::uint64_t row) {
    rows_.erase(key_of(row));
    ASSERT_TRUE(db_->erase(key_of(row)).ok());
  }
  void rest() {
    ASSERT_TRUE(db_->flush().ok());
    ASSERT_TRUE(db_->wait_idle().ok());
  }
  LevelInfo all_levels() {
    LevelInfo sum;
    const auto properties = db_->properties();
    for (const LevelInfo& level : properties->levels) {
      sum.tables += level.tables;
      sum.bytes += level.bytes;
      sum.entries += level.entries;
      sum.tombstones += level.tombstones;
    }
    return sum;
  }
  void expect_rows() { EXPECT_EQ(testing::rows_of(*db_), rows_); }

  sim::SimFileSystem files_;
  Platform platform_;
  std::unique_ptr<DB> db_;
  std::map<std::string, std::string> rows_;
  std::uint64_t puts_ = 0;
};

TEST_F(Rest, RowsThatWereOverwrittenGo) {
  for (int times = 0; times < 6; ++times) {
    put_all();
    for (std::uint64_t i = 0; i < 1000 * static_cast<std::uint64_t>(times); ++i) put(i * 3 % kRows);
    rest();
    EXPECT_LE(all_levels().entries * 10, kRows * 16) << times;  // Half as many may stay, and the share is an estimate.
  }
  expect_rows();
}

TEST_F(Rest, RowsThatWereDeletedGoAndTheirTombstonesToo) {
  put_all();
  ASSERT_TRUE(db_->compact_range().ok());
  const std::uint64_t compactions = db_->statistics().compactions;
  for (std::uint64_t i = 0; i < kRows; i += 2) erase(i);
  rest();
  const LevelInfo levels = all_levels();
  EXPECT_EQ(levels.tombstones, 0U);
  EXPECT_EQ(levels.entries, kRows / 2);
  EXPECT_EQ(db_->statistics().compactions, compactions + 1);
  expect_rows();
}

TEST_F(Rest, WhatASnapshotSeesStaysUntilTheNextRest) {
  put_all();
  ASSERT_TRUE(db_->compact_range().ok());
  const auto before = rows_;
  {
    const Snapshot snapshot = db_->snapshot();
    for (std::uint64_t i = 0; i < kRows; i += 2) erase(i);
    rest();
    EXPECT_GE(all_levels().entries, kRows);
    for (std::uint64_t i = 0; i < kRows; i += 101) {
      EXPECT_EQ(*db_->get(key_of(i), {&snapshot}), before.at(key_of(i)));
    }
  }
  for (std::uint64_t i = 1; i < kRows / 2; i += 2) put(i);
  rest();
  EXPECT_EQ(all_levels().entries, kRows / 2);
  expect_rows();
}

TEST_F(Rest, NewRowsAreNotMergedForIt) {
  put_all();
  ASSERT_TRUE(db_->compact_range().ok());
  const std::uint64_t written = db_->statistics().compaction_bytes_written;
  for (std::uint64_t i = 0; i < kRows / 4; ++i) put(kRows + i * 7 % kRows);
  rest();
  EXPECT_EQ(db_->statistics().compaction_bytes_written, written);
  expect_rows();
}

// Who opens a database did not ask for what its last owner left, nor does who writes one row.
TEST_F(Rest, AnOpenBeginsNothingAndOneRowNot) {
  put_all();
  ASSERT_TRUE(db_->compact_range().ok());
  for (std::uint64_t i = 0; i < kRows; i += 2) erase(i);
  ASSERT_TRUE(db_->close().ok());
  open();
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_EQ(db_->statistics().compactions, 0U);
  EXPECT_GT(all_levels().tombstones, 0U);
  put(1);
  rest();
  EXPECT_EQ(db_->statistics().compactions, 0U);
  for (std::uint64_t i = 0; i < kRows; i += 4) erase(i);
  rest();
  EXPECT_EQ(all_levels().tombstones, 0U);
  expect_rows();
}

// A part of the keys.
TEST_F(Rest, CompactingARangeIsNone) {
  put_all();
  ASSERT_TRUE(db_->compact_range().ok());
  for (std::uint64_t i = 0; i < kRows; i += 2) erase(i);
  const std::uint64_t compactions = db_->statistics().compactions;
  ASSERT_TRUE(db_->compact_range(kDefaultFamily, "x", "y").ok());
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_EQ(db_->statistics().compactions, compactions);
  EXPECT_EQ(all_levels().tombstones, kRows / 2);
  expect_rows();
}

}  // namespace
}  // namespace firn
