// Encodes one data block at a time: entries in, the bytes of sstable/block_reader.h out.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/entry.h"
#include "firn/slice.h"

namespace firn::sstable {

// What a table adds up over its entries.
struct EntrySums {
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t key_bytes = 0;
  std::uint64_t value_bytes = 0;
  Sequence smallest_sequence = kSequenceMax;
  Sequence largest_sequence = 0;

  void add(const Entry& entry);
};

class BlockBuilder {
 public:
  bool empty() const { return entries_.empty(); }
  const EntrySums& sums() const { return shape_.sums; }
  // Valid until the next call that changes the builder. Precondition of both: !empty().
  Slice last_key() const { return {staged_.get() + entries_.back().offset, entries_.back().key_bytes}; }
  std::uint64_t last_packed_sequence() const { return entries_.back().packed_sequence; }

  // Copies `entry`, which follows the last one in internal order. `shared`: common_prefix_bytes(last_key(), entry.key);
  // of no meaning in an empty block.
  void add(const Entry& entry, std::size_t shared);

  // Whether the block stays within `limit` bytes when `entry` is added. Never wrongly true; wrongly false only for keys
  // of less than 8 bytes after the prefix. Precondition: !empty().
  bool fits(const Entry& entry, std::size_t shared, std::size_t limit) const {
    return bytes_max_ + entry_bytes_max(entry) <= limit || bytes_with(entry, shared) <= limit;
  }
  // Exact size of the block as it is. Precondition: !empty().
  std::size_t bytes() const;

  // Writes bytes() bytes and empties the builder. Precondition: !empty().
  void finish(char* out);

 private:
  struct Staged {
    std::uint64_t packed_sequence;
    std::uint32_t offset;  // Of the key in staged_; the value follows it.
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
  };
  // What the sizes of the columns depend on.
  struct Shape {
    EntrySums sums;
    std::size_t prefix_bytes = 0;
    std::size_t key_bytes_min = 0;
    std::size_t key_bytes_max = 0;
    std::uint64_t packed_first = 0;
    bool one_sequence = true;  // All entries have the first one's sequence and kind.

    void add(const Entry& entry, std::size_t shared);
    bool mixed_key_bytes() const { return key_bytes_min != key_bytes_max; }
    unsigned sequence_width() const;
    std::size_t suffix_bytes_max() const;
    // Size of the block given what its key suffixes (and their lengths) take.
    std::size_t block_bytes(std::size_t suffix_bytes) const;
  };

  // What an entry takes at most: with all columns at their widest and nothing in common.
  static std::size_t entry_bytes_max(const Entry& entry);
  std::size_t bytes_with(const Entry& entry, std::size_t shared) const;
  void grow(std::size_t bytes);
  std::size_t suffix_bytes() const;
  char* put_header(char* block, std::size_t bytes, bool wide) const;
  char* put_sequences(char* out) const;
  char* put_body(char* out, const Staged& entry) const;

  std::unique_ptr<char[]> staged_;
  std::size_t staged_bytes_ = 0;
  std::size_t staged_capacity_ = 0;
  std::size_t bytes_max_ = 0;  // No less than bytes().
  std::vector<Staged> entries_;
  Shape shape_;
};

}  // namespace firn::sstable
