#include "platform/memory_limit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

class Cgroups : public ::testing::Test {
 protected:
  void limit(const std::string& file, const std::string& text) {
    const std::filesystem::path path = directory_.path(file);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  std::uint64_t limit_of(const std::string& membership) const {
    return cgroup_limit_bytes(membership, directory_.path());
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Cgroups, NoneMeansNoLimit) {
  EXPECT_EQ(limit_of(""), UINT64_MAX);
  EXPECT_EQ(limit_of("0::/\n"), UINT64_MAX);
  EXPECT_EQ(limit_of("not a line of that file\n4:memory\n"), UINT64_MAX);
}

TEST_F(Cgroups, OwnGroupLimits) {
  limit("web.slice/db.service/memory.max", "1000000");
  EXPECT_EQ(limit_of("0::/web.slice/db.service\n"), 1000000U);
  EXPECT_EQ(limit_of("0::/web.slice\n"), UINT64_MAX);
}

TEST_F(Cgroups, MaxIsNoLimit) {
  limit("db/memory.max", "max");
  EXPECT_EQ(limit_of("0::/db\n"), UINT64_MAX);
}

TEST_F(Cgroups, StrictestOfTheGroupsAroundCounts) {
  limit("a/memory.max", "500");
  limit("a/b/memory.max", "700");
  limit("memory.max", "900");
  EXPECT_EQ(limit_of("0::/a/b\n"), 500U);
  EXPECT_EQ(limit_of("0::/\n"), 900U);
}

TEST_F(Cgroups, OldHierarchyAndItsControllerLists) {
  limit("memory/job/memory.limit_in_bytes", "4096");
  EXPECT_EQ(limit_of("5:cpu,memory:/job\n0::/\n"), 4096U);
  EXPECT_EQ(limit_of("5:cpu,memory_of_another_kind:/job\n0::/\n"), UINT64_MAX);
}

TEST_F(Cgroups, BothHierarchiesAtOnce) {
  limit("unified/job/memory.max", "300");
  limit("memory/job/memory.limit_in_bytes", "200");
  EXPECT_EQ(limit_of("4:memory:/job\n0::/job\n"), 200U);
}

TEST(MemoryLimit, IsThatOfAMachine) {
  EXPECT_GT(memory_limit_bytes(), std::uint64_t{1} << 20);
  EXPECT_LT(memory_limit_bytes(), std::uint64_t{1} << 60);
}

}  // namespace
}  // namespace firn
