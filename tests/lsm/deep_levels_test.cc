// A tree of several levels below L0: what a compaction into a middle level may not forget.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "firn/firn.h"
#include "firn/sim/file_system.h"

namespace firn {
namespace {

constexpr int kKeys = 4000;

std::string key(int i) { return "key" + std::to_string(100'000 + i); }

Options narrow(const Platform& platform) {
  Options options;
  options.platform = &platform;
  options.durability = Durability::kNone;
  options.compression.fill(Compression::kNone);
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.level_ratio = 2;  // Many levels for little data.
  options.sizes.l0_tables = 1;
  return options;
}

int levels_below_l0(DB& db) {
  int count = 0;
  const auto properties = db.properties();
  for (std::size_t level = 1; level < properties->levels.size(); ++level) {
    if (properties->levels[level].tables > 0) ++count;
  }
  return count;
}

TEST(DeepLevels, ATombstoneHidesWhatIsBelowTheLevelItSinksTo) {
  sim::SimFileSystem files;
  Platform platform = real_platform();
  platform.files = &files;
  auto opened = DB::open("db", narrow(platform));
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  DB& db = **opened;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(db.put(key(i), std::string(400, static_cast<char>('a' + round))).ok());
  }
  ASSERT_TRUE(db.flush().ok());
  ASSERT_TRUE(db.wait_idle().ok());
  ASSERT_GE(levels_below_l0(db), 2);
  // Few enough to stay above the last level.
  for (int i = 0; i < kKeys; i += 40) ASSERT_TRUE(db.erase(key(i)).ok());
  ASSERT_TRUE(db.flush().ok());
  ASSERT_TRUE(db.wait_idle().ok());
  EXPECT_EQ(db.properties()->levels[0].tables, 0U);
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(db.get(key(i)).status().is_not_found(), i % 40 == 0) << key(i);
  }
  ASSERT_TRUE(db.close().ok());
}

}  // namespace
}  // namespace firn
