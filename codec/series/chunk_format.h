// The header of a chunk; the table is in docs/codecs.md#chunks. Everything is little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firn::codec {

inline constexpr std::size_t kChecksumOffset = 0;      // 4 bytes: the low half of checksum(bytes 4.., kChunkSeed).
inline constexpr std::size_t kKindAndCountOffset = 4;  // 4 bytes: ChunkKind in the low 8 bits, the count above.
inline constexpr std::size_t kFirstTimeOffset = 8;     // 8 bytes.
inline constexpr std::size_t kLastTimeOffset = 16;     // 8 bytes.
inline constexpr std::size_t kChunkHeaderBytes = 24;

inline constexpr std::uint64_t kChunkSeed = 0x6B6E'7568'636E'7266;  // "frnchunk".

static_assert(kKindAndCountOffset == kChecksumOffset + 4);
static_assert(kFirstTimeOffset == kKindAndCountOffset + 4);
static_assert(kLastTimeOffset == kFirstTimeOffset + 8);
static_assert(kChunkHeaderBytes == kLastTimeOffset + 8);

}  // namespace firn::codec
