// Fixed-width big-endian numbers: the form in which bytewise order is numeric order.
#pragma once

#include <cstdint>

#include "codec/varint.h"

namespace firn::codec {

inline void store_big_endian(char* to, std::uint64_t value) { store(to, __builtin_bswap64(value)); }
inline std::uint64_t load_big_endian(const char* from) { return __builtin_bswap64(load<std::uint64_t>(from)); }

// A signed number as the unsigned one with the same order, and back.
inline constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
inline std::uint64_t ordered_bits(std::int64_t value) { return static_cast<std::uint64_t>(value) ^ kSignBit; }
inline std::int64_t signed_from_ordered(std::uint64_t bits) { return static_cast<std::int64_t>(bits ^ kSignBit); }

}  // namespace firn::codec
