// verify_files() and repair(): what is damaged, what can be had again, and that the source is left as it was.
#include "firn/repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/file_system.h"
#include "platform/io.h"

namespace firn::testing {
namespace {

using sim::CrashMode;
using sim::SimFileSystem;

using Rows = std::map<std::string, std::string>;  // "family/key" to value.

constexpr int kKeys = 400;

std::string key_of(int i) { return "key" + std::to_string(1000 + i); }

class Salvage : public ::testing::Test {
 protected:
  Salvage() {
    platform_ = real_platform();
    platform_.files = &files_;
    auto db = DB::open("db", options());
    EXPECT_TRUE(db.ok());
    const Family other = *(*db)->create_family("other");
    for (int i = 0; i < kKeys; ++i) put(**db, kDefaultFamily, "default", key_of(i), "old" + std::to_string(i));
    EXPECT_TRUE((*db)->compact_range().ok());
    for (int i = 0; i < kKeys; i += 2) put(**db, kDefaultFamily, "default", key_of(i), "new" + std::to_string(i));
    for (int i = 1; i < kKeys; i += 10) {
      EXPECT_TRUE((*db)->erase(key_of(i)).status().ok());
      rows_.erase("default/" + key_of(i));
    }
    EXPECT_TRUE((*db)->flush().ok());
    for (int i = 0; i < 50; ++i) put(**db, other, "other", key_of(i), "other" + std::to_string(i));
    EXPECT_TRUE((*db)->flush(other).ok());
    for (int i = 50; i < 60; ++i) put(**db, other, "other", key_of(i), "logged" + std::to_string(i));
    EXPECT_TRUE((*db)->sync().ok());
    EXPECT_TRUE((*db)->wait_idle().ok());  // What flushes have replaced is gone.
    // Taken while open: the log has what is in no table.
    crashed_ = files_.crash_clone({CrashMode::kKeepAll, 0, 0});
    for (const FamilyInfo& info : (*db)->families()) {
      const auto properties = (*db)->properties(info.family);
      for (const TableInfo& table : properties->tables) tables_.push_back(table.path);
    }
    EXPECT_TRUE((*db)->close().ok());
  }

  Options options() const {
    Options options;
    options.platform = &platform_;
    options.sizes.block_bytes = 512;
    options.sizes.memtable_bytes = 256 << 10;
    options.sizes.log_segment_bytes = 64 << 10;
    return options;
  }
  Options crashed_options() {
    crashed_platform_ = real_platform();
    crashed_platform_.files = crashed_.get();
    Options result = options();
    result.platform = &crashed_platform_;
    return result;
  }

  void put(DB& db, Family family, const std::string& name, const std::string& key, const std::string& value) {
    ASSERT_TRUE(db.put(family, key, value).status().ok());
    rows_[name + "/" + key] = value;
  }
  void damage(const std::string& path, std::uint64_t offset) {
    auto file = crashed_->open(path, OpenMode::kReadWrite, FileKind::kOther);
    ASSERT_TRUE(file.ok()) << path;
    std::byte byte{};
    ASSERT_EQ((*file)->read_at(offset, {&byte, 1}).bytes, 1U);
    byte ^= std::byte{0x40};
    ASSERT_EQ((*file)->write_at(offset, {&byte, 1}).bytes, 1U);
  }
  std::string path_with(const std::string& part) {
    const auto entries = crashed_->list("db");
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name.find(part) != std::string::npos) return "db/" + entry.name;
    }
    return "";
  }
  std::uint64_t bytes_of(const std::string& path) {
    return (*crashed_->open(path, OpenMode::kRead, FileKind::kOther))->size().value();
  }
  std::map<std::string, std::string> source_bytes() {
    std::map<std::string, std::string> bytes;
    const auto entries = crashed_->list("db");
    for (const DirectoryEntry& entry : *entries) {
      bytes[entry.name] = *read_file(*crashed_, "db/" + entry.name, FileKind::kOther);
    }
    return bytes;
  }
  std::vector<Damage> verify() {
    std::vector<Damage> found;
    const Status first =
        verify_files("db", crashed_options(), [&found](const Damage& damage) { found.push_back(damage); });
    EXPECT_EQ(first.ok(), found.empty());
    return found;
  }
  Rows repaired(RepairReport& report) {
    const auto before = source_bytes();
    auto repaired = repair("db", "copy", crashed_options());
    EXPECT_TRUE(repaired.ok()) << repaired.status().to_string();
    EXPECT_EQ(source_bytes(), before) << "the source was written to";
    Rows rows;
    if (!repaired.ok()) return rows;
    report = *repaired;
    auto db = DB::open("copy", crashed_options());
    EXPECT_TRUE(db.ok()) << db.status().to_string();
    EXPECT_TRUE((*db)->verify().ok());
    for (const FamilyInfo& info : (*db)->families()) {
      Iterator it = (*db)->iterator(info.family);
      while (it.next() == Step::kEntry) rows.emplace(info.name + "/" + std::string(it.key()), it.value());
    }
    EXPECT_EQ(report.rows, rows.size());
    return rows;
  }
  static bool suspect(const RepairReport& report, const std::string& family, const std::string& key) {
    return std::any_of(report.damage.begin(), report.damage.end(), [&](const Damage& damage) {
      return damage.loses_keys && damage.family == family && damage.first_key <= key &&
             (damage.last_key.empty() || key < damage.last_key);
    });
  }
  // Every row is right, or in a range that the report names.
  void expect_right_or_suspect(const Rows& found, const RepairReport& report) {
    for (const auto& [name, value] : rows_) {
      const std::size_t slash = name.find('/');
      if (suspect(report, name.substr(0, slash), name.substr(slash + 1))) continue;
      const auto row = found.find(name);
      ASSERT_NE(row, found.end()) << name;
      EXPECT_EQ(row->second, value) << name;
    }
    for (const auto& [name, value] : found) {
      const std::size_t slash = name.find('/');
      if (rows_.contains(name)) continue;
      EXPECT_TRUE(suspect(report, name.substr(0, slash), name.substr(slash + 1))) << name;
    }
  }

  SimFileSystem files_;
  Platform platform_;
  std::unique_ptr<SimFileSystem> crashed_;
  Platform crashed_platform_;
  std::vector<std::string> tables_;
  Rows rows_;
};

TEST_F(Salvage, SoundFilesAreCopiedWhole) {
  EXPECT_TRUE(verify().empty());
  RepairReport report;
  EXPECT_EQ(repaired(report), rows_);
  EXPECT_TRUE(report.manifest_complete);
  EXPECT_TRUE(report.damage.empty());
  EXPECT_GT(report.log_records, 0U);
}

TEST_F(Salvage, EveryDamagedBlockIsFoundInOnePass) {
  // The table in the last level has many blocks of 512 bytes: three of them, apart.
  const std::string path = tables_[1];
  ASSERT_GT(bytes_of(path), 6000U);
  for (const std::uint64_t offset : {100U, 2000U, 4000U}) damage(path, offset);
  damage(tables_[0], 10);
  const std::vector<Damage> found = verify();
  ASSERT_EQ(found.size(), 4U);
  for (const Damage& damage : found) {
    EXPECT_EQ(damage.status.code(), StatusCode::kCorruption);
    EXPECT_EQ(damage.file, damage.status.file());
    EXPECT_EQ(damage.offset, damage.status.offset());
    EXPECT_EQ(damage.family, "default");
    EXPECT_TRUE(damage.loses_keys);
    EXPECT_GE(damage.first_key, key_of(0));
    EXPECT_GT(damage.bytes, 0U);
  }
  RepairReport report;
  const Rows rows = repaired(report);
  EXPECT_EQ(report.blocks_lost, 4U);
  EXPECT_GT(rows.size(), rows_.size() / 2);
  expect_right_or_suspect(rows, report);
}

TEST_F(Salvage, DamageBesideTheBlocksCostsNoKeys) {
  for (const std::string& path : tables_) {
    // From the footer back: properties, index, filter. The page before the footer holds the end of the properties.
    damage(path, bytes_of(path) - 4096 - 60);
  }
  EXPECT_EQ(verify().size(), tables_.size());
  RepairReport report;
  EXPECT_EQ(repaired(report), rows_);
  EXPECT_EQ(report.blocks_lost, 0U);
  EXPECT_EQ(report.damage.size(), tables_.size());
}

TEST_F(Salvage, ALostTableIsNamedWithItsKeys) {
  ASSERT_TRUE(crashed_->remove(tables_[0]).ok());
  const std::vector<Damage> found = verify();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].file, tables_[0]);
  EXPECT_EQ(found[0].first_key, key_of(0));
  RepairReport report;
  const Rows rows = repaired(report);
  EXPECT_EQ(report.tables_lost, 1U);
  expect_right_or_suspect(rows, report);
}

TEST_F(Salvage, WithoutCurrentNothingIsLost) {
  ASSERT_TRUE(crashed_->remove("db/CURRENT").ok());
  EXPECT_FALSE(DB::open("db", crashed_options()).ok());
  EXPECT_EQ(verify().size(), 1U);
  RepairReport report;
  EXPECT_EQ(repaired(report), rows_);
  EXPECT_TRUE(report.manifest_complete);
}

TEST_F(Salvage, WithoutAManifestRowsGoToTheDefaultFamilyAndThatIsSaid) {
  ASSERT_TRUE(crashed_->remove(path_with("MANIFEST")).ok());
  ASSERT_TRUE(crashed_->remove("db/CURRENT").ok());
  RepairReport report;
  const Rows rows = repaired(report);
  EXPECT_FALSE(report.manifest_complete);
  EXPECT_EQ(report.tables_guessed, tables_.size());
  EXPECT_FALSE(report.damage.empty());
  // Keys of `other` that are only in its table have its value; the log still says which family it means.
  EXPECT_TRUE(rows.contains("default/" + key_of(100)));
  EXPECT_TRUE(rows.contains("family-1/" + key_of(55)));
}

TEST_F(Salvage, ADamagedManifestIsReadUpToTheDamage) {
  const std::string path = path_with("MANIFEST");
  damage(path, bytes_of(path) - 20);
  RepairReport report;
  const Rows rows = repaired(report);
  EXPECT_FALSE(rows.empty());
  EXPECT_TRUE(rows.contains("default/" + key_of(100)));
}

// Recovery would cut the log there, for nothing proves that what follows was durable.
TEST_F(Salvage, RecordsBehindADamagedOneAreKept) {
  const std::string path = path_with(".log");
  const std::string bytes = *read_file(*crashed_, path, FileKind::kOther);
  damage(path, bytes.find("logged53"));
  RepairReport report;
  Rows rows = repaired(report);
  EXPECT_FALSE(rows.contains("other/" + key_of(53)));
  rows["other/" + key_of(53)] = "logged53";
  EXPECT_EQ(rows, rows_);
  ASSERT_EQ(report.damage.size(), 1U);
  EXPECT_EQ(report.damage[0].file, path);
}

TEST_F(Salvage, EveryGapInTheLogIsFoundInOnePass) {
  std::unique_ptr<SimFileSystem> left;
  {
    auto db = DB::open("db", crashed_options());
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE((*db)->wait_idle().ok());  // What recovery has replaced is gone.
    for (int i = 0; i < 30; ++i) {
      const std::string value = "<synced " + std::to_string(i) + ">";
      ASSERT_TRUE((*db)->put(key_of(i), value, {Durability::kSync}).ok());
    }
    left = crashed_->crash_clone({CrashMode::kKeepAll, 0, 0});
  }
  crashed_ = std::move(left);
  const std::string path = path_with(".log");
  const std::string bytes = *read_file(*crashed_, path, FileKind::kOther);
  const std::vector<std::size_t> places{bytes.find("<synced 3>"), bytes.find("<synced 9>"), bytes.find("<synced 20>")};
  for (const std::size_t place : places) damage(path, place);
  const std::vector<Damage> found = verify();
  ASSERT_EQ(found.size(), places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(found[i].file, path);
    EXPECT_LE(found[i].offset, places[i]);
    EXPECT_GT(found[i].offset + 100, places[i]);
  }
}

TEST_F(Salvage, RefusesADestinationInUseAndASourceThatIsOpen) {
  EXPECT_EQ(repair("db", "db", crashed_options()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(repair("none", "copy", crashed_options()).status().code(), StatusCode::kNotADatabase);
  auto db = DB::open("db", crashed_options());
  ASSERT_TRUE(db.ok());
  EXPECT_EQ(repair("db", "copy", crashed_options()).status().code(), StatusCode::kBusy);
  EXPECT_EQ(verify_files("db", crashed_options(), {}).code(), StatusCode::kBusy);
}

}  // namespace
}  // namespace firn::testing
