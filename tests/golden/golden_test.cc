// Every build opens what every released version wrote: the databases in tests/golden.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/memory_db.h"
#include "tests/golden/content.h"
#include "tests/platform/temporary_directory.h"

namespace firn::golden {
namespace {

// Name to contents of the files in a directory.
std::map<std::string, std::string> files_in(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

std::vector<std::pair<std::string, std::string>> entries_of(DB& db, const std::string& family, bool forward) {
  std::vector<std::pair<std::string, std::string>> entries;
  const auto found = db.family(family);
  EXPECT_TRUE(found.ok()) << family;
  Iterator it = db.iterator(found.ok() ? *found : kDefaultFamily);
  Step step = forward ? it.next() : it.prev();
  for (; step == Step::kEntry; step = forward ? it.next() : it.prev()) entries.emplace_back(it.key(), it.value());
  EXPECT_EQ(step, Step::kEnd) << it.status().to_string();
  return entries;
}

// Below tests/golden.
std::vector<const char*> databases() {
  std::vector<const char*> names = {"v1/clean", "v1/crashed", "v1/values"};
  if (compression_available(Compression::kLz4)) names.push_back("v1/lz4");
  return names;
}

class GoldenTest : public ::testing::TestWithParam<const char*> {
 protected:
  // A copy, because the databases in the tree are not to be touched.
  void SetUp() override {
    const char* golden = std::getenv("FIRN_GOLDEN");
    ASSERT_NE(golden, nullptr) << "FIRN_GOLDEN names the folder tests/golden";
    std::filesystem::copy(std::filesystem::path(golden) / GetParam(), path());
    ASSERT_TRUE(write_version_1(*expected_, Compression::kZstd).ok());
  }

  std::string path() const { return directory_.path("db"); }
  std::unique_ptr<DB> open(const Options& options) {
    auto opened = DB::open(path(), options);
    EXPECT_TRUE(opened.ok()) << opened.status().to_string();
    return opened.ok() ? std::move(opened).value() : nullptr;
  }
  void expect_content(DB& db) {
    ASSERT_EQ(db.families().size(), expected_->families().size());
    for (const FamilyInfo& info : expected_->families()) {
      for (const bool forward : {true, false}) {
        const auto expected = entries_of(*expected_, info.name, forward);
        EXPECT_GT(expected.size(), 300U);
        EXPECT_TRUE(entries_of(db, info.name, forward) == expected) << info.name;
      }
      const auto family = db.family(info.name);
      ASSERT_TRUE(family.ok());
      for (const auto& [key, value] : entries_of(*expected_, info.name, true)) {
        const auto found = db.get(*family, key);
        ASSERT_TRUE(found.ok()) << found.status().to_string();
        ASSERT_EQ(*found, value);
      }
    }
    EXPECT_EQ(db.visible_sequence(), expected_->visible_sequence());
    EXPECT_EQ(db.verify().to_string(), "ok");
  }

  std::unique_ptr<DB> expected_ = open_memory_db();

 private:
  testing::TemporaryDirectory directory_;
};
std::string folder_name(const ::testing::TestParamInfo<const char*>& info) {
  return std::filesystem::path(info.param).filename();
}
INSTANTIATE_TEST_SUITE_P(Version1, GoldenTest, ::testing::ValuesIn(databases()), folder_name);

TEST_P(GoldenTest, ReadOnlyItHoldsWhatWasWrittenAndStaysAsItIs) {
  const auto before = files_in(path());
  Options options;
  options.read_only = true;
  auto db = open(options);
  ASSERT_NE(db, nullptr);
  expect_content(*db);
  EXPECT_EQ(db->close().to_string(), "ok");
  EXPECT_TRUE(files_in(path()) == before);
}

TEST_P(GoldenTest, CanBeWrittenToAndCompacted) {
  auto db = open(Options());
  ASSERT_NE(db, nullptr);
  EXPECT_EQ(db->recovery().clean, std::string(GetParam()).find("crashed") == std::string::npos);
  expect_content(*db);
  for (const FamilyInfo& info : db->families()) {
    EXPECT_EQ(db->compact_range(info.family, {}, {}).to_string(), "ok");
  }
  expect_content(*db);
  ASSERT_TRUE(db->put("user:000007", "written by a later version").ok());
  ASSERT_TRUE(expected_->put("user:000007", "written by a later version").ok());
  EXPECT_EQ(db->close().to_string(), "ok");
  db = open(Options());
  ASSERT_NE(db, nullptr);
  expect_content(*db);
}

}  // namespace
}  // namespace firn::golden
