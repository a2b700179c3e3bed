#include "sstable/block_reader.h"

#include <algorithm>

#include "sstable/value_format.h"

namespace firn::sstable {

namespace {

// Where the columns of a block lie, computed without trusting it.
struct Columns {
  std::uint64_t bytes = 0;  // Of the whole block.
  std::uint64_t entries = 0;
  std::size_t prefix_bytes = 0;
  std::size_t rest_bytes = 0;
  std::uint8_t flags = 0;
  std::uint64_t heads = 0;
  std::uint64_t sequences = 0;
  std::uint64_t offsets = 0;
  std::uint64_t bodies = 0;
};

Columns columns_of(const char* block) {
  Columns c;
  c.bytes = load<std::uint32_t>(block + kBlockSizeOffset);
  c.entries = load<std::uint32_t>(block + kBlockEntriesOffset);
  c.prefix_bytes = load<std::uint16_t>(block + kBlockPrefixBytesOffset);
  c.rest_bytes = load<std::uint16_t>(block + kBlockRestBytesOffset);
  c.flags = load<std::uint8_t>(block + kBlockFlagsOffset);
  const std::uint64_t sequence_width = (c.flags & (kSequences32 | kSequences64)) * 4U;
  const std::uint64_t offset_width = (c.flags & kWideOffsets) != 0 ? 4 : 2;
  c.heads = kBlockHeaderBytes + (c.prefix_bytes + 7) / 8 * 8;
  c.sequences = c.heads + kHeadBytes * c.entries;
  c.offsets = c.sequences + sequence_width * c.entries;
  c.bodies = c.offsets + offset_width * (c.entries + 1);
  return c;
}

bool check_sequence(std::uint64_t base, const char* column, std::uint64_t index, std::uint8_t flags,
                    std::uint8_t& kind) {
  const std::uint64_t delta =
      (flags & kSequences32) != 0 ? load<std::uint32_t>(column + 4 * index) : load<std::uint64_t>(column + 8 * index);
  kind = static_cast<std::uint8_t>(delta & ((1U << kKindBits) - 1));
  return entry_kind_known(kind) && (delta >> kKindBits) <= kSequenceMax - sequence_of(base);
}

// Whether what follows the key can be the value of an entry of that kind.
bool value_fits(std::uint8_t kind, Slice value) {
  ValueReference reference;
  switch (static_cast<EntryKind>(kind)) {
    case EntryKind::kTombstone: return value.empty();
    case EntryKind::kReference: return decode_reference(value, reference);
    default: return true;
  }
}

// Bodies and what their columns say about them.
std::string_view check_entries(const char* block, const Columns& c) {
  const auto base = load<std::uint64_t>(block + kBlockBaseOffset);
  const bool has_sequences = (c.flags & (kSequences32 | kSequences64)) != 0;
  const auto base_kind = static_cast<std::uint8_t>(base & 0xFF);
  if (has_sequences ? base_kind != 0 : !entry_kind_known(base_kind)) return "block has a malformed base sequence";
  std::uint8_t kind = base_kind;
  const auto offset_at = [&](std::uint64_t i) -> std::uint64_t {
    return (c.flags & kWideOffsets) != 0 ? load<std::uint32_t>(block + c.offsets + 4 * i)
                                         : load<std::uint16_t>(block + c.offsets + 2 * i);
  };
  std::uint64_t begin = offset_at(0);
  if (begin != c.bodies) return "block's first body is not where it must be";
  for (std::uint64_t i = 0; i < c.entries; ++i) {
    const std::uint64_t end = offset_at(i + 1);
    if (end < begin || end > c.bytes) return "block has a body outside its bounds";
    if (has_sequences && !check_sequence(base, block + c.sequences, i, c.flags, kind)) {
      return "block has an unknown kind or an impossible sequence";
    }
    const char* in = block + begin;
    std::uint32_t rest = static_cast<std::uint32_t>(c.rest_bytes);
    if ((c.flags & kMixedKeyBytes) != 0) in = get_varint32(in, block + end, rest);
    if (in == nullptr || rest > kKeyBytesMax - c.prefix_bytes) return "block has a malformed key length";
    const std::uint64_t suffix = rest > kHeadBytes ? rest - kHeadBytes : 0;
    const auto left = static_cast<std::uint64_t>(block + end - in);
    if (suffix > left || !value_fits(kind, {in + suffix, static_cast<std::size_t>(left - suffix)})) {
      return "block has a body of the wrong size";
    }
    const auto head = load<std::uint64_t>(block + c.heads + kHeadBytes * i);
    if (rest < kHeadBytes && head << (8 * rest) != 0) return "block has a head longer than its key";
    begin = end;
  }
  return begin == c.bytes ? std::string_view() : "block does not end with its last body";
}

// The same for the common form of blocks, where it tells sound ones without a branch for each entry; the others, some
// sound ones among them, are left to check_entries.
bool entries_are_plain(const char* block, const Columns& c) {
  if ((c.flags & ~kSequences32) != 0 || c.rest_bytes < kHeadBytes || c.rest_bytes > kKeyBytesMax - c.prefix_bytes) {
    return false;
  }
  const auto base = load<std::uint64_t>(block + kBlockBaseOffset);
  const std::uint32_t suffix = static_cast<std::uint32_t>(c.rest_bytes - kHeadBytes);
  const char* const offsets = block + c.offsets;
  const std::uint32_t first = load<std::uint16_t>(offsets);
  std::uint32_t begin = first;
  std::uint32_t bad = 0;
  for (std::uint64_t i = 1; i <= c.entries; ++i) {
    const std::uint32_t end = load<std::uint16_t>(offsets + 2 * i);
    bad |= end < begin + suffix ? 1U : 0U;
    begin = end;
  }
  if (bad != 0 || first != c.bodies || begin != c.bytes) return false;
  constexpr auto kPut = static_cast<std::uint32_t>(EntryKind::kPut);
  if (c.flags == 0) return (base & 0xFF) == kPut;
  std::uint32_t largest = 0;
  for (std::uint64_t i = 0; i < c.entries; ++i) {
    const auto delta = load<std::uint32_t>(block + c.sequences + 4 * i);
    bad |= (delta & ((1U << kKindBits) - 1)) ^ kPut;
    largest = std::max(largest, delta);
  }
  return bad == 0 && (base & 0xFF) == 0 && (largest >> kKindBits) <= kSequenceMax - sequence_of(base);
}

}  // namespace

std::string_view check_block(Slice bytes) {
  if (bytes.size() < kBlockHeaderBytes) return "block is shorter than its header";
  const char* const block = bytes.data();
  if (load<std::uint8_t>(block + kBlockCompressionOffset) != 0) return "block is compressed twice";
  const Columns c = columns_of(block);
  if ((c.flags & ~kKnownFlags) != 0 || load<std::uint16_t>(block + kBlockZeroOffset) != 0) {
    return "block has unknown flags";
  }
  if ((c.flags & kSequences32) != 0 && (c.flags & kSequences64) != 0) return "block has two sequence columns";
  if ((c.flags & kMixedKeyBytes) != 0 && c.rest_bytes != 0) return "block has two key lengths";
  if (c.entries == 0) return "block is empty";
  if (c.bytes > bytes.size() || c.bodies > c.bytes) return "block is longer than its extent";
  return entries_are_plain(block, c) ? std::string_view() : check_entries(block, c);
}

// Of keys of different lengths. What was checked before may have turned to zeros, as in body_from().
BlockReader::Body BlockReader::mixed_body(const char* in, const char* end) {
  end = std::max(in, end);
  std::uint32_t rest = 0;
  const char* const after = get_varint32(in, end, rest);
  const char* const suffix = after != nullptr ? after : end;
  const auto left = static_cast<std::size_t>(end - suffix);
  const std::size_t rest_bytes = std::min(std::size_t{rest}, kHeadBytes + left);
  const std::size_t suffix_bytes = rest_bytes > kHeadBytes ? rest_bytes - kHeadBytes : 0;
  return {suffix, suffix_bytes, rest_bytes, {suffix + suffix_bytes, left - suffix_bytes}};
}

BlockReader::Position BlockReader::tied_lower_bound(Slice key, Sequence at, std::uint32_t first) const {
  const std::uint64_t wanted = head(first);
  // The tie's end: heads are sorted, so the first one above `wanted` ends it.
  std::uint32_t low = first;
  std::uint32_t high = wanted == UINT64_MAX
                           ? entries_
                           : first + count_heads_below(heads_ + kHeadBytes * first, entries_ - first, wanted + 1);
  const std::uint32_t tie_end = high;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const int order = compare_tail(middle, key);
    const bool before = order < 0 || (order == 0 && sequence_of(packed_sequence(middle)) > at);
    if (before) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, low < tie_end && compare_tail(low, key) == 0};
}

std::string BlockReader::key(std::uint32_t index) const {
  const Body entry = body(index);
  std::string out;
  out.reserve(prefix_bytes_ + entry.rest_bytes + kHeadBytes);
  out.assign(prefix());
  out.resize(prefix_bytes_ + entry.rest_bytes + kHeadBytes);
  copy_rest(index, entry, out.data() + prefix_bytes_);
  out.resize(prefix_bytes_ + entry.rest_bytes);
  return out;
}

bool check_order(const BlockReader& block) {
  std::string last = block.key(0);
  for (std::uint32_t i = 1; i < block.entries(); ++i) {
    std::string key = block.key(i);
    const int order = last.compare(key);
    if (order > 0) return false;
    if (order == 0 && sequence_of(block.packed_sequence(i - 1)) <= sequence_of(block.packed_sequence(i))) return false;
    last = std::move(key);
  }
  return true;
}

}  // namespace firn::sstable
