// Where a ChunkIterator stands between two groups of points: state that lives in the iterator, so that reading a chunk
// allocates nothing. Not for callers; the formats are in docs/codecs.md#chunks, the readers in codec/series.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firn::codec {

// In a Gorilla body.
struct GorillaPosition {
  std::uint64_t bit = 0;    // Offset in the body of the next point.
  std::int64_t time = 0;    // Of the last point read, as all below.
  std::uint64_t delta = 0;  // Its time less the time before.
  std::uint64_t bits = 0;   // Its value.
  unsigned leading = 0;     // Zero bits before the meaningful ones of the last XOR with a window of its own.
  unsigned trailing = 0;    // And after them.
  bool started = false;
  bool has_window = false;
};

// In a column of integers of a decimal block.
struct PackedColumn {
  const char* packed = nullptr;   // count * width bits, least significant first.
  const char* patches = nullptr;  // patch_count times position (2 bytes) and value (8 bytes).
  std::uint64_t base = 0;         // Added to every packed number.
  std::uint64_t previous = 0;     // The last number before the next group; used if `delta`.
  std::uint32_t patch_count = 0;
  std::uint32_t patches_used = 0;
  unsigned width = 0;  // Bits, 0 to 64.
  bool delta = false;  // The numbers are differences to the one before.
};

// In a decimal body.
struct DecimalPosition {
  std::size_t offset = 0;         // In the body of the next block.
  std::uint32_t block_index = 0;  // Points read of the present block...
  std::uint32_t block_count = 0;  // ... and points in it.
  std::int64_t block_last_time = 0;
  std::uint8_t exponent = 0;
  PackedColumn times;
  PackedColumn values;
  const char* exceptions = nullptr;  // exception_count times position (2 bytes) and the double's bits (8 bytes).
  std::uint32_t exception_count = 0;
  std::uint32_t exceptions_used = 0;
};

}  // namespace firn::codec
