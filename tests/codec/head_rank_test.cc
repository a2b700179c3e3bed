#include "codec/head_rank.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cases.h"

namespace firn {

namespace {

struct Kernel {
  std::string name;
  HeadRankKernel rank;
};

std::vector<Kernel> kernels() {
  std::vector<Kernel> available = {{"scalar", head_rank_scalar}, {"chosen", head_rank_kernel()}};
#if defined(__x86_64__)
  const bool popcnt = __builtin_cpu_supports("popcnt") != 0;
  if (popcnt && __builtin_cpu_supports("avx2")) available.push_back({"avx2", head_rank_avx2});
  if (popcnt && __builtin_cpu_supports("avx512f")) available.push_back({"avx512", head_rank_avx512});
#endif
  return available;
}

HeadRank counted(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used, std::uint64_t head) {
  HeadRank rank;
  for (std::uint32_t i = 0; i < count; ++i) {
    if ((used >> i & 1) == 0) continue;
    if (heads[i] < head) ++rank.below;
    if (heads[i] == head) ++rank.equal;
  }
  return rank;
}

class Numbers {
 public:
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    return state_ ^= state_ << 17;
  }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15;
};

TEST(HeadRank, EveryKernelCountsTheSame) {
  constexpr std::array<std::uint64_t, 8> kTelling = {0,
                                                     1,
                                                     (std::uint64_t{1} << 63) - 1,
                                                     std::uint64_t{1} << 63,
                                                     (std::uint64_t{1} << 63) + 1,
                                                     ~std::uint64_t{1},
                                                     ~std::uint64_t{0},
                                                     0x6161616161616161};
  Numbers numbers;
  const auto head = [&] {
    const std::uint64_t number = numbers.next();
    return number % 4 == 0 ? numbers.next() : kTelling[(number >> 8) % kTelling.size()];
  };
  for (std::uint64_t round = 0; round < testing::cases(20'000); ++round) {
    const auto count = static_cast<std::uint32_t>(numbers.next() % 32 + 1);
    // On the heap and no longer than `count`: reading beyond is seen by the address sanitizer.
    const auto heads = std::make_unique<std::uint64_t[]>(count);
    for (std::uint32_t i = 0; i < count; ++i) heads[i] = head();
    const auto used = static_cast<std::uint32_t>(round % 3 == 0 ? ~std::uint64_t{0} : numbers.next()) &
                      static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1);
    const std::uint64_t wanted = round % 2 == 0 ? heads[0] : head();
    const HeadRank expected = counted(heads.get(), count, used, wanted);
    for (const Kernel& kernel : kernels()) {
      const HeadRank rank = kernel.rank(heads.get(), count, used, wanted);
      ASSERT_EQ(rank.below, expected.below) << kernel.name << ", " << count << " heads, round " << round;
      ASSERT_EQ(rank.equal, expected.equal) << kernel.name << ", " << count << " heads, round " << round;
    }
  }
}

TEST(HeadRank, OneKernelIsChosenForGood) { EXPECT_EQ(head_rank_kernel(), head_rank_kernel()); }

}  // namespace

}  // namespace firn
