// What the explorer has found in the engine, each as the shortest program that showed it.

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/file_system.h"

namespace firn {
namespace {

Options options_on(Platform& platform, sim::SimFileSystem& files) {
  platform = real_platform();
  platform.files = &files;
  Options options;
  options.platform = &platform;
  options.durability = Durability::kBuffered;
  return options;
}

// A flush of the first family looked for unflushed entries of other families up to the last sequence of its table. The
// other half of the last batch has later ones: the log was not synced, and power loss kept half a batch.
TEST(Regression, AFlushKeepsTheOtherHalfOfItsLastBatch) {
  sim::SimFileSystem files;
  Platform platform;
  auto db = DB::open("db", options_on(platform, files));
  ASSERT_TRUE(db.ok()) << db.status().to_string();
  const Family other = *(*db)->create_family("other");
  WriteBatch batch;
  batch.put("first", "half");
  batch.put(other, "second", "half");
  ASSERT_TRUE((*db)->write(batch).ok());
  ASSERT_TRUE((*db)->flush().ok());

  const auto left = files.crash_clone({sim::CrashMode::kDropUnsynced, 0, 0});
  Platform platform_after;
  auto after = DB::open("db", options_on(platform_after, *left));
  ASSERT_TRUE(after.ok()) << after.status().to_string();
  EXPECT_TRUE((*after)->get("first").ok());
  EXPECT_TRUE((*after)->get(*(*after)->family("other"), "second").ok());
}

// Killed between the rename of CURRENT and the sync of its directory, the database was opened by the next process,
// which made files of its own. In a power loss then their names survived, and that of CURRENT did not: no open any
// more.
TEST(Regression, WhatRecoverySawOutlivesWhatItMakes) {
  sim::SimFileSystem files;
  std::optional<sim::CrashPoint> killed;
  bool renamed = false;
  files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    if (renamed && !killed.has_value()) killed = files.crash_point(sim::CrashProfile::kProcessKill);
    renamed = renamed || operation.kind == sim::OperationKind::kRename;
    return std::nullopt;
  });
  Platform platform;
  ASSERT_TRUE(DB::open("db", options_on(platform, files)).ok());
  ASSERT_TRUE(killed.has_value());

  const auto left = killed->apply(killed->all());
  std::mutex mutex;
  std::vector<sim::CrashPoint> points;
  left->set_fault_hook([&](const sim::Operation&) -> std::optional<sim::Fault> {
    const std::lock_guard<std::mutex> lock(mutex);
    points.push_back(left->crash_point(sim::CrashProfile::kStrict));
    return std::nullopt;
  });
  Platform platform_left;
  ASSERT_TRUE(DB::open("db", options_on(platform_left, *left)).ok());
  left->set_fault_hook({});
  for (const sim::CrashPoint& point : points) {
    sim::for_each_crash_plan(point, {24, 6, 1}, [&point](const sim::CrashPlan& plan) {
      Platform platform_after;
      const auto disk = point.apply(plan);
      const auto after = DB::open("db", options_on(platform_after, *disk));
      EXPECT_TRUE(after.ok()) << after.status().to_string() << '\n' << point.describe(plan);
      return after.ok();
    });
  }
}

// Segments whose records are all in tables left the log before the manifest forgot them, and were synced no more. Where
// that edit failed, or while it was on its way, a power loss took them, and the synced writes behind them were cut.
TEST(Regression, SyncedWritesOutliveSegmentsThatTheManifestCouldNotForget) {
  sim::SimFileSystem files;
  Platform platform;
  auto db = DB::open("db", options_on(platform, files));
  ASSERT_TRUE(db.ok()) << db.status().to_string();
  ASSERT_TRUE((*db)->put("in a table", "soon").ok());
  // The edit that lists the table ends its segment of the log, too.
  files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    const bool fails = operation.file_kind == FileKind::kManifest && operation.kind != sim::OperationKind::kSync;
    return fails ? std::optional(sim::Fault(EIO)) : std::nullopt;
  });
  ASSERT_EQ((*db)->flush().code(), StatusCode::kIo);
  files.set_fault_hook({});
  for (const char* key : {"a", "b", "c"}) {
    WriteBatch batch;
    batch.put(key, "synced");
    ASSERT_TRUE((*db)->write(batch, {.durability = Durability::kSync}).ok());
    const auto left = files.crash_clone({sim::CrashMode::kDropUnsynced, 0, 0});
    Platform platform_after;
    auto after = DB::open("db", options_on(platform_after, *left));
    ASSERT_TRUE(after.ok()) << after.status().to_string();
    EXPECT_TRUE((*after)->get("in a table").ok());
    EXPECT_TRUE((*after)->get(key).ok()) << key;
  }
}

// While one family's table was being written, the directory's sync failed for another's. That took both names; the sync
// for the first one, which succeeded, did not bring its name back, and the manifest listed a table without one.
TEST(Regression, AFailedSyncOfTheDirectoryTakesTheNamesOfOthersWithIt) {
  sim::SimFileSystem files;
  Platform platform;
  auto db = DB::open("db", options_on(platform, files));
  ASSERT_TRUE(db.ok()) << db.status().to_string();
  const Family other = *(*db)->create_family("other");
  ASSERT_TRUE((*db)->put("first", "row").ok());
  ASSERT_TRUE((*db)->put(other, "second", "row").ok());
  std::atomic<bool> in_first{false};
  std::atomic<bool> failed{false};
  files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    const bool first_table = operation.kind == sim::OperationKind::kSync && operation.file_kind == FileKind::kTable &&
                             !in_first.exchange(true);
    if (first_table) {
      EXPECT_FALSE((*db)->flush(other).ok());
    }
    const bool fails = operation.kind == sim::OperationKind::kSyncDirectory && in_first && !failed.exchange(true);
    return fails ? std::optional(sim::Fault(EIO)) : std::nullopt;
  });
  EXPECT_FALSE((*db)->flush().ok());
  ASSERT_TRUE(failed);
  files.set_fault_hook({});
  ASSERT_TRUE((*db)->resume().ok());

  const auto left = files.crash_clone({sim::CrashMode::kDropUnsynced, 0, 0});
  Platform platform_after;
  auto after = DB::open("db", options_on(platform_after, *left));
  ASSERT_TRUE(after.ok()) << after.status().to_string();
  ASSERT_TRUE((*after)->verify().ok());
  EXPECT_TRUE((*after)->get("first").ok());
  EXPECT_TRUE((*after)->get(*(*after)->family("other"), "second").ok());
}

}  // namespace
}  // namespace firn
