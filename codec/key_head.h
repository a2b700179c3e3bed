// Key heads: eight bytes of a key as a big-endian number, kept where a comparison is made so that most comparisons
// touch no other memory (after the prefix caches of B-trees: Graefe and Larson, "B-tree indexes and CPU caches", 2001).
#pragma once

#include <cstdint>
#include <cstring>

#include "codec/varint.h"
#include "firn/slice.h"

namespace firn {

// Bytes [offset, offset + 8) of `key`, big-endian, zeros beyond its end. For keys that share their first `offset`
// bytes: head(a) < head(b) implies a < b; equal heads decide nothing (zero padding included).
inline std::uint64_t key_head(Slice key, std::size_t offset = 0) {
  if (offset + 8 <= key.size()) return __builtin_bswap64(load<std::uint64_t>(key.data() + offset));
  std::uint64_t head = 0;
  if (offset < key.size()) std::memcpy(&head, key.data() + offset, key.size() - offset);
  return __builtin_bswap64(head);
}

// Whether `key` begins with `prefix`; cheaper than a call for the few bytes that prefixes have.
inline bool has_prefix(Slice key, Slice prefix) {
  const std::size_t bytes = prefix.size();
  if (key.size() < bytes) return false;
  const char* const a = key.data();
  const char* const b = prefix.data();
  if (bytes < 8) {
    if (bytes >= 4) {
      return load<std::uint32_t>(a) == load<std::uint32_t>(b) &&
             load<std::uint32_t>(a + bytes - 4) == load<std::uint32_t>(b + bytes - 4);
    }
    return bytes == 0 || (a[0] == b[0] && a[bytes / 2] == b[bytes / 2] && a[bytes - 1] == b[bytes - 1]);
  }
  if (bytes > 16) return std::memcmp(a, b, bytes) == 0;
  return load<std::uint64_t>(a) == load<std::uint64_t>(b) &&
         load<std::uint64_t>(a + bytes - 8) == load<std::uint64_t>(b + bytes - 8);
}

// Length of the longest common prefix.
inline std::size_t common_prefix_bytes(Slice a, Slice b) {
  const std::size_t limit = a.size() < b.size() ? a.size() : b.size();
  std::size_t i = 0;
  while (i + 8 <= limit) {
    const std::uint64_t difference = load<std::uint64_t>(a.data() + i) ^ load<std::uint64_t>(b.data() + i);
    if (difference != 0) return i + static_cast<std::size_t>(__builtin_ctzll(difference)) / 8;
    i += 8;
  }
  while (i < limit && a[i] == b[i]) ++i;
  return i;
}

}  // namespace firn
