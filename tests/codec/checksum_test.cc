#include "codec/checksum.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "codec/checksum_avx2.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

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

#if defined(__x86_64__)
// Whether the processor says what of its registers is in use.
bool tells_use() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __builtin_cpu_supports("avx2") != 0 && __get_cpuid_count(0xD, 1, &a, &b, &c, &d) != 0 && (a >> 2 & 1) != 0;
}

bool upper_halves_in_use() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
  return (low >> 2 & 1) != 0;
}

// They were left in use: every change between SSE and AVX instructions then costs some 50 ns, in all code of the
// thread.
TEST(Checksum, LeavesNoUpperHalvesOfRegistersInUse) {
  const std::string bytes = some_bytes(4096);
  if (!tells_use()) return;
  EXPECT_EQ(checksum(bytes, 1), checksum_portable(bytes, 1));
  const std::uint64_t sum = checksum(bytes, 1);
  EXPECT_FALSE(upper_halves_in_use()) << sum;
}
#endif

}  // namespace
}  // namespace firn
