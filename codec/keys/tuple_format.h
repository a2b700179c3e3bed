// The bytes of an encoded tuple; the table is in docs/codecs.md#tuples. Stored in keys: never renumber.
//
// A key is its parts and kEnd. A part is a tag and what the tag says; a descending part is the same with every byte
// complemented, so that its tag has the high bit set. Numbers are cut at the binary point: the tag holds the sign and
// the count of the bytes of the integer part (smaller numbers have fewer), then come these bytes, one byte that ends
// the number, and the fraction if that byte says so; of a negative number everything after the tag is complemented.
#pragma once

#include <cstdint>

namespace firn::codec {

inline constexpr unsigned char kEnd = 0x00;
inline constexpr unsigned char kNilTag = 0x02;
inline constexpr unsigned char kNegativeHugeTag = 0x10;  // Doubles at or below -2^64: 8 bytes of the magnitude's bits.
inline constexpr unsigned char kNegativeTag = 0x19;      // Minus the count of integer bytes, 0 to 8: 0x11 to 0x19.
inline constexpr unsigned char kPositiveTag = 0x1A;      // Plus the count of integer bytes, 0 to 8: 0x1A to 0x22.
inline constexpr unsigned char kPositiveHugeTag = 0x23;  // Doubles at or above 2^64.
inline constexpr unsigned char kStringTag = 0x30;        // Escaped text, kEnd.
inline constexpr unsigned char kKeywordTag = 0x38;       // Escaped namespace, kEnd, escaped name, kEnd.
inline constexpr unsigned char kInstantTag = 0x40;       // 8 bytes, big-endian, sign bit flipped.
inline constexpr unsigned char kVectorTag = 0x48;        // Parts, kEnd.
inline constexpr unsigned char kDescendingBit = 0x80;    // Of the tag's byte as stored.

static_assert(kNegativeTag - 8 == kNegativeHugeTag + 1);
static_assert(kPositiveTag == kNegativeTag + 1);
static_assert(kPositiveTag + 8 + 1 == kPositiveHugeTag);

// What ends a number's integer part. A smaller code is a smaller magnitude; for negative numbers codes are stored
// complemented, so that the two types change places to keep the integer before the double.
enum class NumberEnd : unsigned char {
  kPositiveInteger = 1,
  kPositiveDouble = 2,
  kNegativeDouble = 1,
  kNegativeInteger = 2,
  kFraction = 3,  // A double; then 8 bytes, big-endian: the bits of the fraction, a double between 0 and 1.
};

inline constexpr double kHugeMin = 18446744073709551616.0;                  // 2^64.
inline constexpr std::uint64_t kHugeMinBits = std::uint64_t{0x43F} << 52;   // Its bits.
inline constexpr std::uint64_t kInfinityBits = std::uint64_t{0x7FF} << 52;  // The largest bits that are no NaN.
inline constexpr std::uint64_t kOneBits = std::uint64_t{0x3FF} << 52;       // 1.0: above every fraction.

// In text, kEscape and one of these stand for a byte 0x00 or 0x01: no text holds kEnd, and order is kept.
inline constexpr unsigned char kEscape = 0x01;
inline constexpr unsigned char kEscapedZero = 0x01;
inline constexpr unsigned char kEscapedOne = 0x02;

}  // namespace firn::codec
