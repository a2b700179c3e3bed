// What iterators take for the common beginning of all keys within their bounds.
#include "lsm/head_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace firn::lsm {
namespace {

// All strings of at most `bytes` bytes, of those where mistakes hide.
std::vector<std::string> strings(std::size_t bytes) {
  std::vector<std::string> all = {""};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == bytes) continue;
    for (const char byte : {'\0', '\1', 'a', '\xFE', '\xFF'}) all.push_back(all[i] + byte);
  }
  return all;
}

TEST(SharedPrefix, IsWhatAllKeysWithinTheBoundsBeginWith) {
  const std::vector<std::string> keys = strings(4);
  const std::vector<std::string> bounds = strings(3);
  for (const std::string& lower : bounds) {
    for (const std::string& upper : bounds) {
      const Slice shared = shared_prefix(lower, upper);
      ASSERT_EQ(shared, Slice(lower).substr(0, shared.size()));
      for (const std::string& key : keys) {
        if (key >= lower && key < upper) {
          ASSERT_TRUE(has_prefix(key, shared)) << ::testing::PrintToString(std::vector{lower, upper, key});
        }
      }
    }
  }
}

TEST(SharedPrefix, OfTheBoundsOfAPrefixIsThePrefix) {
  EXPECT_EQ(shared_prefix("user", "uses"), "user");
  EXPECT_EQ(shared_prefix("user:7\xFF\xFF", "user:8"), "user:7\xFF\xFF");
  EXPECT_EQ(shared_prefix("a\x7F", "a\x80"), "a\x7F");
  EXPECT_EQ(shared_prefix("user", "user:9"), "user");
  EXPECT_EQ(shared_prefix("user:17", "user:19"), "user:1");
  EXPECT_EQ(shared_prefix("user:1", "user:20"), "user:");
}

}  // namespace
}  // namespace firn::lsm
