// Large filters come late: the first gets of a table go without, one of those after them loads it.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "firn/db.h"
#include "firn/sim/file_system.h"

namespace firn {
namespace {

using sim::Fault;
using sim::Operation;
using sim::OperationKind;

constexpr std::size_t kRows = 20'000;
constexpr std::uint32_t kBitsPerKey = 32;
constexpr std::uint64_t kFilterBytes = kRows * kBitsPerKey / 8;  // A little more: whole lines.
constexpr std::size_t kGetsBefore = 16;                          // So many go without.

class LateFilter : public ::testing::Test {
 protected:
  LateFilter() {
    platform_.files = &files_;
    options_.platform = &platform_;
    options_.default_family.filter_bits_per_key = kBitsPerKey;
  }
  ~LateFilter() override { files_.set_fault_hook({}); }

  static std::string key(std::size_t i) { return "key" + std::to_string(1'000'000 + i); }
  static std::string absent(std::size_t i) { return key(i) + "-"; }

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open());
    add_table();
    ASSERT_NO_FATAL_FAILURE(reopen());
  }
  void add_table() {
    WriteBatch batch;
    for (std::size_t i = 0; i < kRows; ++i) batch.put(key(i), "v");
    ASSERT_TRUE(db_->write(batch).ok());
    ASSERT_TRUE(db_->flush().ok());
  }
  void open() {
    auto opened = DB::open("db", options_);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  void reopen() {
    files_.set_fault_hook({});
    ASSERT_TRUE(db_->close().ok());
    ASSERT_NO_FATAL_FAILURE(open());
    files_.set_fault_hook([this](const Operation& operation) -> std::optional<Fault> {
      if (operation.kind != OperationKind::kRead || operation.file_kind != FileKind::kTable) return std::nullopt;
      if (operation.bytes < kFilterBytes) return std::nullopt;
      ++filter_reads_;
      filter_offset_ = operation.offset;
      return fault_;
    });
    filter_reads_ = 0;
  }
  std::uint64_t skips() const { return db_->statistics().filter_skips; }
  void get_some(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(db_->get(absent(i)).status().is_not_found());
  }
  std::string table_path() const { return db_->properties()->tables.at(0).path; }

  sim::SimFileSystem files_;
  Platform platform_ = real_platform();
  Options options_;
  std::unique_ptr<DB> db_;
  std::optional<Fault> fault_;  // Of reads of a filter.
  std::atomic<int> filter_reads_{0};
  std::atomic<std::uint64_t> filter_offset_{0};
};

TEST_F(LateFilter, IsLoadedByTheGetAfterTheFirstOnes) {
  get_some(kGetsBefore);
  EXPECT_EQ(*db_->get(key(7)), "v");
  EXPECT_EQ(filter_reads_, 1);
  ASSERT_NO_FATAL_FAILURE(reopen());
  get_some(kGetsBefore);
  EXPECT_EQ(filter_reads_, 0);
  EXPECT_EQ(skips(), 0U);
  get_some(1000);
  EXPECT_EQ(filter_reads_, 1);
  EXPECT_GE(skips(), 998U);  // Of 32 bits a key hardly any passes.
  for (std::size_t i = 0; i < kRows; i += 100) EXPECT_EQ(*db_->get(key(i)), "v");
}

TEST_F(LateFilter, IsLoadedByTheSecondLargeMultiGet) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 2 * kGetsBefore; ++i) keys.push_back(i % 2 == 0 ? key(i) : absent(i));
  const std::vector<std::string_view> wanted(keys.begin(), keys.end());
  for (int call = 0; call < 3; ++call) {
    const auto values = db_->multi_get(wanted);
    for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(values[i].ok(), i % 2 == 0) << i;
    EXPECT_EQ(filter_reads_, call == 0 ? 0 : 1);
    EXPECT_EQ(skips(), static_cast<std::uint64_t>(call) * kGetsBefore);
  }
}

TEST_F(LateFilter, IsNothingThatIteratorsWaitFor) {
  for (std::size_t i = 0; i < 10 * kGetsBefore; ++i) {
    Iterator iterator = db_->iterator();
    ASSERT_EQ(iterator.seek(key(i)), Step::kEntry);
    EXPECT_EQ(iterator.key(), key(i));
  }
  EXPECT_EQ(filter_reads_, 0);
  get_some(kGetsBefore);
  EXPECT_EQ(filter_reads_, 0);
}

TEST_F(LateFilter, ThatCannotBeReadFailsGetsUntilItCan) {
  fault_ = EIO;
  get_some(kGetsBefore);
  for (int i = 0; i < 3; ++i) {
    const Status status = db_->get(key(i)).status();
    EXPECT_EQ(status.code(), StatusCode::kIo);
    EXPECT_NE(status.to_string().find(table_path()), std::string::npos) << status.to_string();
  }
  const std::string wanted = key(5);
  EXPECT_EQ(db_->multi_get(std::vector<std::string_view>{wanted})[0].status().code(), StatusCode::kIo);
  EXPECT_EQ(db_->iterator().seek(key(3)), Step::kEntry);
  EXPECT_EQ(skips(), 0U);
  fault_ = std::nullopt;
  EXPECT_EQ(*db_->get(key(4)), "v");
  get_some(10);
  EXPECT_GE(skips(), 9U);
}

TEST_F(LateFilter, ThatIsDamagedIsNamedWhenItIsLoaded) {
  get_some(kGetsBefore + 1);
  const std::uint64_t offset = filter_offset_;
  {
    auto file = files_.open(table_path(), OpenMode::kReadWrite, FileKind::kTable);
    ASSERT_TRUE(file.ok());
    const std::vector<std::byte> zeros(64);
    ASSERT_EQ((*file)->write_at(offset + 4096, zeros).bytes, zeros.size());
  }
  ASSERT_NO_FATAL_FAILURE(reopen());
  get_some(kGetsBefore);
  for (int i = 0; i < 2; ++i) {
    const Status status = db_->get(key(0)).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    EXPECT_NE(status.to_string().find(table_path()), std::string::npos) << status.to_string();
    EXPECT_NE(status.to_string().find(std::to_string(offset)), std::string::npos) << status.to_string();
  }
  EXPECT_EQ(db_->verify().code(), StatusCode::kCorruption);
}

TEST_F(LateFilter, IsCheckedByVerify) {
  fault_ = EIO;
  EXPECT_EQ(db_->verify().code(), StatusCode::kIo);
  fault_ = std::nullopt;
  EXPECT_TRUE(db_->verify().ok());
}

TEST_F(LateFilter, IsLoadedBesideOtherGets) {
  std::atomic<std::size_t> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 100; ++i) {
        const auto there = db_->get(key(100 * t + i));
        const auto missing = db_->get(absent(100 * t + i));
        if (!there.ok() || *there != "v" || !missing.status().is_not_found()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(filter_reads_, 1);
}

TEST_F(LateFilter, IsLoadedWithOthersOnlyUpToWhatACallMayWaitFor) {
  constexpr std::size_t kTables = 15;  // 1.2 MB of filters.
  options_.sizes.l0_tables = 4 * static_cast<std::uint32_t>(kTables);
  ASSERT_NO_FATAL_FAILURE(reopen());
  for (std::size_t i = 1; i < kTables; ++i) ASSERT_NO_FATAL_FAILURE(add_table());
  ASSERT_NO_FATAL_FAILURE(reopen());
  ASSERT_EQ(db_->properties()->tables.size(), kTables);
  get_some(kGetsBefore);
  EXPECT_EQ(filter_reads_, 0);
  get_some(1);
  EXPECT_EQ(filter_reads_, 14);
  get_some(1);
  EXPECT_EQ(filter_reads_, 15);
}

}  // namespace
}  // namespace firn
