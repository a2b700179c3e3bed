// Compactions in parts (lsm/maintenance_merge.cc): what they give, and what is left when one part fails.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "firn/firn.h"
#include "firn/sim/file_system.h"

namespace firn {
namespace {

constexpr int kKeys = 4000;

std::string key(int i) { return "key" + std::to_string(100'000 + i); }

using Contents = std::map<std::string, std::string>;

// Counts what it is asked to do first.
class CountingExecutor final : public Executor {
 public:
  CountingExecutor(std::unique_ptr<Executor> below, std::atomic<int>& urgent)
      : urgent_(urgent), below_(std::move(below)) {}
  void submit(TaskPriority priority, std::function<void()> task) override {
    if (priority == TaskPriority::kHigh) ++urgent_;
    below_->submit(priority, std::move(task));
  }
  void submit_after(std::uint64_t delay_ns, std::function<void()> task) override {
    below_->submit_after(delay_ns, std::move(task));
  }

 private:
  std::atomic<int>& urgent_;
  const std::unique_ptr<Executor> below_;  // Goes first, with its threads.
};

class MergeParts : public ::testing::Test {
 protected:
  MergeParts() : platform_(real_platform()) {
    platform_.files = &files_;
    platform_.make_executor = [this](std::uint32_t threads) {
      return std::make_unique<CountingExecutor>(real_platform().make_executor(threads), urgent_);
    };
  }

  void open(std::uint32_t threads, std::uint64_t memtable_bytes = 64 << 10) {
    Options options;
    options.platform = &platform_;
    options.durability = Durability::kNone;
    options.compression.fill(Compression::kNone);
    options.background_threads = threads;
    options.sizes.memtable_bytes = memtable_bytes;
    options.sizes.table_bytes = 64 << 10;
    options.sizes.log_segment_bytes = 64 << 10;
    options.sizes.l0_tables = 64;  // Nothing is compacted before it is asked for.
    options.default_family.separate_value_bytes = 4096;
    auto opened = DB::open("db" + std::to_string(threads), options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  // Several versions of many keys, with deletions, large values, and a snapshot in the middle.
  void write() {
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < kKeys; i += 1 + round) {
        const std::size_t bytes = i % 500 == 7 ? 5000 : 100;
        ASSERT_TRUE(db_->put(key(i), std::string(bytes, static_cast<char>('a' + round))).ok());
      }
      for (int i = round; i < kKeys; i += 11) ASSERT_TRUE(db_->erase(key(i)).ok());
      if (round == 1) snapshot_.emplace(db_->snapshot());
    }
    ASSERT_TRUE(db_->flush().ok());
  }
  Contents contents(const Snapshot* snapshot) {
    Contents found;
    IteratorOptions options;
    options.snapshot = snapshot;
    Iterator rows = db_->iterator(options);
    Step step = rows.next();
    for (; step == Step::kEntry; step = rows.next()) found.emplace(rows.key(), rows.value());
    EXPECT_EQ(step, Step::kEnd) << rows.status().to_string();
    return found;
  }
  std::vector<TableInfo> tables() { return db_->properties()->tables; }
  std::size_t table_files() {
    const auto entries = files_.list("db2");
    return static_cast<std::size_t>(std::count_if(entries->begin(), entries->end(), [](const DirectoryEntry& entry) {
      return entry.name.find(".table") != std::string::npos;
    }));
  }

  sim::SimFileSystem files_;
  std::atomic<int> urgent_{0};
  Platform platform_;
  std::unique_ptr<DB> db_;
  std::optional<Snapshot> snapshot_;
};

TEST_F(MergeParts, GiveWhatOneMergeGives) {
  Contents now[2];
  Contents then[2];
  std::uint64_t entries[2];
  for (const std::uint32_t threads : {1U, 2U}) {
    open(threads);
    write();
    const Contents before = contents(nullptr);
    const Contents at_snapshot = contents(&*snapshot_);
    ASSERT_TRUE(db_->compact_range().ok());
    now[threads - 1] = contents(nullptr);
    then[threads - 1] = contents(&*snapshot_);
    EXPECT_EQ(now[threads - 1], before);
    EXPECT_EQ(then[threads - 1], at_snapshot);
    entries[threads - 1] = 0;
    for (const TableInfo& table : tables()) {
      EXPECT_EQ(table.level, kLevelCount - 1);
      entries[threads - 1] += table.entries;
    }
    snapshot_.reset();
    db_.reset();
  }
  EXPECT_EQ(now[0], now[1]);
  EXPECT_EQ(then[0], then[1]);
  EXPECT_EQ(entries[0], entries[1]);
}

// One merge fills its tables and leaves a rest; parts are of the same size.
TEST_F(MergeParts, AreOfTheSizeOfTables) {
  open(2, 1 << 20);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(db_->put(key(i), std::string(90, 'v')).ok());
    if (i % 375 == 374) {
      ASSERT_TRUE(db_->flush().ok());
    }
  }
  ASSERT_TRUE(db_->compact_range().ok());
  ASSERT_EQ(tables().size(), 2U);
  const auto [small, large] = std::minmax({tables()[0].bytes, tables()[1].bytes});
  EXPECT_LT(large, small + small / 4);
}

// The thread that is kept for flushes helps with what somebody waits for; beside readers, who may need its core, it
// does not.
TEST_F(MergeParts, ThatReadsAskForAreMergedByOneThread) {
  open(2);
  write();
  ASSERT_TRUE(db_->put(key(1), "so that it is not at rest when nothing sees older versions any more").ok());
  snapshot_.reset();
  ASSERT_TRUE(db_->wait_idle().ok());
  ASSERT_EQ(db_->statistics().compactions, 0U);
  urgent_ = 0;
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(db_->iterator().seek(key(1)), Step::kEntry);
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_GT(db_->statistics().compactions, 0U);
  EXPECT_GT(tables().size(), 2U);
  EXPECT_EQ(urgent_, 0);
  write();
  ASSERT_TRUE(db_->wait_idle().ok());
  urgent_ = 0;
  ASSERT_TRUE(db_->compact_range().ok());
  EXPECT_GT(urgent_, 0);
}

TEST_F(MergeParts, OneThatFailsFailsThemAll) {
  open(2);
  write();
  const Contents before = contents(nullptr);
  const std::size_t files_before = table_files();
  for (const int failing : {0, 1, 4}) {
    auto made = std::make_shared<std::atomic<int>>(0);
    files_.set_fault_hook([=](const sim::Operation& operation) -> std::optional<sim::Fault> {
      if (operation.kind != sim::OperationKind::kSync || operation.file_kind != FileKind::kTable) return std::nullopt;
      return made->fetch_add(1) == failing ? std::optional<sim::Fault>(EIO) : std::nullopt;
    });
    EXPECT_EQ(db_->compact_range().code(), StatusCode::kIo);
    EXPECT_GT(made->load(), failing);
    files_.set_fault_hook({});
    EXPECT_EQ(table_files(), files_before);
    EXPECT_EQ(contents(nullptr), before);
  }
  EXPECT_TRUE(db_->compact_range().ok());
  EXPECT_EQ(contents(nullptr), before);
}

}  // namespace
}  // namespace firn
