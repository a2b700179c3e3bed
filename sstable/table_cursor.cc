// TableCursor (sstable/table.h). Test: tests/sstable/table_test.cc.
#include <algorithm>
#include <cstring>

#include "platform/assert.h"
#include "platform/io.h"
#include "sstable/table.h"

namespace firn {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{128} << 10;

}  // namespace

TableCursor::TableCursor(const Table& table, ScanKind kind) : table_(table), kind_(kind) {}

TableCursor::TableCursor(std::shared_ptr<const Table> table, ScanKind kind)
    : owned_(std::move(table)), table_(*owned_), kind_(kind) {}

BlockRef TableCursor::pin() const {
  FIRN_ASSERT(valid_ && kind_ == ScanKind::kUser);
  if (!pinned_.cached) return {};
  pinned_.cached->add_reference();
  return BlockRef(pinned_.cached.get());
}

bool TableCursor::load(std::uint32_t block) {
  if (block == block_) return true;
  block_ = kNoBlock;
  const Result<const char*> data = kind_ == ScanKind::kUser ? load_shared(block) : load_private(block);
  if (!data.ok()) {
    fail(data.status());
    return false;
  }
  block_ = block;
  reader_ = sstable::BlockReader(*data);
  const Slice prefix = reader_.prefix();
  prefix_bytes_ = prefix.size();
  grow_key(prefix_bytes_ + sstable::kHeadBytes);
  if (!prefix.empty()) std::memcpy(key_.get(), prefix.data(), prefix_bytes_);
  return true;
}

void TableCursor::grow_key(std::size_t bytes) {
  if (bytes <= key_capacity_) return;
  const std::size_t capacity = std::max<std::size_t>(2 * bytes, 64);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (key_capacity_ != 0) std::memcpy(larger.get(), key_.get(), key_capacity_);
  key_ = std::move(larger);
  key_capacity_ = capacity;
}

// Through the mapping or the cache.
Result<const char*> TableCursor::load_shared(std::uint32_t block) {
  read_ahead_.note(table_, block);
  if (Status s = table_.pin_block(block, pinned_); !s.ok()) return s;
  if (pinned_.mapped) {
    // Values are handed out unread: a page that cannot be read is to show now.
    Table::touch({pinned_.data, table_.extent_bytes(block)});
    if (table_.lose_mapping_if_damaged()) {
      if (Status s = table_.pin_block(block, pinned_); !s.ok()) return s;
    }
  }
  return pinned_.data;
}

// By a copy: what compaction writes anew is what was verified, whatever becomes of the mapping meanwhile.
Result<const char*> TableCursor::load_private(std::uint32_t block) {
  const sstable::BlockPlace place = table_.place_of(block);
  const std::size_t bytes = table_.extent_bytes(block);
  if (place.offset < piece_offset_ || place.offset + bytes > piece_offset_ + piece_bytes_) {
    if (Status s = fill_piece(block); !s.ok()) return s;
  }
  auto decoded = sstable::decode_stored(place, {piece_.get() + (place.offset - piece_offset_), bytes}, scratch_);
  if (!decoded.ok()) return decoded.status();
  return decoded->data();
}

char* TableCursor::reserve_piece(std::size_t bytes) {
  piece_bytes_ = 0;
  if (piece_capacity_ < bytes) {
    piece_ = std::make_unique_for_overwrite<char[]>(bytes);
    piece_capacity_ = bytes;
  }
  return piece_.get();
}

// As many blocks as a piece holds, from the file even where it is mapped: a page that was only ever read for a
// compaction should not become memory of this process.
Status TableCursor::fill_piece(std::uint32_t block) {
  const std::uint64_t offset = table_.block_offset(block);
  std::uint32_t end = block + 1;
  while (end < table_.blocks() && table_.block_offset(end + 1) - offset <= kPieceBytes) ++end;
  const auto bytes = static_cast<std::size_t>(table_.block_offset(end) - offset);
  const std::span<char> into(reserve_piece(bytes), bytes);
  if (Status s = read_exactly(*table_.file_, offset, std::as_writable_bytes(into)); !s.ok()) return s;
  piece_offset_ = offset;
  piece_bytes_ = bytes;
  return {};
}

// Whether the present block cannot be trusted any more; it is then no longer the present one.
bool TableCursor::lost_mapping() {
  if (!pinned_.mapped || !table_.lose_mapping_if_damaged()) [[likely]]
    return false;
  block_ = kNoBlock;
  return true;
}

[[gnu::always_inline]] inline void TableCursor::present(std::uint32_t position,
                                                        const sstable::BlockReader::Body& body) {
  position_ = position;
  const std::size_t room = prefix_bytes_ + std::max(body.rest_bytes, sstable::kHeadBytes);
  if (room > key_capacity_) [[unlikely]]
    grow_key(room);
  char* const key = key_.get();
  reader_.copy_rest(position, body, key + prefix_bytes_);
  const std::uint64_t packed = reader_.packed_sequence(position);
  // Field by field: a whole Entry would go through the stack and stall on its way back.
  entry_.key = {key, prefix_bytes_ + body.rest_bytes};
  entry_.value = body.value;
  entry_.sequence = sequence_of(packed);
  entry_.kind = kind_of(packed);
  valid_ = true;
  if (pinned_.mapped && table_.lose_mapping_if_damaged()) [[unlikely]]
    present_again(position);
}

// The mapping was lost while the entry was read.
void TableCursor::present_again(std::uint32_t position) {
  const std::uint32_t block = block_;
  if (lost_mapping() && load(block)) present(position);
}

void TableCursor::present(std::uint32_t position) { present(position, reader_.body(position)); }

void TableCursor::present_first_of(std::uint32_t block) {
  if (block >= table_.blocks()) return end();
  if (load(block)) present(0);
}

void TableCursor::present_last_of(std::uint32_t block) {
  if (load(block)) present(reader_.entries() - 1);
}

void TableCursor::seek_to_first() {
  status_ = {};
  present_first_of(0);
}

void TableCursor::seek_to_last() {
  status_ = {};
  present_last_of(table_.blocks() - 1);
}

void TableCursor::seek(Slice key, Sequence sequence) {
  status_ = {};
  // A key's versions may go on in the blocks after the one where it begins.
  for (std::uint32_t block = table_.locate(key); block < table_.blocks();) {
    if (!load(block)) return;
    const std::uint32_t position = reader_.lower_bound(key, sequence).index;
    if (lost_mapping()) continue;
    if (position < reader_.entries()) return present(position);
    ++block;
  }
  end();
}

void TableCursor::seek_before(Slice key) {
  status_ = {};
  const std::uint32_t block = table_.locate(key);
  std::uint32_t position = 0;
  do {
    if (!load(block)) return;
    position = reader_.lower_bound(key, kSequenceMax).index;
  } while (lost_mapping());
  if (position > 0) return present(position - 1);
  if (block == 0) return end();
  present_last_of(block - 1);
}

void TableCursor::next() {
  const std::uint32_t position = position_ + 1;
  if (position == reader_.entries()) return present_first_of(block_ + 1);
  present(position, reader_.body_from(entry_.value.data() + entry_.value.size(), position));
}

void TableCursor::prev() {
  if (position_ > 0) return present(position_ - 1);
  if (block_ == 0) return end();
  present_last_of(block_ - 1);
}

}  // namespace firn
