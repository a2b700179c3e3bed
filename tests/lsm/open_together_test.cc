// Tables that one read needs are opened together: none is waited for before all were asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firn/db.h"
#include "firn/sim/file_system.h"

namespace firn {
namespace {

using sim::Fault;
using sim::Operation;
using sim::OperationKind;

constexpr std::size_t kRuns = 4;

class ClosedTables : public ::testing::Test {
 protected:
  ClosedTables() {
    platform_.files = &files_;
    options_.platform = &platform_;
    options_.sizes.block_bytes = 512;
  }
  ~ClosedTables() override { files_.set_fault_hook({}); }

  // Run r has keys k0r, k1r, ..., so that each run may have each key as far as its bounds tell.
  static std::string key(std::size_t run, std::size_t i) { return "k" + std::to_string(100 + i) + std::to_string(run); }
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open());
    for (std::size_t run = 0; run < kRuns; ++run) {
      for (std::size_t i = 0; i < 100; ++i) ASSERT_TRUE(db_->put(key(run, i), key(run, i)).status().ok());
      ASSERT_TRUE(db_->flush().ok());
    }
    const auto properties = db_->properties();
    ASSERT_TRUE(properties.ok());
    for (const TableInfo& table : properties->tables) paths_.push_back(table.path);
    ASSERT_EQ(paths_.size(), kRuns);
    ASSERT_TRUE(db_->close().ok());
    ASSERT_NO_FATAL_FAILURE(open());
  }
  void open() {
    auto opened = DB::open("db", options_);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  // What is done with tables from now on; reads of `broken` fail.
  void watch(std::string broken = {}) {
    files_.set_fault_hook([this, broken = std::move(broken)](const Operation& operation) -> std::optional<Fault> {
      if (operation.file_kind != FileKind::kTable) return std::nullopt;
      const std::lock_guard lock(mutex_);
      if (operation.kind == OperationKind::kOpen) steps_.push_back('o');
      if (operation.kind == OperationKind::kRead) steps_.push_back(operation.bytes == 4096 ? 'f' : 'r');
      if (operation.kind == OperationKind::kRead && operation.path == broken) return EIO;
      return std::nullopt;
    });
  }
  // All tables were opened, then all footers read, before anything else.
  void expect_together() {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(steps_.substr(0, 2 * kRuns + 1), "ooooffffr") << steps_;
    EXPECT_EQ(std::count(steps_.begin(), steps_.end(), 'o'), kRuns);
  }

  sim::SimFileSystem files_;
  Platform platform_ = real_platform();
  Options options_;
  std::unique_ptr<DB> db_;
  std::vector<std::string> paths_;  // Newest first.
  std::mutex mutex_;
  std::string steps_;
};

TEST_F(ClosedTables, AreListedOnceByAnOpen) {
  ASSERT_TRUE(db_->close().ok());
  files_.set_fault_hook([this](const Operation& operation) -> std::optional<Fault> {
    const std::lock_guard lock(mutex_);
    if (operation.kind == OperationKind::kList) steps_.push_back('l');
    return std::nullopt;
  });
  ASSERT_NO_FATAL_FAILURE(open());
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(steps_, "l");
}

TEST_F(ClosedTables, AreOpenedTogetherByAGet) {
  watch();
  EXPECT_EQ(*db_->get(key(0, 50)), key(0, 50));
  expect_together();
}

TEST_F(ClosedTables, AreOpenedTogetherByAMultiGet) {
  watch();
  const std::vector<std::string> keys = {key(0, 50), key(3, 50), key(1, 7), key(1, 8)};
  const std::vector<std::string_view> wanted(keys.begin(), keys.end());
  const auto values = db_->multi_get(wanted);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(values[i]->slice(), keys[i]);
  expect_together();
}

TEST_F(ClosedTables, AreOpenedTogetherByASeek) {
  for (const bool forward : {true, false}) {
    watch();
    Iterator iterator = db_->iterator();
    ASSERT_EQ(forward ? iterator.seek(key(2, 50)) : iterator.seek_before(key(3, 50)), Step::kEntry);
    EXPECT_EQ(iterator.key(), key(2, 50));
    expect_together();
    iterator = Iterator(nullptr);
    files_.set_fault_hook({});
    steps_.clear();
    ASSERT_TRUE(db_->close().ok());
    ASSERT_NO_FATAL_FAILURE(open());
  }
}

TEST_F(ClosedTables, ThatCannotBeReadFailOnlyWhatNeedsThem) {
  watch(paths_[1]);  // That of run 2.
  const auto names_broken = [this](const Status& status) {
    return status.to_string().find(paths_[1]) != std::string::npos;
  };
  const std::vector<std::string> keys = {key(3, 50), key(2, 50), key(1, 50)};
  const std::vector<std::string_view> wanted(keys.begin(), keys.end());
  const auto values = db_->multi_get(wanted);
  EXPECT_EQ(values[0]->slice(), keys[0]);
  EXPECT_EQ(values[1].status().code(), StatusCode::kIo);
  EXPECT_EQ(values[2].status().code(), StatusCode::kIo);
  EXPECT_EQ(*db_->get(keys[0]), keys[0]);
  EXPECT_TRUE(names_broken(db_->get(keys[2]).status()));
  Iterator iterator = db_->iterator();
  EXPECT_EQ(iterator.seek(keys[0]), Step::kError);
  EXPECT_TRUE(names_broken(iterator.status()));
  files_.set_fault_hook({});
  EXPECT_EQ(iterator.seek(keys[0]), Step::kEntry);
  EXPECT_EQ(*db_->get(keys[2]), keys[2]);
}

}  // namespace
}  // namespace firn
