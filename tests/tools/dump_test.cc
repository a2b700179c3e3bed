// dump_file and inspect on a small real database: text, JSON, and damage by file and offset.
#include "tools/dump/dump.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "firn/db.h"
#include "lsm/file_names.h"

namespace firn::tools {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Twenty batches: ten in a table, ten in the log.
class DumpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / ("firn_dump_" + std::to_string(getpid()) + "_" + test->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
    Options options;
    options.durability = Durability::kSync;
    options.sizes.log_segment_bytes = std::uint64_t{64} << 10;
    auto db = DB::open(path("live"), options);
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    db_ = std::move(db).value();
    write(0, 10);
    ASSERT_TRUE(db_->flush().ok());
    write(10, 20);
    // What a crash would leave. Nothing is being removed meanwhile.
    ASSERT_TRUE(db_->wait_idle().ok());
    fs::copy(path("live"), path("db"));
  }
  void TearDown() override {
    db_.reset();
    fs::remove_all(root_);
  }

  void write(int from, int to) {
    for (int i = from; i < to; ++i) {
      WriteBatch batch;
      batch.put("key\x01" + std::to_string(i), std::string(static_cast<std::size_t>(20 * i), 'v'));
      batch.erase("gone");
      ASSERT_TRUE(db_->write(batch).ok());
    }
  }

  std::string path(const std::string& name) const { return (root_ / name).string(); }

  // The newest file of a kind.
  std::string file(lsm::NameKind kind) const {
    std::string found;
    for (const auto& entry : fs::directory_iterator(path("db"))) {
      const auto name = lsm::parse_file_name(entry.path().filename().string());
      if (!name || name->kind != kind) continue;
      if (kind == lsm::NameKind::kLog && contents(entry.path().string())[0] == '\0') continue;  // Made in advance.
      if (entry.path().string() > found) found = entry.path().string();
    }
    return found;
  }
  static std::string contents(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void flip(const std::string& name, std::uint64_t offset) {
    std::fstream file(name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(offset));
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  std::string dump(const std::string& name, const DumpOptions& options = {}) {
    ::testing::internal::CaptureStdout();
    status_ = dump_file(name, options);
    return ::testing::internal::GetCapturedStdout();
  }
  std::string page(const std::string& name, const DumpOptions& options = {}) {
    ::testing::internal::CaptureStdout();
    status_ = inspect(name, options);
    return ::testing::internal::GetCapturedStdout();
  }
  Json dump_json(const std::string& name, bool hex = false) {
    return Json::parse(dump(name, {.json = true, .hex = hex}));
  }

  void expect_damage(const std::string& name, std::uint64_t offset) {
    EXPECT_EQ(status_.code(), StatusCode::kCorruption) << status_.to_string();
    EXPECT_EQ(status_.file(), name);
    EXPECT_EQ(status_.offset(), offset);
  }

  fs::path root_;
  std::unique_ptr<DB> db_;
  Status status_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(DumpTest, LogShowsEveryOperationAsText) {
  const std::string text = dump(file(lsm::NameKind::kLog));
  EXPECT_TRUE(status_.ok()) << status_.to_string();
  EXPECT_TRUE(has(text, "key\\x0110")) << text;
  EXPECT_TRUE(has(text, "delete default")) << text;
  EXPECT_TRUE(has(text, "... (380 B)")) << text;
  std::istringstream lines(text.substr(text.find("offset")));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST_F(DumpTest, LogInJsonIsWhole) {
  const Json json = dump_json(file(lsm::NameKind::kLog));
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  const Json& last = json["records"].back();
  EXPECT_EQ(last["count"], 2);
  EXPECT_EQ(last["operations"][0]["key"],
            "key\x01"
            "19");  // As in scan and export.
  EXPECT_EQ(last["operations"][0]["value"], std::string(380, 'v'));
  EXPECT_EQ(last["operations"][1]["kind"], "delete");
  EXPECT_EQ(json["live"], true);
  EXPECT_TRUE(json["damage"].empty());
}

TEST_F(DumpTest, HexIsForKeysAndValues) {
  const Json json = dump_json(file(lsm::NameKind::kTable), true);
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  const Json& entries = json["blocks"][0]["entries"];
  EXPECT_EQ(entries[0]["key_hex"], "676f6e65");
  EXPECT_EQ(json["family"], "default");
}

TEST_F(DumpTest, TableShowsEveryEntry) {
  const Json json = dump_json(file(lsm::NameKind::kTable));
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  std::size_t entries = 0;
  for (const Json& block : json["blocks"]) entries += block["entries"].size();
  EXPECT_EQ(json["entry_count"], entries);
  EXPECT_EQ(json["level"], 0);
  EXPECT_EQ(json["verified"], true);
}

TEST_F(DumpTest, ValueFileShowsEveryRecordAndItsDamage) {
  ASSERT_TRUE(db_->put("large", std::string(9000, 'v')).ok());
  ASSERT_TRUE(db_->put("larger", std::string(90'000, 'w')).ok());
  ASSERT_TRUE(db_->flush().ok());
  ASSERT_TRUE(db_->wait_idle().ok());
  fs::remove_all(path("db"));
  fs::copy(path("live"), path("db"));
  const std::string name = file(lsm::NameKind::kValues);
  const Json json = dump_json(name);
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  ASSERT_EQ(json["records"].size(), 2U);
  EXPECT_EQ(json["records"][1]["key"], "larger");
  EXPECT_EQ(json["records"][1]["value_bytes"], 90'000);
  EXPECT_EQ(json["family"], "default");
  EXPECT_EQ(json["referring_tables"], 1);
  EXPECT_EQ(json["verified"], true);
  EXPECT_TRUE(has(dump(file(lsm::NameKind::kTable)), "value file"));
  EXPECT_TRUE(has(page(path("db")), "value files"));
  const auto offset = json["records"][1]["offset"].get<std::uint64_t>();
  flip(name, offset + 40);
  EXPECT_TRUE(has(dump(name), "large"));
  expect_damage(name, offset);
}

TEST_F(DumpTest, ManifestShowsEditsAndTheirSum) {
  const Json json = dump_json(file(lsm::NameKind::kManifest));
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  EXPECT_EQ(json["edits"].size(), json["edit_count"]);
  EXPECT_EQ(json["edits"][0]["families_created"][0]["name"], "default");
  EXPECT_EQ(json["families"][0]["levels"][0]["tables"], 1);
  EXPECT_TRUE(has(dump(file(lsm::NameKind::kManifest)), "+table"));
}

TEST_F(DumpTest, RecordsBehindDamageInALogAreShown) {
  const std::string name = file(lsm::NameKind::kLog);
  const Json whole = dump_json(name);
  const std::size_t count = whole["records"].size();
  ASSERT_GE(count, 4U);
  const std::uint64_t offset = whole["records"][1]["offset"];
  flip(name, offset + 40);
  const Json json = dump_json(name);
  expect_damage(name, offset);
  ASSERT_EQ(json["records"].size(), count);
  EXPECT_EQ(json["records"][1]["damaged"], "checksum mismatch");
  EXPECT_EQ(json["records"].back(), whole["records"].back());
  EXPECT_EQ(json["damage"][0]["offset"], offset);
  EXPECT_TRUE(has(dump(name), "corruption: " + name + ": offset " + std::to_string(offset)));
}

TEST_F(DumpTest, ATornEndOfALogIsNoDamage) {
  const std::string name = file(lsm::NameKind::kLog);
  const std::uint64_t offset = dump_json(name)["records"].back()["offset"];
  fs::resize_file(name, offset + 50);
  const Json json = dump_json(name);
  EXPECT_TRUE(status_.ok()) << status_.to_string();
  EXPECT_EQ(json["torn_bytes"], 50);
}

TEST_F(DumpTest, DamagedPartsOfATableLeaveTheRestReadable) {
  const std::string name = file(lsm::NameKind::kTable);
  const Json whole = dump_json(name);
  const std::uint64_t filter = whole["sections"][1]["offset"];
  flip(name, filter);
  const Json json = dump_json(name);
  expect_damage(name, filter);
  EXPECT_EQ(json["blocks"], whole["blocks"]);

  flip(name, filter);
  flip(name, 100);
  const Json broken = dump_json(name);
  expect_damage(name, 0);
  EXPECT_TRUE(broken["blocks"][0].contains("damaged"));

  fs::resize_file(name, fs::file_size(name) - 1);
  dump(name);
  EXPECT_EQ(status_.code(), StatusCode::kCorruption);
  EXPECT_EQ(status_.file(), name);
}

TEST_F(DumpTest, EditsBehindDamageInAManifestAreShown) {
  const std::string name = file(lsm::NameKind::kManifest);
  const Json whole = dump_json(name);
  const std::uint64_t offset = whole["edits"][1]["offset"];
  flip(name, offset + 25);
  const Json json = dump_json(name);
  expect_damage(name, offset);
  EXPECT_EQ(json["edits"].size(), whole["edits"].size());
  EXPECT_EQ(json["edit_count"], 1);
}

TEST_F(DumpTest, EveryFlippedByteOfALogIsSafeToDump) {
  const std::string name = file(lsm::NameKind::kLog);
  const std::uint64_t used = dump_json(name)["used_bytes"];
  for (std::uint64_t offset = 4096; offset < used; offset += 37) {
    flip(name, offset);
    EXPECT_NO_FATAL_FAILURE(dump_json(name));
    flip(name, offset);
  }
}

TEST_F(DumpTest, InspectDescribesADatabaseInUse) {
  const Json json = Json::parse(page(path("live"), {.json = true}));
  ASSERT_TRUE(status_.ok()) << status_.to_string();
  EXPECT_EQ(json["families"][0]["name"], "default");
  EXPECT_EQ(json["next_open"]["ok"], true);
  EXPECT_EQ(json["next_open"]["operations"], 20);
  EXPECT_TRUE(has(page(path("live")), "next open"));
}

TEST_F(DumpTest, InspectNamesAMissingTable) {
  const std::string name = file(lsm::NameKind::kTable);
  fs::remove(name);
  const Json json = Json::parse(page(path("db"), {.json = true}));
  expect_damage(name, 0);
  EXPECT_EQ(json["next_open"]["ok"], false);
}

TEST_F(DumpTest, InspectOfAFileLeavesItsRowsOut) {
  const Json json = Json::parse(page(file(lsm::NameKind::kLog), {.json = true}));
  EXPECT_TRUE(status_.ok()) << status_.to_string();
  EXPECT_EQ(json["record_count"], 10);
  EXPECT_FALSE(json.contains("records"));
}

TEST_F(DumpTest, OtherFilesAreRefused) {
  std::ofstream(path("db/notes.txt")) << "nothing of Firn's";
  EXPECT_EQ(dump(path("db/notes.txt")), "");
  EXPECT_EQ(status_.code(), StatusCode::kNotADatabase);
  dump(path("db/missing"));
  EXPECT_EQ(status_.code(), StatusCode::kNotADatabase);
  dump(path("db"));
  EXPECT_EQ(status_.code(), StatusCode::kInvalidArgument);
  fs::copy_file(file(lsm::NameKind::kTable), path("renamed"));
  EXPECT_EQ(dump_json(path("renamed"))["kind"], "table");
  EXPECT_TRUE(status_.ok()) << status_.to_string();
}

}  // namespace

}  // namespace firn::tools
