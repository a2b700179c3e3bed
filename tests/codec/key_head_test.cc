#include "codec/key_head.h"

#include <gtest/gtest.h>

#include <string>

namespace firn {
namespace {

TEST(KeyHead, HasPrefixComparesEveryByte) {
  for (std::size_t bytes = 0; bytes <= 40; ++bytes) {
    const std::string prefix(bytes, 'p');
    EXPECT_TRUE(has_prefix(prefix, prefix)) << bytes;
    EXPECT_TRUE(has_prefix(prefix + "rest", prefix)) << bytes;
    if (bytes == 0) continue;
    EXPECT_FALSE(has_prefix(prefix.substr(1), prefix)) << bytes;
    for (std::size_t changed = 0; changed < bytes; ++changed) {
      std::string key = prefix + "rest";
      key[changed] = 'q';
      EXPECT_FALSE(has_prefix(key, prefix)) << bytes << " bytes, differing at " << changed;
    }
  }
}

TEST(KeyHead, HeadsKeepTheOrderOfKeys) {
  const std::string keys[] = {"", std::string(1, '\0'), "a", "aaaaaaaa", "ab", "b", "\x7F", "\xFF"};
  for (const std::string& a : keys) {
    for (const std::string& b : keys) {
      EXPECT_TRUE(key_head(a) >= key_head(b) || a < b);
    }
  }
}

}  // namespace
}  // namespace firn
