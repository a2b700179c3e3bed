// Iterators over mapped tables that lose their pages at any moment: between any two questions whether they have.
#include "tests/sstable/failing_mapping.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

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
  // Three runs. In each newer one, some keys are deleted and some are overwritten; keys differ before and after their
  // heads' ends, and in length.
  void fill() {
    for (std::size_t run = 0; run < 3; ++run) {
      for (std::size_t i = 0; i < 60; ++i) {
        const std::string key = (i % 3 == 0 ? "key in common " : "key ") + std::to_string(1000 + i / 2 * 7);
        const std::string value = "value " + std::to_string(run) + std::string(10 + i, '.');
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
  // A value that was handed out is gone with the mapping.
  void expect_row(const Iterator& iterator, const Rows::value_type& row, bool lost_by_this_move) const {
    ASSERT_EQ(iterator.key(), row.first);
    if (!lost_by_this_move) {
      ASSERT_EQ(iterator.value(), row.second);
    }
  }
  void expect_rows(bool forward) {
    Iterator iterator = db_->iterator();
    const auto expect_next = [&](const Rows::value_type& row) {
      const bool lost = files_.lost();
      ASSERT_EQ(forward ? iterator.next() : iterator.prev(), Step::kEntry);
      ASSERT_NO_FATAL_FAILURE(expect_row(iterator, row, lost != files_.lost()));
    };
    if (forward) {
      for (auto row = rows_.begin(); row != rows_.end(); ++row) ASSERT_NO_FATAL_FAILURE(expect_next(*row));
    } else {
      for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) ASSERT_NO_FATAL_FAILURE(expect_next(*row));
    }
    ASSERT_EQ(forward ? iterator.next() : iterator.prev(), Step::kEnd);
  }

  testing::TemporaryDirectory directory_;
  testing::FailingMappings files_;
  Platform platform_;
  Options options_;
  std::unique_ptr<DB> db_;
  Rows rows_;
};

TEST_F(FailingTables, AreReadWithoutTheirMappings) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(fill());
  for (const bool forward : {true, false}) {
    bool lost = true;
    std::size_t questions = 0;
    while (lost) {
      SCOPED_TRACE(++questions);
      ASSERT_TRUE(db_->close().ok());
      ASSERT_NO_FATAL_FAILURE(open());
      files_.lose_after(questions);
      ASSERT_NO_FATAL_FAILURE(expect_rows(forward));
      lost = files_.lost();
    }
    EXPECT_GT(questions, 2 * rows_.size());
  }
  ASSERT_TRUE(db_->close().ok());
}

}  // namespace
}  // namespace firn
