// A column of up to kBlockPoints integers in as few bits each as most of them need; the few that need more are patches
// (Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006). Either the numbers themselves are packed or
// their differences, whichever is smaller. Numbers are 64 bits and all sums wrap. Format: docs/codecs.md#decimal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "firn/codec/chunk.h"

namespace firn::codec {

inline constexpr std::size_t kBlockPoints = 1024;
inline constexpr std::size_t kGroupPoints = 64;    // Packed numbers of a group end at a whole byte.
inline constexpr std::size_t kPatchBytes = 2 + 8;  // Position in the block, number.

// Small numbers of either sign as small unsigned ones, and back.
inline std::uint64_t zigzag(std::uint64_t value) {
  return value << 1 ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(value) >> 63);
}
inline std::uint64_t unzigzag(std::uint64_t value) { return value >> 1 ^ (0 - (value & 1)); }

inline constexpr std::size_t kSampleMax = 64;  // So many numbers are looked at to plan for all of a block.

// How a column will be packed.
struct ColumnPlan {
  bool delta = false;
  unsigned width = 0;
  std::uint64_t base = 0;
  double bits = 0;  // Estimate of the column's size.
};

// The better of packing `numbers` (not empty) and packing their differences.
ColumnPlan plan_column(std::span<const std::int64_t> numbers);
// As plan_column, but differences it must be.
ColumnPlan plan_delta_column(std::span<const std::int64_t> numbers);

// Appends `numbers` as planned; `scratch` is overwritten. Where the plan is `delta`, the first difference is written as
// the base: the reader has to know `previous`, the first number less the base.
void append_column(std::string& out, std::string& scratch, std::span<const std::int64_t> numbers,
                   const ColumnPlan& plan);

// Reads the head of a column of `count` numbers at `in` and checks that the rest fits before `end`. The byte after the
// column, or null where it is damaged. Sets everything in `column` but `previous`.
const char* open_column(const char* in, const char* end, std::size_t count, PackedColumn& column);

// Decodes numbers [first, first + count) of the column to `out`; groups are read in order and `first` is a multiple of
// kGroupPoints, `count` at most that.
void read_column(PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out);

// Patches, as columns have them: a position in the block and 64 bits.
std::size_t patch_position(const char* patches, std::size_t index);
std::uint64_t patch_number(const char* patches, std::size_t index);
void append_patch(std::string& out, std::size_t position, std::uint64_t number);

// Reads the count of patches at `in` (varint) and checks that they fit before `end`, and that their positions rise and
// are below `count`. The byte after the patches, or null.
const char* open_patches(const char* in, const char* end, std::size_t count, std::uint32_t& patch_count);

}  // namespace firn::codec
