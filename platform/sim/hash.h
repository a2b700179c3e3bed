// Hashes that tell states and traces of a simulation apart: 64 bits, fast, no secrets. Idea: the folded multiplication
// of wyhash (Wang Yi). Internal to platform.
//
// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace firn::sim {

// Both words, in this order, in one. Never 0 or 1, which callers use for "none".
inline std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0xA0761D6478BD642F) * (b ^ 0xE7037ED1A0B428DB);
  const std::uint64_t folded = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  return (folded ^ (b << 1)) | 2;
}

inline std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::uint64_t hash = hash_mix(seed, bytes.size());
  std::size_t at = 0;
  const auto take_word = [&] {
    std::uint64_t word = 0;
    const std::size_t left = bytes.size() - at;
    std::memcpy(&word, bytes.data() + at, left < kWord ? left : kWord);
    at += kWord;
    return word;
  };
  if (bytes.size() >= 8 * kWord) {
    // Four chains, since one would wait for its multiplications.
    std::uint64_t a = hash, b = hash_mix(seed, 1), c = hash_mix(seed, 2), d = hash_mix(seed, 3);
    while (bytes.size() - at >= 4 * kWord) {
      a = hash_mix(a, take_word());
      b = hash_mix(b, take_word());
      c = hash_mix(c, take_word());
      d = hash_mix(d, take_word());
    }
    hash = hash_mix(hash_mix(a, b), hash_mix(c, d));
  }
  while (at < bytes.size()) hash = hash_mix(hash, take_word());
  return hash;
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  return hash_bytes(std::as_bytes(std::span(text)), seed);
}

}  // namespace firn::sim
