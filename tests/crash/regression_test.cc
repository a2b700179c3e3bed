// What the explorer has found in the engine, each as the shortest program that showed it.

#include <gtest/gtest.h>

#include <memory>
#include <string>

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

}  // namespace
}  // namespace firn
