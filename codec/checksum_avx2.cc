// checksum() for processors with AVX2; compiled for them, tested in checksum_test.cc. It includes nothing whose inline
// functions another file could share: the linker would be free to keep this file's versions for everybody.
#include "codec/checksum_avx2.h"

#define XXH_INLINE_ALL
#include <immintrin.h>
#include <xxhash.h>

namespace firn {

std::uint64_t checksum_avx2(const char* bytes, std::size_t count, std::uint64_t seed) {
  const std::uint64_t sum = XXH3_64bits_withSeed(bytes, count, seed);
  // GCC 12 leaves it out behind xxhash's own optimization pragma. With the upper halves in use every change between
  // SSE and AVX instructions (this library and libc's memcpy) costs some 50 ns, for as long as the thread lives.
  _mm256_zeroupper();
  return sum;
}

}  // namespace firn
