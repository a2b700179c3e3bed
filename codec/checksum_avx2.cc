// checksum() for processors with AVX2; compiled for them, tested in checksum_test.cc. It includes nothing whose inline
// functions another file could share: the linker would be free to keep this file's versions for everybody.
#include "codec/checksum_avx2.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace firn {

std::uint64_t checksum_avx2(const char* bytes, std::size_t count, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, count, seed);
}

}  // namespace firn
