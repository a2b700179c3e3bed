// Bytes that somebody else owns. Keys and values are arbitrary bytes (embedded NULs included), ordered bytewise as
// unsigned char; `std::string_view` is exactly that, so Firn adds a name and no type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace firn {

// A borrowed byte string. A Slice parameter is read during the call only; a returned Slice says what keeps it alive.
using Slice = std::string_view;

// Position of a write in the one commit order of a database: 1, 2, 3, ...; 0 means "before every write". 56 bits.
using Sequence = std::uint64_t;
inline constexpr Sequence kSequenceMax = (Sequence{1} << 56) - 1;

// Limits of the contract; beyond them every call answers kInvalidArgument and changes nothing.
inline constexpr std::size_t kKeyBytesMax = (std::size_t{64} << 10) - 1;
inline constexpr std::size_t kValueBytesMax = std::size_t{1} << 30;
inline constexpr std::size_t kBatchBytesMax = std::size_t{1} << 30;  // Encoded size of a batch, see WriteBatch.

}  // namespace firn
