// Tables that do not overlap, read as one sorted run by an iterator that sees one sequence: one table of L0, or a
// level. Of each key it shows the newest visible version alone. Moving within a block is arithmetic on its columns: no
// virtual call, no key is put together unless asked for.
//
// Thread safety: one thread at a time. Lifetime: the version outlives the run; what read() answers lives until the
// next move.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lsm/head_map.h"
#include "lsm/key_buffer.h"
#include "lsm/version.h"
#include "platform/fence.h"
#include "sstable/table.h"

namespace firn::lsm {

class TableRun {
 public:
  // Tables [begin, end) of level `level`, at least one. Not positioned.
  TableRun(const Version& version, int level, std::size_t begin, std::size_t end, const HeadMap& heads, Sequence at)
      : version_(version), level_(level), begin_(begin), end_(end), heads_(heads), at_(at) {}

  // A seek in steps, so that the cache misses of several runs overlap: what start_seek asks for, continue_seek reads,
  // and so on to the last step, which alone moves. search() is for seek() alone; `lines`: of bodies that it asks for.
  void start_seek(Slice key, std::uint64_t head);  // `head`: Version::head(key).
  // The table that the seek goes to, if that is closed; else null. Once it is open the seek is to be started again.
  const TableFile* closed_table() const {
    return sought_index_ < end_ && sought_table_ == nullptr ? version_.level(level_)[sought_index_].get() : nullptr;
  }
  void continue_seek(Slice key);
  void search(Slice key, std::size_t lines);
  void seek(Slice key);         // To the first entry at or after `key`.
  void seek_before(Slice key);  // To the last entry before `key`.
  void seek_to_first();
  void seek_to_last();
  // To the next key, or the one before. What they answer is valid(). Precondition of both: valid().
  [[gnu::always_inline]] bool next() {
    const std::uint32_t present = position_;
    if (present + 1 < reader_.entries() && reader_.head(present + 1) != reader_.head(present)) [[likely]] {
      show(present + 1);
      reader_.prefetch_body(std::min(present + 1 + kRowsAhead, reader_.entries()));
      if (sees(packed_) && mapping_intact()) [[likely]]
        return valid_;
      position_ = present;
    }
    return pass_forward();
  }
  [[gnu::always_inline]] bool prev() {
    const std::uint32_t present = position_;
    if (present > 1 && reader_.head(present - 2) != reader_.head(present - 1)) [[likely]] {
      show(present - 1);
      reader_.prefetch_body(position_ - std::min(position_, kRowsAhead));
      if (sees(packed_) && mapping_intact()) [[likely]]
        return valid_;
    }
    return pass_backward(present);
  }

  // False past either end and after an error; status() tells the two apart.
  bool valid() const { return valid_; }
  const Status& status() const { return status_; }
  // Precondition of the rest: valid().
  std::uint64_t head() const { return head_; }  // As HeadMap gives it.
  bool deleted() const { return kind_of(packed_) == EntryKind::kTombstone; }
  // Puts the key together in `key`.
  [[gnu::always_inline]] void read_key(KeyBuffer& key) const { read_key(reader_.body(position_), key); }
  // The key, and what else the entry has. Precondition: !deleted().
  [[gnu::always_inline]] void read(KeyBuffer& key, RunEntry& entry) const {
    const sstable::BlockReader::Body body = reader_.body(position_);
    read_key(body, key);
    if (pinned_.mapped) touch(body.value);
    entry.value = body.value;
    entry.separated = nullptr;
    if (kind_of(packed_) != EntryKind::kReference) [[likely]]
      return;
    entry.separated = version_.level(level_)[index_].get();
    // Before it is asked whether what was read can be trusted. Blocks are checked: it is a reference.
    static_cast<void>(sstable::decode_reference(entry.value, entry.reference));
  }
  // Order of the present key against `key`: negative, zero or positive.
  [[gnu::always_inline]] int compare(Slice key) const { return reader_.compare(position_, key); }
  // That the entry lies in; null if it is in a cached block.
  const FileMapping* mapping() const { return pinned_.mapped ? table_->mapping() : nullptr; }
  // Whether the last seek has read a block.
  bool placed() const { return placed_; }
  // How many blocks were read so far.
  std::uint64_t blocks_read() const { return blocks_read_; }
  // Whether what was read of the present entry since the last move is the file's. If not it is to be read again, unless
  // the run has failed: then it is not valid().
  bool trusted() {
    if (mapping_intact()) [[likely]]
      return true;
    reload();
    return false;
  }

 private:
  static constexpr std::uint32_t kNoBlock = UINT32_MAX;
  static constexpr std::size_t kShortBytes = 8;
  static constexpr std::uint32_t kRowsAhead = 2;  // Asked for, as rows may be longer than what the processor guesses.

  bool sees(std::uint64_t packed) const { return sequence_of(packed) <= at_; }
  bool is_visible(std::uint32_t position) const { return sees(reader_.packed_sequence(position)); }
  bool mapping_intact() const {
    load_fence();  // What was read so far is older than the answer.
    return !damage_->load(std::memory_order_relaxed) || !table_->lose_mapping_if_damaged();
  }
  // Without a call where there are few bytes.
  [[gnu::always_inline]] static void copy_part(char* out, const char* from, std::size_t bytes, bool readable_beyond) {
    if (bytes > kShortBytes) [[unlikely]] {
      std::memcpy(out, from, bytes);
    } else if (readable_beyond) [[likely]] {
      std::memcpy(out, from, kShortBytes);
    } else if (bytes >= 4) {
      const auto last = firn::load<std::uint32_t>(from + bytes - 4);
      store(out, firn::load<std::uint32_t>(from));
      store(out + bytes - 4, last);
    } else if (bytes > 0) {
      out[0] = from[0];
      out[bytes / 2] = from[bytes / 2];
      out[bytes - 1] = from[bytes - 1];
    }
  }
  [[gnu::always_inline]] void read_key(const sstable::BlockReader::Body& body, KeyBuffer& key) const {
    static_assert(KeyBuffer::kSlackBytes >= sstable::kHeadBytes + kShortBytes);
    const Slice prefix = reader_.prefix();
    const std::size_t bytes = prefix.size() + body.rest_bytes;
    char* const out = key.reserve(bytes);
    // In the block, more bytes follow the prefix.
    copy_part(out, prefix.data(), prefix.size(), true);
    char* const rest = out + prefix.size();
    store(rest, __builtin_bswap64(reader_.head(position_)));
    copy_part(rest + sstable::kHeadBytes, body.suffix, body.suffix_bytes,
              body.suffix_bytes + body.value.size() >= kShortBytes);
    key.set_size(bytes);
  }
  // Reads of a value that is about to be handed out a byte of each page, so that one that cannot be read shows now.
  static void touch(Slice value) {
    if (!value.empty()) static_cast<void>(*static_cast<const volatile char*>(value.data()));
    const auto begin = reinterpret_cast<std::uintptr_t>(value.data());
    const std::uintptr_t last = begin + value.size() - 1;
    if (!value.empty() && begin / sstable::kPageBytes != last / sstable::kPageBytes) [[unlikely]]
      Table::touch(value);
  }
  bool same_key(std::uint32_t a, std::uint32_t b) const;
  std::uint32_t newest_visible(std::uint32_t position) const;
  std::size_t find(Slice key, std::uint64_t head) const;
  bool open(std::size_t index);
  bool load(std::uint32_t block);
  bool load_sought(Slice key);
  bool load_next();
  bool load_previous();
  bool reload();
  void take_block();
  void take_short_prefix(Slice prefix, Slice common);
  void forward_from(std::uint32_t position);
  void backward_from(std::uint32_t position);
  bool pass_forward();
  bool pass_backward(std::uint32_t position);
  bool continues_block_before();
  void to_newest_visible();
  // Makes the entry at `position` the present one of a valid run; but the run ends where the entry does not begin as
  // the map's prefix does, which is beyond the bounds.
  [[gnu::always_inline]] void show(std::uint32_t position) {
    position_ = position;
    packed_ = reader_.packed_sequence(position);
    if (prefix_in_heads_ != 0) [[unlikely]]
      return show_by_body();
    head_ = head_base_ | (reader_.head(position) & head_mask_) >> head_shift_;
  }
  void show_by_body();
  void restart() {
    status_ = {};
    valid_ = placed_ = false;
  }
  void end() { valid_ = false; }
  bool fail(Status status);

  const Version& version_;
  const int level_;
  const std::size_t begin_;
  const std::size_t end_;
  const HeadMap& heads_;
  const Sequence at_;

  const Table* table_ = nullptr;
  std::size_t index_ = 0;           // Of table_, among the level's.
  std::uint32_t block_ = kNoBlock;  // Of table_; kNoBlock after a failure.
  std::uint32_t position_ = 0;      // Of the present entry in block_.
  std::uint64_t packed_ = 0;        // Its sequence and kind.
  sstable::BlockReader reader_;
  PinnedBlock pinned_;
  const std::atomic<bool>* damage_ = nullptr;  // While false, so is Table::lose_mapping_if_damaged() of the block.
  // Heads follow from the block's: base | (head & mask) >> shift. Unless the map's prefix is longer than the block's,
  // by so many bytes: then they go on in the body, and the key has that prefix only where head & mask == base.
  std::size_t prefix_in_heads_ = 0;
  std::uint32_t head_shift_ = 0;
  std::uint64_t head_mask_ = 0;
  std::uint64_t head_base_ = 0;
  std::uint64_t head_ = 0;
  bool valid_ = false;
  bool placed_ = false;
  // Of a seek between its steps:
  std::size_t sought_index_ = 0;         // Of the table; end_ when there is none.
  const Table* sought_table_ = nullptr;  // Null when it has to be opened first.
  std::uint32_t sought_block_ = 0;
  std::uint32_t sought_position_ = 0;  // BlockReader::lower_bound_of_head.
  std::uint64_t blocks_read_ = 0;
  ReadAhead read_ahead_;
  Status status_;
};

}  // namespace firn::lsm
