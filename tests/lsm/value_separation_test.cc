// Values apart from their keys: what is written where, what garbage collection leaves, and that space stays bounded.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/repair.h"
#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "platform/random.h"

namespace firn::testing {
namespace {

constexpr std::size_t kLarge = 2000;
constexpr std::uint32_t kGarbagePercent = 30;
constexpr std::uint64_t kTableBytes = 64 << 10;

std::string value_of(std::uint64_t i, std::size_t bytes = kLarge) {
  std::string value = std::to_string(i) + " ";
  SplitMix64 random(i);
  while (value.size() < bytes) value += static_cast<char>(random.next());
  return value;
}

class Separation : public ::testing::Test {
 protected:
  Separation() {
    platform_ = real_platform();
    platform_.files = &files_;
    open();
  }

  void open() {
    Options options;
    options.platform = &platform_;
    options.sizes.memtable_bytes = kTableBytes;
    options.sizes.table_bytes = kTableBytes;
    options.sizes.log_segment_bytes = 64 << 10;
    options.sizes.cache_bytes = 64 << 10;
    options.default_family.separate_value_bytes = kLarge;
    options.default_family.value_garbage_percent = kGarbagePercent;
    auto opened = DB::open("db", options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }
  void reopen() {
    ASSERT_TRUE(db_->close().ok());
    open();
  }
  void put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(db_->put(key, value).ok());
    rows_[key] = value;
  }
  void expect_rows() {
    auto rows = db_->iterator();
    auto expected = rows_.begin();
    Step step = rows.next();
    for (; step == Step::kEntry && expected != rows_.end(); step = rows.next(), ++expected) {
      EXPECT_EQ(rows.key(), expected->first);
      EXPECT_EQ(rows.value(), expected->second) << expected->first;
    }
    EXPECT_EQ(step, Step::kEnd) << rows.status().to_string();
    EXPECT_EQ(expected, rows_.end());
    for (const auto& [key, value] : rows_) {
      const auto read = db_->get(key);
      ASSERT_TRUE(read.ok()) << read.status().to_string();
      EXPECT_EQ(*read, value);
    }
  }
  std::vector<ValueFileInfo> value_files() { return db_->properties()->value_files; }
  std::uint64_t value_file_bytes() {
    std::uint64_t bytes = 0;
    const auto entries = files_.list("db");
    for (const DirectoryEntry& entry : *entries) bytes += entry.name.ends_with(".values") ? entry.bytes : 0;
    return bytes;
  }
  void damage(const std::string& path, std::uint64_t offset) {
    auto file = *files_.open(path, OpenMode::kReadWrite, FileKind::kValues);
    std::byte byte{};
    ASSERT_EQ(file->read_at(offset, {&byte, 1}).bytes, 1U);
    byte ^= std::byte{0x40};
    ASSERT_EQ(file->write_at(offset, {&byte, 1}).bytes, 1U);
  }

  sim::SimFileSystem files_;
  Platform platform_;
  std::unique_ptr<DB> db_;
  std::map<std::string, std::string> rows_;
};

TEST_F(Separation, OnlyValuesFromTheThresholdOnAreSeparated) {
  put("below", value_of(1, kLarge - 1));
  put("at", value_of(2, kLarge));
  put("small", "value");
  ASSERT_TRUE(db_->flush().ok());
  ASSERT_EQ(value_files().size(), 1U);
  EXPECT_EQ(value_files()[0].records, 1U);
  expect_rows();
  reopen();
  expect_rows();
  EXPECT_TRUE(db_->verify().ok());
}

TEST_F(Separation, WithoutLargeValuesThereIsNoValueFile) {
  put("small", "value");
  ASSERT_TRUE(db_->compact_range().ok());
  EXPECT_TRUE(value_files().empty());
  EXPECT_EQ(value_file_bytes(), 0U);
}

TEST_F(Separation, CompactionCopiesReferencesNotValues) {
  for (std::uint64_t i = 0; i < 200; ++i) put("key" + std::to_string(i), value_of(i));
  ASSERT_TRUE(db_->compact_range().ok());
  const Statistics statistics = db_->statistics();
  EXPECT_EQ(statistics.value_bytes_moved, 0U);
  EXPECT_LT(statistics.compaction_bytes_written, statistics.user_bytes_written / 4);
  expect_rows();
}

TEST_F(Separation, AFileWithoutLiveValuesGoesAndItsNameToo) {
  for (std::uint64_t i = 0; i < 20; ++i) put("key" + std::to_string(i), value_of(i));
  ASSERT_TRUE(db_->flush().ok());
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(db_->erase("key" + std::to_string(i)).ok());
  rows_.clear();
  ASSERT_TRUE(db_->compact_range().ok());
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_TRUE(value_files().empty());
  EXPECT_EQ(value_file_bytes(), 0U);
  expect_rows();
}

TEST_F(Separation, IteratorsAndPinnedValuesKeepAFileThatCollectionEmpties) {
  for (std::uint64_t i = 0; i < 20; ++i) put("key" + std::to_string(i), value_of(i));
  ASSERT_TRUE(db_->flush().ok());
  auto rows = db_->iterator();
  ASSERT_EQ(rows.next(), Step::kEntry);
  const auto pinned = db_->get_pinned("key7");
  ASSERT_TRUE(pinned.ok());
  const auto before = rows_;
  for (std::uint64_t i = 0; i < 20; ++i) put("key" + std::to_string(i), value_of(100 + i));
  ASSERT_TRUE(db_->compact_range().ok());
  ASSERT_TRUE(db_->wait_idle().ok());
  EXPECT_EQ(pinned->slice(), before.at("key7"));
  for (const auto& [key, value] : before) {
    EXPECT_EQ(rows.key(), key);
    EXPECT_EQ(rows.value(), value);
    rows.next();
  }
  expect_rows();
}

// The bound holds without any compaction being asked for, and what is left over is all there.
TEST_F(Separation, OverwritingKeepsGarbageWithinItsBound) {
  SplitMix64 random(7);
  constexpr std::uint64_t kKeys = 600;
  for (std::uint64_t i = 0; i < 6000; ++i) put("key" + std::to_string(random.next() % kKeys), value_of(i));
  ASSERT_TRUE(db_->flush().ok());
  ASSERT_TRUE(db_->wait_idle().ok());
  std::uint64_t bytes = 0;
  std::uint64_t live = 0;
  std::uint64_t live_of_worst = 100;  // Per cent.
  for (const ValueFileInfo& file : value_files()) {
    bytes += file.bytes;
    live += file.live_bytes;
    live_of_worst = std::min(live_of_worst, 100 * file.live_bytes / file.bytes);
    EXPECT_GT(file.live_bytes, 0U);
  }
  EXPECT_GT(db_->statistics().value_bytes_moved, 0U);
  // At rest it holds for each file, and little of what was overwritten is not known for garbage.
  EXPECT_TRUE(bytes - live < 2 * kTableBytes || live_of_worst >= 100 - kGarbagePercent - 1) << live_of_worst;
  EXPECT_LE(live, kKeys * (kLarge + 100) + kTableBytes);
  EXPECT_LE((bytes - live) * 100, bytes * (kGarbagePercent + 1));  // Directories and footers are not counted.
  EXPECT_EQ(value_file_bytes(), bytes);                            // Nothing else is left in the directory.
  expect_rows();
  EXPECT_TRUE(db_->verify().ok());
}

TEST_F(Separation, ASnapshotKeepsTheValuesItSees) {
  for (std::uint64_t i = 0; i < 20; ++i) put("key" + std::to_string(i), value_of(i));
  const auto before = rows_;
  const Snapshot snapshot = db_->snapshot();
  for (std::uint64_t round = 1; round < 5; ++round) {
    for (std::uint64_t i = 0; i < 20; ++i) put("key" + std::to_string(i), value_of(round * 100 + i));
    ASSERT_TRUE(db_->compact_range().ok());
  }
  ASSERT_TRUE(db_->wait_idle().ok());
  for (const auto& [key, value] : before) EXPECT_EQ(*db_->get(key, {&snapshot}), value);
  expect_rows();
}

TEST_F(Separation, LazyIteratorsReadAValueWhenAskedTo) {
  put("a", value_of(1));
  put("b", "small");
  put("c", value_of(3));
  ASSERT_TRUE(db_->flush().ok());
  damage(value_files()[0].path, 100);  // Of a's value.
  reopen();
  auto eager = db_->iterator();
  EXPECT_EQ(eager.next(), Step::kError);
  EXPECT_EQ(eager.status().code(), StatusCode::kCorruption);
  IteratorOptions lazy;
  lazy.lazy_values = true;
  auto rows = db_->iterator(lazy);
  std::vector<std::string> keys;
  while (rows.next() == Step::kEntry) keys.emplace_back(rows.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(rows.seek("b"), Step::kEntry);
  EXPECT_EQ(rows.value(), "small");
  ASSERT_EQ(rows.next(), Step::kEntry);
  EXPECT_EQ(rows.value(), "");
  ASSERT_EQ(rows.load_value(), Step::kEntry);
  EXPECT_EQ(rows.value(), value_of(3));
  ASSERT_EQ(rows.prev(), Step::kEntry);
  ASSERT_EQ(rows.prev(), Step::kEntry);
  EXPECT_EQ(rows.load_value(), Step::kError);
  EXPECT_EQ(rows.status().code(), StatusCode::kCorruption);
}

TEST_F(Separation, DamageIsNamedAndOnlyItsReadersFail) {
  for (std::uint64_t i = 0; i < 5; ++i) put("key" + std::to_string(i), value_of(i));
  ASSERT_TRUE(db_->flush().ok());
  const std::string path = value_files()[0].path;
  damage(path, 100);  // Of key0's value.
  reopen();
  const auto damaged = db_->get("key0");
  EXPECT_EQ(damaged.status().code(), StatusCode::kCorruption);
  EXPECT_EQ(damaged.status().file(), path);
  EXPECT_EQ(*db_->get("key1"), value_of(1));
  EXPECT_EQ(db_->verify().code(), StatusCode::kCorruption);
  ASSERT_TRUE(db_->close().ok());
  Options options;
  options.platform = &platform_;
  std::vector<Damage> found;
  EXPECT_FALSE(verify_files("db", options, [&](const Damage& damage) { found.push_back(damage); }).ok());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].file, path);
  EXPECT_TRUE(found[0].loses_keys);
  EXPECT_EQ(found[0].first_key, "key0");
  const auto repaired = repair("db", "copy", options);
  ASSERT_TRUE(repaired.ok());
  EXPECT_EQ(repaired->rows, 4U);
  ASSERT_EQ(repaired->damage.size(), 1U);
  EXPECT_EQ(repaired->damage[0].first_key, "key0");
  auto copy = DB::open("copy", options);
  ASSERT_TRUE(copy.ok());
  EXPECT_TRUE((*copy)->get("key0").status().is_not_found());
  for (std::uint64_t i = 1; i < 5; ++i) EXPECT_EQ(*(*copy)->get("key" + std::to_string(i)), value_of(i));
  open();
}

TEST_F(Separation, AMissingValueFileIsRefusedAtOpen) {
  put("key", value_of(1));
  ASSERT_TRUE(db_->close().ok());
  std::string path;
  const auto entries = files_.list("db");
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name.ends_with(".values")) path = "db/" + entry.name;
  }
  ASSERT_TRUE(files_.remove(path).ok());
  Options options;
  options.platform = &platform_;
  const auto opened = DB::open("db", options);
  EXPECT_EQ(opened.status().code(), StatusCode::kCorruption);
  EXPECT_EQ(opened.status().file(), path);
}

}  // namespace
}  // namespace firn::testing
