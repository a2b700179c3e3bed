// Gets from and iterators over mapped tables that lose their pages at any moment: between any two questions whether
// they have.
#include "tests/sstable/failing_mapping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "firn/db.h"
#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

using Rows = std::map<std::string, std::string>;

class FailingTables : public ::testing::Test {
 protected:
  FailingTables() : files_(*real_platform().files), platform_(real_platform()) {
    platform_.files = &files_;
    options_.platform = &platform_;
    options_.compression.fill(Compression::kNone);
    options_.sizes.block_bytes = 512;
  }

  void open() {
    auto opened = DB::open(directory_.path("db"), options_);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  // Three runs, with values that are copied, pinned, and of their own file. In each newer one, some keys are deleted
  // and some are overwritten; keys differ before and after their heads' ends, and in length.
  void fill() {
    for (std::size_t run = 0; run < 3; ++run) {
      for (std::size_t i = 0; i < 60; ++i) {
        const std::string key = (i % 3 == 0 ? "key in common " : "key ") + std::to_string(1000 + i / 2 * 7);
        const std::size_t bytes = i % 20 == 4 ? 5000 : i % 10 == 7 ? 400 : 10 + i;
        const std::string value = "value " + std::to_string(run) + std::string(bytes, '.');
        if (run != 0 && (i + run) % 3 == 0) {
          ASSERT_TRUE(db_->erase(key).status().ok());
          rows_.erase(key);
        } else if (run == 0 || (i + run) % 3 == 1) {
          ASSERT_TRUE(db_->put(key, value).status().ok());
          rows_[key] = value;
        }
      }
      ASSERT_TRUE(db_->flush().ok());
    }
  }
  // A value that was handed out is gone with the mapping, and the iterator says so.
  void expect_row(Iterator& iterator, const Rows::value_type& row) {
    ASSERT_EQ(iterator.key(), row.first);
    const std::string shown(iterator.value());
    ASSERT_TRUE(!iterator.intact() || shown == row.second) << shown;
    std::string copy;
    ASSERT_EQ(iterator.copy_value(copy), Step::kEntry);
    ASSERT_EQ(copy, row.second);
    ASSERT_EQ(iterator.key(), row.first);
  }
  void expect_rows(bool forward) {
    Iterator iterator = db_->iterator();
    std::vector<const Rows::value_type*> rows;
    for (const auto& row : rows_) rows.push_back(&row);
    if (!forward) std::reverse(rows.begin(), rows.end());
    for (const Rows::value_type* row : rows) {
      ASSERT_EQ(forward ? iterator.next() : iterator.prev(), Step::kEntry);
      ASSERT_NO_FATAL_FAILURE(expect_row(iterator, *row));
    }
    ASSERT_EQ(forward ? iterator.next() : iterator.prev(), Step::kEnd);
  }

  // All three ways to get a value.
  void expect_gets() {
    std::vector<Slice> keys;
    for (const auto& [key, expected] : rows_) {
      auto value = db_->get(key);
      ASSERT_TRUE(value.ok()) << key << ": " << value.status().to_string();
      ASSERT_EQ(*value, expected) << key;
      auto pinned = db_->get_pinned(key);
      ASSERT_TRUE(pinned.ok()) << key << ": " << pinned.status().to_string();
      ASSERT_NO_FATAL_FAILURE(expect_value(*pinned, expected));
      keys.push_back(key);
    }
    const auto values = db_->multi_get(keys);
    auto row = rows_.begin();
    for (const auto& value : values) {
      ASSERT_TRUE(value.ok()) << row->first << ": " << value.status().to_string();
      ASSERT_NO_FATAL_FAILURE(expect_value(*value, row->second));
      ++row;
    }
  }
  static void expect_value(const PinnedValue& value, const std::string& expected) {
    const std::string shown(value.slice());
    ASSERT_TRUE(!value.intact() || shown == expected) << shown;
  }
  // Opens the database and runs `read`, with the pages lost after the first question, then after the second, and so on.
  // Answers how many questions there are.
  template <class Read>
  std::size_t lose_after_each_question(Read read) {
    std::size_t questions = 0;
    for (bool lost = true; lost && !HasFatalFailure();) {
      SCOPED_TRACE(++questions);
      EXPECT_TRUE(db_->close().ok());
      open();
      files_.lose_after(questions);
      read();
      lost = files_.lost();
    }
    return questions;
  }

  testing::TemporaryDirectory directory_;
  testing::FailingMappings files_;
  Platform platform_;
  Options options_;
  std::unique_ptr<DB> db_;
  Rows rows_;
};

TEST_F(FailingTables, AreWalkedWithoutTheirMappings) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(fill());
  for (const bool forward : {true, false}) {
    EXPECT_GT(lose_after_each_question([&] { expect_rows(forward); }), 2 * rows_.size());
  }
  ASSERT_TRUE(db_->close().ok());
}

TEST_F(FailingTables, GiveValuesOrSayThatTheyAreGone) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(fill());
  EXPECT_GT(lose_after_each_question([&] { expect_gets(); }), 3 * rows_.size());
  ASSERT_TRUE(db_->close().ok());
}

TEST_F(FailingTables, TakeAValueThatWasPinnedWithThem) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string value(1000, 'v');
  ASSERT_TRUE(db_->put("key", value).status().ok());
  ASSERT_TRUE(db_->flush().ok());
  const auto pinned = db_->get_pinned("key");
  ASSERT_TRUE(pinned.ok());
  EXPECT_EQ(pinned->slice(), value);
  EXPECT_TRUE(pinned->intact());
  files_.mapping().lose(0, files_.mapping().bytes().size());
  EXPECT_NE(pinned->slice(), value);
  EXPECT_FALSE(pinned->intact());
  const auto again = db_->get_pinned("key");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->slice(), value);
  EXPECT_TRUE(again->intact());
  ASSERT_TRUE(db_->close().ok());
}

}  // namespace
}  // namespace firn
