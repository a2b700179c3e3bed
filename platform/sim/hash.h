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
  std::uint64_t hash = hash_mix(seed, bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    const std::size_t left = bytes.size() - at;
    std::memcpy(&word, bytes.data() + at, left < sizeof word ? left : sizeof word);
    hash = hash_mix(hash, word);
  }
  return hash;
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  return hash_bytes(std::as_bytes(std::span(text)), seed);
}

}  // namespace firn::sim
