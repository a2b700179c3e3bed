// Each way into a degraded mode, what works in it, and each way out: lsm/maintenance.h, DB::health, DB::resume.
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "firn/firn.h"
#include "firn/sim/file_system.h"
#include "platform/random.h"
#include "tests/faults/step_executor.h"

namespace firn::testing {
namespace {

using sim::CrashMode;
using sim::Fault;
using sim::Operation;
using sim::OperationKind;
using sim::SimFileSystem;

constexpr std::uint64_t kDiskBytes = std::uint64_t{8} << 20;

// A value that no codec makes smaller.
std::string noise(std::uint64_t seed, std::size_t bytes) {
  SplitMix64 random(seed);
  std::string value(bytes, '\0');
  for (char& c : value) c = static_cast<char>(random.next());
  return value;
}

class Degraded : public ::testing::Test {
 protected:
  Degraded() { open(); }

  static Options options(const Platform& platform) {
    Options options;
    options.platform = &platform;
    options.durability = Durability::kBuffered;
    options.sizes.memtable_bytes = 64 << 10;
    options.sizes.table_bytes = 64 << 10;
    options.sizes.log_segment_bytes = 64 << 10;
    return options;
  }
  void open() {
    auto db = DB::open("db", options(platform_));
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    db_ = std::move(db).value();
  }

  // The next operation that is `kind` on a file of `file_kind` fails, or all of them.
  void fail(OperationKind kind, FileKind file_kind, int error, bool once = true) {
    auto done = std::make_shared<std::atomic<bool>>(false);
    files_.set_fault_hook([=](const Operation& operation) -> std::optional<Fault> {
      if (operation.kind != kind || operation.file_kind != file_kind) return std::nullopt;
      if (once && done->exchange(true)) return std::nullopt;
      return error;
    });
  }
  void heal() { files_.set_fault_hook({}); }
  // What was put off for a second happens.
  void wait_a_second() {
    control_->settle();
    control_->release_delayed();
    control_->settle();
  }

  StatusCode put(const std::string& key, const std::string& value = "v", bool sync = false) {
    WriteOptions write;
    if (sync) write.durability = Durability::kSync;
    return db_->put(key, value, write).status().code();
  }
  std::string get(const std::string& key) {
    auto value = db_->get(key);
    return value.ok() ? *value : std::string(status_code_name(value.status().code()));
  }
  void expect_health(ErrorLevel level, StatusCode code) {
    const Health health = db_->health();
    EXPECT_EQ(error_level_name(health.level), error_level_name(level)) << health.status.to_string();
    EXPECT_EQ(health.status.code(), code) << health.status.to_string();
  }
  // What `key` is after a crash.
  std::string get_after(CrashMode mode, const std::string& key) {
    const auto files = files_.crash_clone({mode, 0, 0});
    const Platform platform = step_platform(*files, std::make_shared<StepControl>());
    auto db = DB::open("db", options(platform));
    if (!db.ok()) return db.status().to_string();
    auto value = (*db)->get(key);
    return value.ok() ? *value : std::string(status_code_name(value.status().code()));
  }
  std::size_t count_files(const std::string& part) {
    static_cast<void>(db_->wait_idle());  // Until what a thread is removing is gone.
    const auto entries = files_.list("db");
    std::size_t count = 0;
    for (const DirectoryEntry& entry : *entries) count += entry.name.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

  SimFileSystem files_;
  std::shared_ptr<StepControl> control_ = std::make_shared<StepControl>();
  const Platform platform_ = step_platform(files_, control_);
  std::unique_ptr<DB> db_;
};

TEST_F(Degraded, AFailedLogSyncStopsWritesUntilResume) {
  ASSERT_EQ(put("before"), StatusCode::kOk);
  fail(OperationKind::kSync, FileKind::kLog, EIO);
  EXPECT_EQ(put("unknown", "v", true), StatusCode::kIo);
  heal();
  expect_health(ErrorLevel::kHard, StatusCode::kIo);
  EXPECT_EQ(put("refused"), StatusCode::kIo);
  EXPECT_EQ(db_->sync().code(), StatusCode::kIo);
  EXPECT_EQ(get("before"), "v");
  EXPECT_EQ(get("unknown"), "not found");  // A7: never visible.

  ASSERT_EQ(db_->resume().code(), StatusCode::kOk);
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(put("after", "v", true), StatusCode::kOk);
  for (const CrashMode mode : {CrashMode::kDropUnsynced, CrashMode::kKeepAll}) {
    EXPECT_EQ(get_after(mode, "before"), "v");
    EXPECT_EQ(get_after(mode, "unknown"), "not found");
    EXPECT_EQ(get_after(mode, "after"), "v");
  }
}

TEST_F(Degraded, AFailedLogWriteStopsWritesUntilResume) {
  ASSERT_EQ(put("before"), StatusCode::kOk);
  fail(OperationKind::kPublish, FileKind::kLog, EIO);
  EXPECT_EQ(put("unknown"), StatusCode::kIo);
  heal();
  expect_health(ErrorLevel::kHard, StatusCode::kIo);
  ASSERT_EQ(db_->resume().code(), StatusCode::kOk);
  EXPECT_EQ(put("after"), StatusCode::kOk);
  EXPECT_EQ(get_after(CrashMode::kKeepAll, "unknown"), "not found");
}

TEST_F(Degraded, ResumeThatFailsChangesNothingAndCanBeRepeated) {
  ASSERT_EQ(put("before"), StatusCode::kOk);
  fail(OperationKind::kSync, FileKind::kLog, EIO);
  EXPECT_EQ(put("unknown", "v", true), StatusCode::kIo);
  for (const FileKind kind : {FileKind::kTable, FileKind::kManifest}) {
    fail(OperationKind::kSync, kind, EIO, false);
    EXPECT_EQ(db_->resume().code(), StatusCode::kIo);
    expect_health(ErrorLevel::kHard, StatusCode::kIo);
    EXPECT_EQ(put("refused"), StatusCode::kIo);
    EXPECT_EQ(get("before"), "v");
  }
  heal();
  EXPECT_EQ(db_->resume().code(), StatusCode::kOk);
  EXPECT_EQ(put("after"), StatusCode::kOk);
  EXPECT_EQ(db_->wait_idle().code(), StatusCode::kOk);  // Files are removed in the background.
  EXPECT_EQ(count_files(".table"), 1U);
}

TEST_F(Degraded, ResumeWithNothingWrongIsOk) {
  ASSERT_EQ(put("a"), StatusCode::kOk);
  EXPECT_EQ(db_->resume().code(), StatusCode::kOk);
  EXPECT_EQ(put("b"), StatusCode::kOk);
}

// A batch over two families must not be half there after a power loss, though its log record is lost.
TEST_F(Degraded, CloseAfterAFailedLogKeepsAllFamiliesTogether) {
  const Family other = *db_->create_family("other");
  WriteBatch batch;
  batch.put("here", "v");
  batch.put(other, "there", "v");
  ASSERT_TRUE(db_->write(batch).status().ok());
  fail(OperationKind::kSync, FileKind::kLog, EIO, false);
  EXPECT_EQ(db_->sync().code(), StatusCode::kIo);
  EXPECT_EQ(db_->close().code(), StatusCode::kOk);
  heal();
  EXPECT_EQ(get_after(CrashMode::kDropUnsynced, "here"), "v");
  open();
  EXPECT_EQ(*db_->get(*db_->family("other"), "there"), "v");
}

TEST_F(Degraded, ALogThatLackedSpaceGoesOnByItself) {
  ASSERT_EQ(put("before"), StatusCode::kOk);
  fail(OperationKind::kPublish, FileKind::kLog, ENOSPC);
  EXPECT_EQ(put("unknown"), StatusCode::kNoSpace);
  expect_health(ErrorLevel::kHard, StatusCode::kNoSpace);
  wait_a_second();
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(put("after"), StatusCode::kOk);
  EXPECT_EQ(get("unknown"), "not found");
}

TEST_F(Degraded, AFullDiskRefusesPutsTakesDeletionsAndEndsByItself) {
  files_.set_capacity(kDiskBytes);
  constexpr std::size_t kValueBytes = 20'000;
  int count = 0;
  // Until nothing that is under way makes room any more: what is flushed leaves the log, and compactions merge.
  for (bool full = false; !full && count < 2000; ++count) {
    const StatusCode code = put("key" + std::to_string(count), noise(static_cast<std::uint64_t>(count), kValueBytes));
    control_->settle();
    if (code == StatusCode::kOk) continue;
    EXPECT_EQ(code, StatusCode::kNoSpace);
    wait_a_second();
    full = db_->health().level != ErrorLevel::kNone;
  }
  expect_health(ErrorLevel::kHard, StatusCode::kNoSpace);
  EXPECT_EQ(put("key0"), StatusCode::kNoSpace);
  EXPECT_TRUE(get("key0") == noise(0, kValueBytes));
  EXPECT_GT(files_.space("db")->free_bytes, 0U) << "nothing was kept for what follows";

  // Deletions and compaction make room with what was kept.
  for (int i = 0; i < count; ++i) EXPECT_TRUE(db_->erase("key" + std::to_string(i)).status().ok()) << i;
  EXPECT_EQ(db_->compact_range().code(), StatusCode::kOk);
  wait_a_second();
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(put("new"), StatusCode::kOk);
  EXPECT_EQ(get("key0"), "not found");
}

TEST_F(Degraded, ADiskThatOthersFilledEndsByItselfWhenTheyLeave) {
  ASSERT_EQ(put("before"), StatusCode::kOk);
  files_.set_capacity(1);
  ASSERT_NE(db_->flush().code(), StatusCode::kOk);
  EXPECT_EQ(put("refused"), StatusCode::kNoSpace);
  EXPECT_EQ(get("before"), "v");
  files_.set_capacity(std::uint64_t{1} << 40);
  wait_a_second();
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(put("after"), StatusCode::kOk);
  EXPECT_EQ(get("refused"), "not found");
}

TEST_F(Degraded, ATableThatCannotBeSyncedIsWrittenAgain) {
  ASSERT_EQ(put("a"), StatusCode::kOk);
  fail(OperationKind::kSync, FileKind::kTable, EIO);
  EXPECT_EQ(db_->flush().code(), StatusCode::kIo);
  EXPECT_EQ(count_files(".table"), 0U) << "the one that failed is not used";
  expect_health(ErrorLevel::kSoft, StatusCode::kIo);
  EXPECT_EQ(put("b"), StatusCode::kOk);
  wait_a_second();
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(db_->flush().code(), StatusCode::kOk);
  EXPECT_EQ(get_after(CrashMode::kDropUnsynced, "a"), "v");
}

TEST_F(Degraded, AManifestThatCannotBeSyncedIsBegunAnew) {
  ASSERT_EQ(put("a"), StatusCode::kOk);
  fail(OperationKind::kSync, FileKind::kManifest, EIO, false);
  // However often it is tried, nothing piles up.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(db_->flush().code(), StatusCode::kIo);
    wait_a_second();
  }
  EXPECT_LE(count_files(".table"), 1U);
  EXPECT_LE(count_files(".log"), 2U) << "a log that may count was removed, or more were made";
  expect_health(ErrorLevel::kSoft, StatusCode::kIo);
  heal();
  wait_a_second();
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  EXPECT_EQ(db_->flush().code(), StatusCode::kOk);
  EXPECT_EQ(count_files(".table"), 1U);
  EXPECT_EQ(count_files("MANIFEST"), 1U);
  EXPECT_EQ(get_after(CrashMode::kDropUnsynced, "a"), "v");
}

// Writes to a family that may be gone after a crash must not be acknowledged.
TEST_F(Degraded, ADropOfUnknownOutcomeStopsWrites) {
  const Family other = *db_->create_family("other");
  fail(OperationKind::kSync, FileKind::kManifest, EIO, false);
  EXPECT_EQ(db_->drop_family(other).code(), StatusCode::kIo);
  expect_health(ErrorLevel::kHard, StatusCode::kIo);
  EXPECT_EQ(db_->put(other, "a", "v").status().code(), StatusCode::kIo);
  heal();
  EXPECT_EQ(db_->resume().code(), StatusCode::kOk);
  EXPECT_TRUE(db_->put(other, "a", "v").status().ok());
  EXPECT_TRUE(db_->close().ok());
  open();
  EXPECT_TRUE(db_->family("other").ok());
}

TEST_F(Degraded, ADamagedTableIsNamedAndLeftAlone) {
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 20; ++i) ASSERT_EQ(put("key" + std::to_string(i), std::string(500, 'x')), StatusCode::kOk);
    if (round == 0) {
      ASSERT_EQ(db_->flush().code(), StatusCode::kOk);
      const std::string path = db_->properties()->tables.front().path;
      auto file = files_.open(path, OpenMode::kReadWrite, FileKind::kTable);
      ASSERT_TRUE(file.ok());
      const std::byte bad[] = {std::byte{0xEE}};
      ASSERT_EQ((*file)->write_at(300, bad).error, 0);
    }
    ASSERT_EQ(db_->flush().code(), StatusCode::kOk);
  }
  const Status compacted = db_->compact_range();
  EXPECT_EQ(compacted.code(), StatusCode::kCorruption);
  EXPECT_NE(compacted.file().find(".table"), std::string::npos);
  EXPECT_TRUE(compacted.offset().has_value());
  wait_a_second();
  expect_health(ErrorLevel::kSoft, StatusCode::kCorruption);
  EXPECT_EQ(get("key1"), std::string(500, 'x'));  // From a newer table.
  EXPECT_EQ(put("new"), StatusCode::kOk);
  EXPECT_EQ(db_->flush().code(), StatusCode::kOk);
  wait_a_second();
  expect_health(ErrorLevel::kSoft, StatusCode::kCorruption);  // It does not disappear.
  EXPECT_TRUE(files_.open(std::string(compacted.file()), OpenMode::kRead, FileKind::kTable).ok());
}

TEST_F(Degraded, AMissingTableIsDamageNotAMissingKey) {
  ASSERT_EQ(put("a"), StatusCode::kOk);
  ASSERT_EQ(db_->flush().code(), StatusCode::kOk);
  const std::string path = db_->properties()->tables.front().path;
  ASSERT_TRUE(files_.remove(path).ok());
  const auto value = db_->get("a");
  EXPECT_EQ(value.status().code(), StatusCode::kCorruption);
  EXPECT_EQ(value.status().file(), path);
}

TEST_F(Degraded, ATableThatCannotBeReadFailsOnlyTheRead) {
  ASSERT_EQ(put("a"), StatusCode::kOk);
  ASSERT_EQ(db_->flush().code(), StatusCode::kOk);
  fail(OperationKind::kOpen, FileKind::kTable, EMFILE, false);
  EXPECT_EQ(get("a"), "I/O error");
  expect_health(ErrorLevel::kNone, StatusCode::kOk);
  heal();
  EXPECT_EQ(get("a"), "v");
}

TEST(Open, WithoutThreadsIsAnError) {
  SimFileSystem files;
  Platform platform = real_platform();
  platform.files = &files;
  platform.make_executor = [](std::uint32_t) { return std::unique_ptr<Executor>(); };
  Options options;
  options.platform = &platform;
  EXPECT_EQ(DB::open("db", options).status().code(), StatusCode::kIo);
  options.read_only = true;
  EXPECT_TRUE(DB::open("db", options).ok());
}

}  // namespace
}  // namespace firn::testing
