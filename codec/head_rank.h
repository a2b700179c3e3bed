// Where a key head (codec/key_head.h) stands among a few others, compared all at once: AVX-512 or AVX2 where the
// processor has them, found out once per process; the same answers everywhere.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

namespace firn {

struct HeadRank {
  std::uint32_t below = 0;  // How many heads are smaller.
  std::uint32_t equal = 0;  // How many are equal.
};

// Looks at heads[i] for each bit i of `used`, i < count. `count`: 1..32.
using HeadRankKernel = HeadRank (*)(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used,
                                    std::uint64_t head);

HeadRank head_rank_scalar(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used, std::uint64_t head);
#if defined(__x86_64__)
// Precondition: the processor has AVX2 (AVX-512F) and POPCNT.
HeadRank head_rank_avx2(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used, std::uint64_t head);
HeadRank head_rank_avx512(const std::uint64_t* heads, std::uint32_t count, std::uint32_t used, std::uint64_t head);
#endif

// The best of them for this processor. Never null.
HeadRankKernel head_rank_kernel();

}  // namespace firn
