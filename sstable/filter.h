// The filter of a table: says of a key that it is certainly not there, or that it may be. A split block Bloom filter
// (Putze, Sanders, Singler 2007; Apache Impala and Parquet): a key sets one bit in each of the eight 64-bit words of
// one cache line, so that a probe costs one miss. About 1 % of absent keys pass at 10 bits a key, 0.1 % at 16.
//
// The section is the lines themselves and nothing else: line i at 64 i. Its length says how many there are.
//
// Thread safety: Filter is immutable; a builder belongs to one thread. Lifetime: a Filter's bytes outlive it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "codec/varint.h"
#include "firn/slice.h"
#include "platform/memory.h"

namespace firn::sstable {

inline constexpr std::size_t kFilterLineBytes = 64;
inline constexpr std::size_t kFilterWords = 8;
// Odd multipliers, one for each word; stored in files by what they do: never change.
inline constexpr std::array<std::uint32_t, kFilterWords> kFilterSalts = {
    0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xB55A4F09, 0x6C8E9CF5, 0xD3833E81};

// The line of a hash, of `lines` > 0 in all: its low half, scaled.
inline std::uint64_t filter_line(std::uint64_t hash, std::uint64_t lines) { return (hash & 0xFFFFFFFF) * lines >> 32; }
// Its bit in word `word`: the top six bits of its salted high half.
inline unsigned filter_bit(std::uint64_t hash, std::size_t word) {
  return (static_cast<std::uint32_t>(hash >> 32) * kFilterSalts[word]) >> 26;
}

class Filter {
 public:
  // No filter: every key may be there.
  Filter() = default;
  // `lines`: whole lines, less than 2^32 of them, best aligned to 64.
  explicit Filter(Slice lines) : lines_(lines.data()), count_(lines.size() / kFilterLineBytes) {}

  void prefetch(std::uint64_t hash) const {
    if (count_ != 0) __builtin_prefetch(lines_ + kFilterLineBytes * filter_line(hash, count_));
  }
  bool may_contain(std::uint64_t hash) const {
    if (count_ == 0) return true;
    return all_set(lines_ + kFilterLineBytes * filter_line(hash, count_), hash,
                   std::make_index_sequence<kFilterWords>());
  }
  std::uint64_t bytes() const { return count_ * kFilterLineBytes; }

 private:
  // Unrolled, so that the salts are constants.
  template <std::size_t... kWords>
  static bool all_set(const char* line, std::uint64_t hash, std::index_sequence<kWords...>) {
    return ((load<std::uint64_t>(line + 8 * kWords) >> filter_bit(hash, kWords)) & ... & 1) != 0;
  }

  const char* lines_ = nullptr;
  std::uint64_t count_ = 0;
};

// Collects hashes, since the size of a filter depends on their number: 8 bytes a key, in pieces that neither move nor
// are the heap's, which would keep them.
class FilterBuilder {
 public:
  explicit FilterBuilder(std::uint32_t bits_per_key) : bits_per_key_(bits_per_key) {}

  // False, with no effect, when there is no memory.
  [[nodiscard]] bool add(std::uint64_t hash) {
    if (bits_per_key_ == 0) return true;
    if (at_ == end_ && !add_piece()) [[unlikely]]
      return false;
    *at_++ = hash;
    return true;
  }
  // Size of the filter if finished now; 0 for none.
  std::uint64_t bytes() const;
  // Writes bytes() bytes at `out`, aligned to 8, and is empty.
  void finish(char* out);

 private:
  using Piece = std::unique_ptr<std::uint64_t[], FreePages>;

  static std::size_t capacity_of(const Piece& piece) { return piece.get_deleter().bytes / sizeof(std::uint64_t); }
  std::size_t count() const { return capacity_ - static_cast<std::size_t>(end_ - at_); }
  bool add_piece();

  std::uint32_t bits_per_key_;
  std::vector<Piece> pieces_;  // All full but the last.
  std::size_t capacity_ = 0;   // Of all of them.
  std::uint64_t* at_ = nullptr;
  std::uint64_t* end_ = nullptr;  // Of the last.
};

}  // namespace firn::sstable
