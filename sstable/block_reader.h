// One data block, read in place. Format and constants: below and docs/formats.md#block.
//
//   offset  bytes  field
//   0       4      block bytes        this header included, padding not
//   4       1      compression        0 here; a compressed block starts with kStoredHeaderBytes of its own, see below
//   5       1      flags              kSequences32, kSequences64, kWideOffsets, kMixedKeyBytes
//   6       2      prefix bytes       p: what all keys start with
//   8       4      entries            n, at least 1
//   12      2      rest bytes         key bytes after the prefix, of every key; 0 with kMixedKeyBytes
//   14      2      zero
//   16      8      base               with a sequence column: the smallest sequence << 8; else the packed sequence of
//   all 24      p      prefix             then zeros up to a multiple of 8
//           8 n    heads              u64: the 8 key bytes after the prefix, big-endian, zeros beyond the key's end
//           w n    sequence column    u32 or u64 or absent: (sequence - smallest) << 3 | kind
//           o (n+1) offsets           u16 or u32: where body i starts; the last is where the last one ends
//                  bodies             [varint rest bytes, only with kMixedKeyBytes] key after prefix and head, value
//
// Entries are in internal order. Idea: columns of key heads (DSM pages, Ailamaki et al. 2001; prefix B-trees, Bayer and
// Unterauer 1977), so that a search reads the heads and one body.
//
// Thread safety: immutable. Lifetime: the block's bytes outlive the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/entry.h"
#include "codec/key_head.h"
#include "codec/varint.h"
#include "firn/slice.h"

namespace firn::sstable {

inline constexpr std::size_t kBlockSizeOffset = 0;
inline constexpr std::size_t kBlockCompressionOffset = 4;
inline constexpr std::size_t kBlockFlagsOffset = 5;
inline constexpr std::size_t kBlockPrefixBytesOffset = 6;
inline constexpr std::size_t kBlockEntriesOffset = 8;
inline constexpr std::size_t kBlockRestBytesOffset = 12;
inline constexpr std::size_t kBlockZeroOffset = 14;
inline constexpr std::size_t kBlockBaseOffset = 16;
inline constexpr std::size_t kBlockHeaderBytes = 24;

inline constexpr std::uint8_t kSequences32 = 1;
inline constexpr std::uint8_t kSequences64 = 2;
inline constexpr std::uint8_t kWideOffsets = 4;    // u32 instead of u16.
inline constexpr std::uint8_t kMixedKeyBytes = 8;  // Keys are not all of one length.
inline constexpr std::uint8_t kKnownFlags = 15;

inline constexpr unsigned kKindBits = 3;  // Of the sequence column.
inline constexpr std::size_t kHeadBytes = 8;

// A compressed block: u32 bytes of the block it holds, u8 Compression, u8 padding bytes at the end of its extent,
// u16 zero, then the codec's output.
inline constexpr std::size_t kStoredHeaderBytes = 8;
inline constexpr std::size_t kStoredPaddingOffset = 5;
inline constexpr std::size_t kStoredZeroOffset = 6;
// Larger blocks are never compressed: what a reader allocates is bounded by the file.
inline constexpr std::size_t kCompressedBlockBytesMax = std::size_t{64} << 20;

// Why `bytes` (of an uncompressed block, perhaps followed by padding) are no block; empty when they are one. After that
// every access through a BlockReader stays within them. Order is not checked (see check_order).
std::string_view check_block(Slice bytes);

// Heads in [heads, heads + 8 count) that are below `head`. Precondition: count > 0.
inline std::uint32_t count_heads_below(const char* heads, std::uint32_t count, std::uint64_t head) {
  const char* base = heads;
  while (count > 1) {
    const std::uint32_t half = count / 2;
    const std::size_t step = std::size_t{half} * kHeadBytes;
    // A mask instead of a branch, which would be predicted wrongly every other time.
    base += step & (std::size_t{0} - static_cast<std::size_t>(load<std::uint64_t>(base + step - kHeadBytes) < head));
    count -= half;
  }
  return static_cast<std::uint32_t>(static_cast<std::size_t>(base - heads) / kHeadBytes) +
         (load<std::uint64_t>(base) < head ? 1 : 0);
}

class BlockReader {
 public:
  // The parts of an entry's body.
  struct Body {
    const char* suffix = nullptr;  // Key bytes after prefix and head,
    std::size_t suffix_bytes = 0;  // rest_bytes - 8 of them, or none.
    std::size_t rest_bytes = 0;    // Key bytes after the prefix.
    Slice value;
  };
  // Where a search ended.
  struct Position {
    std::uint32_t index = 0;  // First entry at or after what was sought; entries() when there is none.
    bool same_key = false;    // It is a version of the key sought.
  };

  BlockReader() = default;
  // Precondition: check_block() found nothing wrong.
  explicit BlockReader(const char* block)
      : block_(block),
        entries_(load<std::uint32_t>(block + kBlockEntriesOffset)),
        prefix_bytes_(load<std::uint16_t>(block + kBlockPrefixBytesOffset)),
        rest_bytes_(load<std::uint16_t>(block + kBlockRestBytesOffset)),
        suffix_bytes_(rest_bytes_ > kHeadBytes ? static_cast<std::uint16_t>(rest_bytes_ - kHeadBytes)
                                               : std::uint16_t{0}),
        flags_(load<std::uint8_t>(block + kBlockFlagsOffset)) {
    heads_ = block + kBlockHeaderBytes + ((std::size_t{prefix_bytes_} + 7) & ~std::size_t{7});
    sequences_ = heads_ + kHeadBytes * entries_;
    offsets_ = sequences_ + std::size_t{sequence_width()} * entries_;
  }

  std::uint32_t entries() const { return entries_; }
  Slice prefix() const { return {block_ + kBlockHeaderBytes, prefix_bytes_}; }
  std::uint64_t head(std::uint32_t index) const { return load<std::uint64_t>(heads_ + kHeadBytes * index); }

  [[gnu::always_inline]] Body body(std::uint32_t index) const { return body_from(block_ + offset(index), index); }
  // The same, given where the body begins: where the one before it ends.
  [[gnu::always_inline]] Body body_from(const char* in, std::uint32_t index) const {
    const char* end = block_ + offset(index + 1);
    if ((flags_ & kMixedKeyBytes) != 0) [[unlikely]]
      return mixed_body(in, end);
    const char* const value = in + suffix_bytes_;
    // Checked before; but the pages of a failing mapping turn to zeros at any time.
    if (end < value) [[unlikely]]
      end = value;
    return {in, suffix_bytes_, rest_bytes_, {value, static_cast<std::size_t>(end - value)}};
  }

  // Asks for the memory of `lines` cache lines from body `index` on. Both always inline: GCC takes a function that only
  // prefetches for one without effect and drops its calls.
  [[gnu::always_inline]] void prefetch_bodies(std::uint32_t index, std::size_t lines) const {
    const char* const body = block_ + offset(index);
    for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(body + 64 * i);
  }

  // Asks for where body `index` begins. Precondition: index <= entries().
  [[gnu::always_inline]] void prefetch_body(std::uint32_t index) const { __builtin_prefetch(block_ + offset(index)); }

  std::uint64_t packed_sequence(std::uint32_t index) const {
    const auto base = load<std::uint64_t>(block_ + kBlockBaseOffset);
    std::uint64_t delta = 0;
    switch (flags_ & (kSequences32 | kSequences64)) {
      case 0: return base;
      case kSequences32: delta = load<std::uint32_t>(sequences_ + 4 * std::size_t{index}); break;
      default: delta = load<std::uint64_t>(sequences_ + 8 * std::size_t{index}); break;
    }
    constexpr std::uint64_t kKindMask = (1U << kKindBits) - 1;
    return base + (delta >> kKindBits << 8) + (delta & kKindMask);
  }

  // First entry at or after (key, at); see Cursor::seek.
  Position lower_bound(Slice key, Sequence at) const { return lower_bound_from(lower_bound_of_head(key), key, at); }
  // In two steps: the first entry that is not before `key` as far as heads tell,
  std::uint32_t lower_bound_of_head(Slice key) const {
    if (!has_prefix(key, prefix())) [[unlikely]]
      return key < prefix() ? 0 : entries_;
    return count_heads_below(heads_, entries_, key_head(key, prefix_bytes_));
  }
  // and lower_bound(), given that one.
  Position lower_bound_from(std::uint32_t first, Slice key, Sequence at) const {
    if (first >= entries_ || !has_prefix(key, prefix())) return {first, false};
    const std::uint64_t wanted = key_head(key, prefix_bytes_);
    if (head(first) != wanted) return {first, false};
    if (first + 1 != entries_ && head(first + 1) == wanted) return tied_lower_bound(key, at, first);
    const int order = compare_tail(first, key);
    if (order == 0 && sequence_of(packed_sequence(first)) <= at) return {first, true};
    return {order > 0 ? first : first + 1, false};
  }

  // Whether entry `index` is a version of `key`.
  bool is_version_of(std::uint32_t index, Slice key) const { return compare(index, key) == 0; }

  // Order of the key of entry `index` against `key`: negative, zero or positive.
  int compare(std::uint32_t index, Slice key) const {
    if (!has_prefix(key, prefix())) [[unlikely]]
      return prefix() < key ? -1 : 1;
    const std::uint64_t wanted = key_head(key, prefix_bytes_);
    if (head(index) != wanted) return head(index) < wanted ? -1 : 1;
    return compare_tail(index, key);
  }

  // The eight key bytes after the head, as a head: zeros beyond the key's end.
  static std::uint64_t suffix_head(const Body& body) {
    // By a fixed size where that stays in the block.
    if (body.suffix_bytes + body.value.size() < kHeadBytes) return key_head({body.suffix, body.suffix_bytes});
    const std::uint64_t head = __builtin_bswap64(load<std::uint64_t>(body.suffix));
    return body.suffix_bytes < kHeadBytes ? head & ~(~std::uint64_t{0} >> 8 * body.suffix_bytes) : head;
  }

  std::size_t key_bytes(std::uint32_t index) const { return prefix_bytes_ + body(index).rest_bytes; }
  // Writes the key of an entry, without the prefix: body.rest_bytes bytes, and up to 8 unspecified ones after them.
  void copy_rest(std::uint32_t index, const Body& body, char* out) const {
    store(out, __builtin_bswap64(head(index)));
    if (body.rest_bytes > kHeadBytes) std::memcpy(out + kHeadBytes, body.suffix, body.rest_bytes - kHeadBytes);
  }
  std::string key(std::uint32_t index) const;

 private:
  unsigned sequence_width() const { return (flags_ & (kSequences32 | kSequences64)) * 4U; }
  std::size_t offset(std::uint32_t index) const {
    return (flags_ & kWideOffsets) != 0 ? load<std::uint32_t>(offsets_ + 4 * std::size_t{index})
                                        : load<std::uint16_t>(offsets_ + 2 * std::size_t{index});
  }

  // Order of entry `index` against a key with the same prefix and head: what follows the head decides, then length
  // (heads are padded with zeros).
  int compare_tail(std::uint32_t index, Slice key) const {
    const Body entry = body(index);
    const std::size_t wanted_rest = key.size() - prefix_bytes_;
    const std::size_t entry_suffix = entry.suffix_bytes;
    const std::size_t wanted_suffix = wanted_rest > kHeadBytes ? wanted_rest - kHeadBytes : 0;
    const std::size_t common = entry_suffix < wanted_suffix ? entry_suffix : wanted_suffix;
    if (common != 0) {
      const int order = std::memcmp(entry.suffix, key.data() + prefix_bytes_ + kHeadBytes, common);
      if (order != 0) return order;
    }
    return entry.rest_bytes < wanted_rest ? -1 : entry.rest_bytes > wanted_rest ? 1 : 0;
  }

  static Body mixed_body(const char* in, const char* end);
  Position tied_lower_bound(Slice key, Sequence at, std::uint32_t first) const;

  const char* block_ = nullptr;
  const char* heads_ = nullptr;
  const char* sequences_ = nullptr;
  const char* offsets_ = nullptr;
  std::uint32_t entries_ = 0;
  std::uint32_t prefix_bytes_ = 0;
  std::uint16_t rest_bytes_ = 0;    // Of every key; and of these,
  std::uint16_t suffix_bytes_ = 0;  // those after the head. Not with kMixedKeyBytes.
  std::uint8_t flags_ = 0;
};

// Whether the entries of a block are in strict internal order.
bool check_order(const BlockReader& block);

}  // namespace firn::sstable
