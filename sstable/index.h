// The index section of a table: which block a key is in, where the blocks lie, and their checksums. Used in place.
//
//   offset  bytes  field
//   0       4      blocks           n, at least 1
//   4       4      planes           1..3: how many eight-byte heads each separator has
//   8       4      prefix bytes     p: what all separators start with
//   12      4      flags            kFullSeparators
//   16      8      separator bytes  s: size of the last field, 0 without kFullSeparators
//   24      40     zeros
//   64             fences           layers of nodes, top first; a node is 8 u64 heads, padded with ones
//                  planes 1, 2      u64[n-1] each
//                  block offsets    u32[n+1], in units of 64 bytes; the last is where the data ends
//                  block checksums  u64[n]
//                  separator ends   u64[n-1], only with kFullSeparators
//                  prefix           p bytes, and right after them the separators: s bytes
//
// Each field but the last two starts at a multiple of 64; so does the end of the section; zeros between.
//
// Separator i, of blocks i and i + 1, is a short key above every key of block i and not above any of block i + 1. Where
// versions of one key k continue in block i + 1 it is k and a zero byte, the least key above k; so a key always begins
// in the block that locate() finds, and may go on in the next ones.
//
// Heads: plane j holds bytes [8 j, 8 j + 8) after the prefix, big-endian, zeros beyond the end. A separator is exact
// when it is no longer than its heads and does not end in a zero byte: then equal heads mean that the key is not below
// it. The others, and only they, are stored in full (without the prefix).
//
// Plane 0 is a static search tree: the bottom layer is plane 0, each layer above holds the last head of each node below
// (B+-tree without pointers, as in Khuong and Morin, "Array layouts for comparison-based searching", 2017).
//
// Thread safety: immutable. Lifetime: the section's bytes outlive the index.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/key_head.h"
#include "codec/varint.h"
#include "firn/slice.h"
#include "sstable/table_format.h"

namespace firn::sstable {

inline constexpr std::size_t kIndexBlocksOffset = 0;
inline constexpr std::size_t kIndexPlanesOffset = 4;
inline constexpr std::size_t kIndexPrefixBytesOffset = 8;
inline constexpr std::size_t kIndexFlagsOffset = 12;
inline constexpr std::size_t kIndexSeparatorBytesOffset = 16;
inline constexpr std::size_t kIndexZeroOffset = 24;
inline constexpr std::size_t kIndexHeaderBytes = 64;

inline constexpr std::uint32_t kFullSeparators = 1;
inline constexpr std::uint32_t kPlanesMax = 3;
inline constexpr std::uint32_t kNodeHeads = 8;
inline constexpr std::size_t kNodeBytes = 64;
inline constexpr std::size_t kLayersMax = 11;  // 8^11 > 2^32.

// Heads of a node that are not above `head`.
inline std::uint32_t count_not_above(const char* node, std::uint64_t head) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < kNodeHeads; ++i) count += load<std::uint64_t>(node + 8 * i) <= head ? 1 : 0;
  return count;
}

class Index {
 public:
  // Why `section` is no index of `data_bytes` of blocks, or empty; only then is `this` of use.
  std::string_view open(Slice section, std::uint64_t data_bytes);

  std::uint32_t blocks() const { return blocks_; }
  std::uint64_t block_offset(std::uint32_t block) const {
    return std::uint64_t{load<std::uint32_t>(offsets_ + 4 * std::size_t{block})} * kSectionAlignment;
  }
  std::uint64_t block_checksum(std::uint32_t block) const {
    return load<std::uint64_t>(checksums_ + 8 * std::size_t{block});
  }

  // Walks all layers but the bottom one and asks for the memory that finish_locate reads.
  std::uint32_t start_locate(Slice key) const {
    if (!has_prefix(key, prefix_)) [[unlikely]]
      return key < prefix_ ? kBeforeAll : kAfterAll;
    const std::uint64_t head = key_head(key, prefix_.size());
    std::uint32_t node = 0;
    for (std::size_t i = 0; i + 1 < layer_count_; ++i) node = descend(layers_[i], node, head);
    __builtin_prefetch(bottom() + kNodeBytes * node);
    __builtin_prefetch(offsets_ + 4 * std::size_t{kNodeHeads} * node);
    return node;
  }
  // The block where `key` begins if it is in the table.
  std::uint32_t finish_locate(Slice key, std::uint32_t node) const {
    if (node >= kAfterAll || separators_ == 0) [[unlikely]]
      return node == kBeforeAll ? 0 : separators_;
    const std::uint64_t head = key_head(key, prefix_.size());
    std::uint32_t count = node * kNodeHeads + count_not_above(bottom() + kNodeBytes * node, head);
    if (count > separators_) count = separators_;
    if (ties_possible_ && count > 0 && plane(0, count - 1) == head) [[unlikely]]
      return locate_tied(key, count);
    return count;
  }

  // Separator of blocks `i` and `i + 1`. Precondition: i + 1 < blocks().
  std::string separator(std::uint32_t i) const;

 private:
  static constexpr std::uint32_t kBeforeAll = UINT32_MAX;
  static constexpr std::uint32_t kAfterAll = UINT32_MAX - 1;

  struct Layer {
    const char* nodes = nullptr;
    std::uint32_t last = 0;  // Nodes of the layer below, less one.
  };

  const char* bottom() const { return layers_[layer_count_ - 1].nodes; }
  // Keys of the upper layers are the last heads of the nodes below: those not above `head` are skipped.
  static std::uint32_t descend(const Layer& layer, std::uint32_t node, std::uint64_t head) {
    const std::uint32_t next = node * kNodeHeads + count_not_above(layer.nodes + kNodeBytes * node, head);
    return next < layer.last ? next : layer.last;
  }
  std::uint64_t plane(std::uint32_t number, std::uint32_t i) const {
    return load<std::uint64_t>(planes_[number] + 8 * std::size_t{i});
  }
  // Bytes after the prefix of a separator that is not exact; empty for an exact one.
  Slice stored_separator(std::uint32_t i) const;
  std::uint32_t locate_tied(Slice key, std::uint32_t count) const;
  std::string_view lay_out(Slice section);
  std::string_view check_arrays(std::uint64_t data_bytes) const;

  std::array<Layer, kLayersMax> layers_;
  std::size_t layer_count_ = 1;
  std::uint32_t separators_ = 0;  // blocks_ - 1
  std::uint32_t blocks_ = 0;
  std::uint32_t plane_count_ = 1;
  bool ties_possible_ = false;  // More than one plane, or separators that are not exact.
  Slice prefix_;
  const char* offsets_ = nullptr;
  const char* checksums_ = nullptr;
  std::array<const char*, kPlanesMax> planes_{};
  const char* separator_ends_ = nullptr;  // Null without kFullSeparators.
  Slice separator_bytes_;
};

class IndexBuilder {
 public:
  // A block begins at `offset`. `separator`: of the block before it and this one; ignored for the first block.
  void begin_block(std::uint64_t offset, Slice separator);
  // The last begun block ends.
  void end_block(std::uint64_t checksum) { checksums_.push_back(checksum); }

  std::uint32_t blocks() const { return static_cast<std::uint32_t>(checksums_.size()); }
  // About what finish() will append.
  std::uint64_t estimated_bytes() const;
  // Appends the section to `out`. `data_end`: where the last block ends.
  void finish(std::uint64_t data_end, std::string& out) const;

 private:
  Slice separator(std::size_t i) const;
  std::uint32_t choose_planes(std::size_t prefix_bytes) const;

  std::vector<std::uint32_t> offsets_;  // In units of kSectionAlignment.
  std::vector<std::uint64_t> checksums_;
  std::vector<std::uint64_t> separator_ends_;  // In separators_.
  std::string separators_;
};

}  // namespace firn::sstable
