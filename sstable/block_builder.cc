#include "sstable/block_builder.h"

#include <algorithm>
#include <cstring>

#include "codec/key_head.h"
#include "codec/varint.h"
#include "platform/assert.h"
#include "sstable/block_reader.h"

namespace firn::sstable {

namespace {

constexpr std::size_t kNarrowBlockBytesMax = 0xFFFF;
constexpr std::size_t kStagedBytesKept = std::size_t{4} << 20;  // More is given back after the block.

std::uint64_t sequence_code(Sequence sequence, Sequence smallest, std::uint64_t packed) {
  return (sequence - smallest) << kKindBits | (packed & 0xFF);
}

}  // namespace

void EntrySums::add(const Entry& entry) {
  ++entries;
  tombstones += entry.kind == EntryKind::kTombstone ? 1 : 0;
  key_bytes += entry.key.size();
  value_bytes += entry.value.size();
  smallest_sequence = std::min(smallest_sequence, entry.sequence);
  largest_sequence = std::max(largest_sequence, entry.sequence);
}

void BlockBuilder::Shape::add(const Entry& entry, std::size_t shared) {
  const std::uint64_t packed = pack_sequence(entry.sequence, entry.kind);
  const std::size_t key_bytes = entry.key.size();
  if (sums.entries == 0) {
    prefix_bytes = shared = key_bytes_min = key_bytes_max = key_bytes;
    packed_first = packed;
  }
  sums.add(entry);
  prefix_bytes = std::min(prefix_bytes, shared);
  key_bytes_min = std::min(key_bytes_min, key_bytes);
  key_bytes_max = std::max(key_bytes_max, key_bytes);
  one_sequence &= packed == packed_first;
}

unsigned BlockBuilder::Shape::sequence_width() const {
  if (one_sequence) return 0;
  return (sums.largest_sequence - sums.smallest_sequence) >> (32 - kKindBits) == 0 ? 4 : 8;
}

std::size_t BlockBuilder::Shape::suffix_bytes_max() const {
  const std::size_t lengths = mixed_key_bytes() ? sums.entries * varint_bytes(key_bytes_max - prefix_bytes) : 0;
  if (key_bytes_max <= prefix_bytes + kHeadBytes) return lengths;
  const bool all_long = key_bytes_min >= prefix_bytes + kHeadBytes;
  return lengths + sums.key_bytes - sums.entries * (prefix_bytes + (all_long ? kHeadBytes : 0));
}

std::size_t BlockBuilder::Shape::block_bytes(std::size_t suffix_bytes) const {
  const std::size_t heads = kBlockHeaderBytes + (prefix_bytes + 7) / 8 * 8 + sums.entries * kHeadBytes;
  const std::size_t narrow_offsets = 2 * (sums.entries + 1);
  const std::size_t narrow = heads + sums.entries * sequence_width() + narrow_offsets + suffix_bytes + sums.value_bytes;
  return narrow <= kNarrowBlockBytesMax ? narrow : narrow + narrow_offsets;
}

std::size_t BlockBuilder::entry_bytes_max(const Entry& entry) {
  constexpr std::size_t kColumnBytesMax = kHeadBytes + 8 + 4 + kVarint32BytesMax;
  return kColumnBytesMax + entry.key.size() + entry.value.size();
}

void BlockBuilder::grow(std::size_t bytes) {
  constexpr std::size_t kCapacityMin = 8192;
  staged_capacity_ = std::max<std::size_t>({kCapacityMin, 2 * staged_capacity_, staged_bytes_ + bytes});
  auto larger = std::make_unique_for_overwrite<char[]>(staged_capacity_);
  if (staged_bytes_ != 0) std::memcpy(larger.get(), staged_.get(), staged_bytes_);
  staged_ = std::move(larger);
}

void BlockBuilder::add(const Entry& entry, std::size_t shared) {
  const std::size_t bytes = entry.key.size() + entry.value.size();
  if (staged_capacity_ - staged_bytes_ < bytes) grow(bytes);
  char* const at = staged_.get() + staged_bytes_;
  if (!entry.key.empty()) std::memcpy(at, entry.key.data(), entry.key.size());
  if (!entry.value.empty()) std::memcpy(at + entry.key.size(), entry.value.data(), entry.value.size());
  Staged& staged = entries_.emplace_back();
  staged.packed_sequence = pack_sequence(entry.sequence, entry.kind);
  staged.offset = static_cast<std::uint32_t>(staged_bytes_);
  staged.key_bytes = static_cast<std::uint32_t>(entry.key.size());
  staged.value_bytes = static_cast<std::uint32_t>(entry.value.size());
  staged_bytes_ += bytes;
  if (entries_.size() == 1) bytes_max_ = kBlockHeaderBytes + (entry.key.size() + 7) / 8 * 8 + 4;
  bytes_max_ += entry_bytes_max(entry);
  shape_.add(entry, shared);
}

std::size_t BlockBuilder::bytes_with(const Entry& entry, std::size_t shared) const {
  Shape shape = shape_;
  shape.add(entry, shared);
  return shape.block_bytes(shape.suffix_bytes_max());
}

std::size_t BlockBuilder::suffix_bytes() const {
  if (!shape_.mixed_key_bytes()) return shape_.suffix_bytes_max();
  std::size_t sum = 0;
  for (const Staged& entry : entries_) {
    const std::size_t rest = entry.key_bytes - shape_.prefix_bytes;
    sum += varint_bytes(rest) + (rest > kHeadBytes ? rest - kHeadBytes : 0);
  }
  return sum;
}

std::size_t BlockBuilder::bytes() const { return shape_.block_bytes(suffix_bytes()); }

char* BlockBuilder::put_header(char* block, std::size_t bytes, bool wide) const {
  const bool mixed = shape_.mixed_key_bytes();
  const unsigned width = shape_.sequence_width();
  const unsigned flags = width / 4 * kSequences32 | (wide ? kWideOffsets : 0U) | (mixed ? kMixedKeyBytes : 0U);
  static_assert(kSequences64 == 2 * kSequences32, "a width of 8 is twice the flag of a width of 4");
  store(block + kBlockSizeOffset, static_cast<std::uint32_t>(bytes));
  store(block + kBlockCompressionOffset, std::uint8_t{0});
  store(block + kBlockFlagsOffset, static_cast<std::uint8_t>(flags));
  store(block + kBlockPrefixBytesOffset, static_cast<std::uint16_t>(shape_.prefix_bytes));
  store(block + kBlockEntriesOffset, static_cast<std::uint32_t>(shape_.sums.entries));
  store(block + kBlockRestBytesOffset,
        static_cast<std::uint16_t>(mixed ? 0 : shape_.key_bytes_max - shape_.prefix_bytes));
  store(block + kBlockZeroOffset, std::uint16_t{0});
  store(block + kBlockBaseOffset, width == 0 ? shape_.packed_first : shape_.sums.smallest_sequence << 8);
  char* out = block + kBlockHeaderBytes;
  const std::size_t padded = (shape_.prefix_bytes + 7) / 8 * 8;
  std::memset(out, 0, padded);
  if (shape_.prefix_bytes != 0) std::memcpy(out, staged_.get(), shape_.prefix_bytes);
  return out + padded;
}

char* BlockBuilder::put_sequences(char* out) const {
  const unsigned width = shape_.sequence_width();
  if (width == 0) return out;
  for (const Staged& entry : entries_) {
    const std::uint64_t code =
        sequence_code(sequence_of(entry.packed_sequence), shape_.sums.smallest_sequence, entry.packed_sequence);
    if (width == 4) {
      store(out, static_cast<std::uint32_t>(code));
    } else {
      store(out, code);
    }
    out += width;
  }
  return out;
}

// The part of key and value that is not in the columns; they lie side by side, so it is one copy.
char* BlockBuilder::put_body(char* out, const Staged& entry) const {
  const std::size_t rest = entry.key_bytes - shape_.prefix_bytes;
  if (shape_.mixed_key_bytes()) out = put_varint(out, rest);
  const std::size_t in_columns = shape_.prefix_bytes + std::min(rest, kHeadBytes);
  const std::size_t bytes = entry.key_bytes - in_columns + entry.value_bytes;
  if (bytes != 0) std::memcpy(out, staged_.get() + entry.offset + in_columns, bytes);
  return out + bytes;
}

void BlockBuilder::finish(char* block) {
  const std::size_t size = bytes();
  const bool wide = size > kNarrowBlockBytesMax;
  char* out = put_header(block, size, wide);
  for (const Staged& entry : entries_) {
    store(out, key_head({staged_.get() + entry.offset, entry.key_bytes}, shape_.prefix_bytes));
    out += kHeadBytes;
  }
  char* offsets = put_sequences(out);
  const std::size_t offset_width = wide ? 4 : 2;
  out = offsets + offset_width * (entries_.size() + 1);
  const auto put_offset = [&] {
    const auto offset = static_cast<std::uint32_t>(out - block);
    std::memcpy(offsets, &offset, offset_width);  // Little-endian: the low bytes come first.
    offsets += offset_width;
  };
  for (const Staged& entry : entries_) {
    put_offset();
    out = put_body(out, entry);
  }
  put_offset();
  FIRN_ASSERT(out == block + size);
  entries_.clear();
  staged_bytes_ = 0;
  shape_ = {};
  if (staged_capacity_ > kStagedBytesKept) {
    staged_.reset();
    staged_capacity_ = 0;
  }
}

}  // namespace firn::sstable
