// XXH3 compiled for AVX2, for checksum() and its tests.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firn {

// The answer of checksum(). Precondition: the processor has AVX2.
std::uint64_t checksum_avx2(const char* bytes, std::size_t count, std::uint64_t seed);

}  // namespace firn
