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

// The bits that a key has in its line, whichever filter that is of: worked out once for all that are asked.
class FilterBits {
 public:
  explicit FilterBits(std::uint64_t hash) : FilterBits(hash, kAllPairs) {}

  // Without a branch, so that several lines can be on their way at once.
  bool all_in(const char* line) const {
    const Pair missing = missing_in(line, kAllPairs);
    return (missing[0] | missing[1]) == 0;
  }

 private:
  // Two words at a time, as every processor of 64 bits can.
  using Pair [[gnu::vector_size(16)]] = std::uint64_t;
  static constexpr std::make_index_sequence<kFilterWords / 2> kAllPairs{};

  // Unrolled, so that the salts are constants and nothing waits for a loop.
  template <std::size_t... kPairs>
  FilterBits(std::uint64_t hash, std::index_sequence<kPairs...>)
      : pairs_{Pair{bit(hash, 2 * kPairs), bit(hash, 2 * kPairs + 1)}...} {}
  template <std::size_t... kPairs>
  Pair missing_in(const char* line, std::index_sequence<kPairs...>) const {
    return ((pairs_[kPairs] & ~load<Pair>(line + sizeof(Pair) * kPairs)) | ...);
  }
  static std::uint64_t bit(std::uint64_t hash, std::size_t word) { return std::uint64_t{1} << filter_bit(hash, word); }

  std::array<Pair, kFilterWords / 2> pairs_;
};

// What no filter has for each key.
alignas(kFilterLineBytes) inline constexpr auto kFullFilterLine = [] {
  std::array<char, kFilterLineBytes> line{};
  line.fill('\xFF');
  return line;
}();

class Filter {
 public:
  // No filter: every key may be there.
  Filter() = default;
  // `lines`: whole lines, less than 2^32 of them, best aligned to 64.
  explicit Filter(Slice lines)
      : lines_(lines.empty() ? kFullFilterLine.data() : lines.data()), count_(lines.size() / kFilterLineBytes) {}

  // The line that may have a key's bits.
  const char* line(std::uint64_t hash) const { return lines_ + kFilterLineBytes * filter_line(hash, count_); }
  bool may_contain(std::uint64_t hash) const { return FilterBits(hash).all_in(line(hash)); }

 private:
  const char* lines_ = kFullFilterLine.data();
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
