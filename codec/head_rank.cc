#include "codec/head_rank.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace firn {

HeadRank head_rank_scalar(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used, std::uint64_t head) {
  HeadRank rank;
  for (std::uint32_t i = 0; i < count; ++i, used >>= 1) {
    rank.below += used & static_cast<std::uint32_t>(heads[i] < head);
    rank.equal += used & static_cast<std::uint32_t>(heads[i] == head);
  }
  return rank;
}

#if defined(__x86_64__)

__attribute__((target("avx2,popcnt"))) HeadRank head_rank_avx2(const std::uint64_t* heads, std::uint32_t count,
                                                               std::uint32_t used, std::uint64_t head) {
  // AVX2 compares signed numbers only: with the top bit flipped these are in the order of unsigned ones.
  const __m256i flip = _mm256_set1_epi64x(static_cast<long long>(std::uint64_t{1} << 63));
  const __m256i wanted = _mm256_xor_si256(_mm256_set1_epi64x(static_cast<long long>(head)), flip);
  std::uint32_t below = 0;
  std::uint32_t equal = 0;
  std::uint32_t i = 0;
  const auto compare = [&](__m256i four) __attribute__((target("avx2,popcnt"))) {
    four = _mm256_xor_si256(four, flip);
    below |= static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(wanted, four)))) << i;
    equal |= static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(wanted, four)))) << i;
  };
  for (; i + 4 <= count; i += 4) compare(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(heads + i)));
  if (i < count) {
    const __m256i there =
        _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(count - i)), _mm256_set_epi64x(3, 2, 1, 0));
    compare(_mm256_maskload_epi64(reinterpret_cast<const long long*>(heads + i), there));
  }
  return {static_cast<std::uint32_t>(_mm_popcnt_u32(below & used)),
          static_cast<std::uint32_t>(_mm_popcnt_u32(equal & used))};
}

__attribute__((target("avx512f,popcnt"))) HeadRank head_rank_avx512(const std::uint64_t* heads, std::uint32_t count,
                                                                    std::uint32_t used, std::uint64_t head) {
  const __m512i wanted = _mm512_set1_epi64(static_cast<long long>(head));
  std::uint32_t below = 0;
  std::uint32_t equal = 0;
  for (std::uint32_t i = 0; i < count; i += 8) {
    const auto there = static_cast<__mmask8>(used >> i);
    const __m512i eight = _mm512_maskz_loadu_epi64(there, heads + i);
    below += static_cast<std::uint32_t>(_mm_popcnt_u32(_mm512_mask_cmplt_epu64_mask(there, eight, wanted)));
    equal += static_cast<std::uint32_t>(_mm_popcnt_u32(_mm512_mask_cmpeq_epu64_mask(there, eight, wanted)));
  }
  return {below, equal};
}

#endif

HeadRankKernel head_rank_kernel() {
  static const HeadRankKernel best = [] {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("popcnt")) return head_rank_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) return head_rank_avx2;
#endif
    return head_rank_scalar;
  }();
  return best;
}

}  // namespace firn
