#include "codec/checksum.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "codec/checksum_avx2.h"

namespace firn {
namespace {

std::string some_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::uint64_t x = 88172645463325252;
  for (char& byte : bytes) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    byte = static_cast<char>(x);
  }
  return bytes;
}

// As bytes on disk have it: never change.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum("", 0), 0x2D06800538D394C2U);
  EXPECT_EQ(checksum("", 0), checksum_portable("", 0));
}

TEST(Checksum, IsTheSameOnEveryProcessor) {
  const std::string bytes = some_bytes(70'000);
  for (std::size_t count = 0; count < bytes.size(); count += 1 + count / 9) {
    const Slice part = Slice(bytes).substr(bytes.size() - count);
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX - 5}) {
      EXPECT_EQ(checksum(part, seed), checksum_portable(part, seed)) << count;
#if defined(__x86_64__)
      if (__builtin_cpu_supports("avx2") == 0) continue;
      EXPECT_EQ(checksum_avx2(part.data(), count, seed), checksum_portable(part, seed)) << count;
#endif
    }
  }
}

}  // namespace
}  // namespace firn
