// Variable-length unsigned integers: seven bits a byte, low bits first, the high bit says that more follow (the form of
// LevelDB and Protocol Buffers), and fixed-width little-endian ones. Readers never look past `end`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace firn {

inline constexpr std::size_t kVarint32BytesMax = 5;
inline constexpr std::size_t kVarint64BytesMax = 10;

static_assert(std::endian::native == std::endian::little, "files are little-endian and read in place");

inline std::size_t varint_bytes(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Writes varint_bytes(value) bytes at `out`; the end of them.
inline char* put_varint(char* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline void append_varint(std::string& out, std::uint64_t value) {
  char buffer[kVarint64BytesMax];
  out.append(buffer, static_cast<std::size_t>(put_varint(buffer, value) - buffer));
}

// Reads one varint at `in`; the byte after it, or null when it does not end before `end` or has more than 64 bits.
inline const char* get_varint(const char* in, const char* end, std::uint64_t& value) {
  std::uint64_t result = 0;
  for (unsigned shift = 0; in < end && shift <= 63; shift += 7) {
    const auto byte = static_cast<unsigned char>(*in++);
    if (shift == 63 && byte > 1) return nullptr;
    result |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      value = result;
      return in;
    }
  }
  return nullptr;
}

// As get_varint, and null too when the value has more than 32 bits.
inline const char* get_varint32(const char* in, const char* end, std::uint32_t& value) {
  if (in < end && static_cast<unsigned char>(*in) < 0x80) {
    value = static_cast<unsigned char>(*in);
    return in + 1;
  }
  std::uint64_t wide = 0;
  in = get_varint(in, end, wide);
  if (in == nullptr || wide > UINT32_MAX) return nullptr;
  value = static_cast<std::uint32_t>(wide);
  return in;
}

// Unaligned little-endian access.
template <class T>
inline T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
inline void store(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
inline void append_fixed(std::string& out, T value) {
  char bytes[sizeof value];
  store(bytes, value);
  out.append(bytes, sizeof value);
}

}  // namespace firn
