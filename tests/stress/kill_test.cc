// The kill loop on a real file system. FIRN_TEST_CASES scales the number of rounds.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "tests/support/cases.h"
#include "tools/crashtest/kill_loop.h"

namespace firn {
namespace {

TEST(KillLoop, LosesNoAcknowledgedBatchAndKeepsNoHalf) {
  std::string pattern = ::testing::TempDir() + "/firn-kill-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  crashtest::KillLoop loop(pattern);
  Status status = loop.create();
  ASSERT_TRUE(status.ok()) << status.to_string();
  const std::uint64_t rounds = testing::cases(200);
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    status = loop.round(random() % 2000);
    ASSERT_TRUE(status.ok()) << "round " << round << ", seed " << seed << ", " << pattern << ": " << status.to_string();
  }
  RecordProperty("batches", std::to_string(loop.batches()));
  status = loop.destroy();
  EXPECT_TRUE(status.ok()) << status.to_string();
}

}  // namespace
}  // namespace firn
