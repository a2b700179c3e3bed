// Pieces that every key codec shares: a short key held by value, and the end of a prefix.
//
// Thread safety: values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "firn/export.h"
#include "firn/slice.h"

namespace firn::codec {

// A key, or the beginning of one, of exactly `kSize` bytes, held without an allocation. The Slice it turns into lives
// as long as the object.
template <std::size_t kSize>
struct KeyBytes {
  std::array<char, kSize> bytes{};

  operator Slice() const { return Slice(bytes.data(), bytes.size()); }  // NOLINT(google-explicit-constructor)
  Slice slice() const { return *this; }
};

// Appends to `out` the smallest byte string above every string that begins with `prefix`: [prefix, end) is exactly
// what begins with it. False, and nothing appended, where there is none (an empty prefix, or all bytes 0xFF): the
// range then has no upper end.
FIRN_EXPORT bool append_prefix_end(std::string& out, Slice prefix);

}  // namespace firn::codec
