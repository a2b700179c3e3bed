#include "sstable/table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/assert.h"
#include "platform/io.h"

namespace firn {

using sstable::BlockReader;
using sstable::round_up;
using sstable::SectionKind;

namespace {

// Asks for header, prefix, heads, sequences and offsets of a 4 KiB block of 100-byte values at once, where reading them
// would be miss after miss.
void prefetch_columns(const char* block) {
  constexpr std::size_t kLines = 9;
  for (std::size_t i = 0; i < kLines; ++i) __builtin_prefetch(block + 64 * i);
}

// A scan that has read this many blocks in order is taken for a long one.
constexpr std::uint32_t kBlocksBeforeReadAhead = 2;
constexpr std::uint64_t kReadAheadBytes = std::uint64_t{256} << 10;

// A block of 4 KiB takes some 22 bytes of the index.
constexpr std::uint64_t kFileBytesPerIndexByte = 188;
// A filter that is no larger is read with the index: that takes the disk hardly longer.
constexpr std::uint64_t kSmallFilterBytes = std::uint64_t{64} << 10;

std::string difference(const char* what, std::uint64_t found, std::uint64_t expected) {
  return "file has " + std::string(what) + " " + std::to_string(found) + ", the database expects " +
         std::to_string(expected);
}

}  // namespace

Table::Table(std::string path, std::unique_ptr<File> file, BlockCache& cache)
    : cache_(cache), path_(std::move(path)), file_(std::move(file)) {}

Table::~Table() {
  if (slots_ != nullptr) cache_.remove({slots_.get(), index_.blocks()});
}

Result<std::shared_ptr<Table>> Table::open(FileSystem& files, const std::string& path, const TableMeta& expected,
                                           BlockCache& cache, bool may_map) {
  return open_file(files, path, &expected, cache, may_map);
}

Result<std::shared_ptr<Table>> Table::open_unknown(FileSystem& files, const std::string& path, BlockCache& cache) {
  return open_file(files, path, nullptr, cache, false);
}

Result<std::shared_ptr<Table>> Table::open_file(FileSystem& files, const std::string& path, const TableMeta* expected,
                                                BlockCache& cache, bool may_map) {
  auto table = start_open(files, path, cache);
  if (!table.ok()) return table.status();
  if (Status s = (*table)->request_metadata(expected, true); !s.ok()) return s;
  if (Status s = (*table)->take_metadata(expected, may_map); !s.ok()) return s;
  return table;
}

Result<std::shared_ptr<Table>> Table::start_open(FileSystem& files, const std::string& path, BlockCache& cache) {
  auto file = files.open(path, OpenMode::kRead, FileKind::kTable);
  if (!file.ok()) return file.status();
  std::shared_ptr<Table> table(new Table(path, std::move(file).value(), cache));
  auto size = table->file_->size();
  if (!size.ok()) return size.status();
  table->meta_.file_bytes = *size;
  // As much as the index takes as a rule, so that it comes with the footer.
  const std::uint64_t tail_bytes = std::min(*size, sstable::kFooterBytes + *size / kFileBytesPerIndexByte);
  table->file_->prefetch(*size - tail_bytes, tail_bytes);
  return table;
}

Status Table::request_metadata(const TableMeta* expected, bool whole) {
  if (Status s = read_footer(expected); !s.ok()) return s;
  const sstable::Section& filter = footer_.section(SectionKind::kFilter);
  read_from_ = filter.offset + (whole || filter.length <= kSmallFilterBytes ? 0 : filter.length);
  file_->prefetch(read_from_, metadata_offset() + metadata_bytes() - read_from_);
  return {};
}

Status Table::take_metadata(const TableMeta* expected, bool may_map) {
  if (Status s = read_metadata(); !s.ok()) return s;
  if (expected != nullptr && meta_ != *expected) {
    return Status::corruption(path_, footer_.section(SectionKind::kProperties).offset,
                              "properties differ from what the database expects");
  }
  if (may_map) map_file();
  if (!mapped()) slots_ = std::make_unique<BlockCache::Slot[]>(blocks());
  return {};
}

Status Table::read_footer(const TableMeta* expected) {
  const std::uint64_t size = meta_.file_bytes;
  if (expected != nullptr && size != expected->file_bytes) {
    return Status::corruption(path_, std::min(size, expected->file_bytes),
                              difference("bytes", size, expected->file_bytes));
  }
  std::array<char, sstable::kFooterBytes> page;
  if (size < page.size()) return Status::corruption(path_, 0, "not a table: shorter than a footer");
  const std::uint64_t at = size - page.size();
  if (Status s = read_exactly(*file_, at, std::as_writable_bytes(std::span(page))); !s.ok()) return s;
  auto footer = sstable::decode_footer({page.data(), page.size()}, path_, size);
  if (!footer.ok()) return footer.status();
  footer_ = *footer;
  meta_.id = footer_.table_id;
  meta_.file_bytes = footer_.file_bytes;
  meta_.digest = load<std::uint64_t>(page.data() + sstable::kFooterChecksumOffset);
  if (expected == nullptr) return {};
  if (meta_.id != expected->id) return Status::corruption(path_, at, difference("id", meta_.id, expected->id));
  if (meta_.digest != expected->digest) {
    return Status::corruption(path_, at, difference("digest", meta_.digest, expected->digest));
  }
  return {};
}

Slice Table::section(SectionKind kind) const {
  const sstable::Section& section = footer_.section(kind);
  return {metadata_.get() + (section.offset - metadata_offset()), static_cast<std::size_t>(section.length)};
}

// Into one huge page where that at most doubles the memory: each lookup misses the cache here twice, and each of these
// misses would miss the TLB too.
Status Table::read_metadata() {
  const std::size_t bytes = metadata_bytes();
  const std::size_t room = bytes + 1 < kHugePageBytes / 2 ? bytes + 1 : round_up(bytes + 1, kHugePageBytes);
  metadata_ = {static_cast<char*>(allocate_pages(room)), FreePages{room}};
  if (metadata_ == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for index and filter");
  if (Status s = read_section_bytes(read_from_, bytes - unread_filter_bytes()); !s.ok()) return s;
  const bool with_filter = unread_filter_bytes() == 0;
  for (const SectionKind kind : {SectionKind::kFilter, SectionKind::kIndex, SectionKind::kProperties}) {
    if (kind == SectionKind::kFilter && !with_filter) continue;
    if (Status s = check_section(kind); !s.ok()) return s;
  }
  const std::string_view problem =
      index_.open(section(SectionKind::kIndex), footer_.section(SectionKind::kData).length);
  if (!problem.empty()) return Status::corruption(path_, footer_.section(SectionKind::kIndex).offset, problem);
  if (section(SectionKind::kFilter).size() / sstable::kFilterLineBytes > UINT32_MAX) {
    return Status::corruption(path_, metadata_offset(), "filter is too large");
  }
  filter_ = sstable::Filter(section(SectionKind::kFilter));
  has_filter_.store(with_filter, std::memory_order_relaxed);
  if (!sstable::decode_properties(section(SectionKind::kProperties), footer_.version, properties_, meta_) ||
      properties_.compressed_blocks > index_.blocks()) {
    return Status::corruption(path_, footer_.section(SectionKind::kProperties).offset, "malformed properties");
  }
  return {};
}

Status Table::load_filter() {
  if (has_filter()) return {};
  if (Status s = read_section_bytes(metadata_offset(), unread_filter_bytes()); !s.ok()) return s;
  if (Status s = check_section(SectionKind::kFilter); !s.ok()) return s;
  has_filter_.store(true, std::memory_order_release);
  return {};
}

// Of the file into their place in metadata_.
Status Table::read_section_bytes(std::uint64_t offset, std::size_t bytes) {
  const std::span<char> into(metadata_.get() + (offset - metadata_offset()), bytes);
  return read_exactly(*file_, offset, std::as_writable_bytes(into));
}

Status Table::check_section(SectionKind kind) const {
  const sstable::Section& entry = footer_.section(kind);
  if (sstable::table_checksum(meta_.id, entry.offset, section(kind)) == entry.checksum) return {};
  return Status::corruption(path_, entry.offset,
                            "checksum mismatch in section " + std::to_string(static_cast<std::uint32_t>(kind)));
}

// Where mapping fails the table is read through the cache.
void Table::map_file() {
  if (properties_.compressed_blocks != 0) return;
  auto mapping = file_->map();
  if (!mapping.ok() || (*mapping)->bytes().size() != meta_.file_bytes) return;
  mapping_ = std::move(mapping).value();
  mapped_ = reinterpret_cast<const char*>(mapping_->bytes().data());
  damage_flag_ = mapping_->damage_flag();
  resident_ = mapping_->resident();
  verified_ = std::make_unique<std::atomic<std::uint64_t>[]>((blocks() + 63) / 64);
}

TableProperties Table::properties() const {
  return {.blocks = blocks(),
          .compressed_blocks = properties_.compressed_blocks,
          .data_bytes = footer_.section(SectionKind::kData).length,
          .raw_bytes = properties_.raw_bytes,
          .filter_bytes = footer_.section(SectionKind::kFilter).length,
          .index_bytes = footer_.section(SectionKind::kIndex).length,
          .block_bytes = properties_.block_bytes,
          .filter_bits_per_key = properties_.filter_bits_per_key,
          .compression = properties_.compression};
}

std::uint64_t Table::memory_bytes() const {
  const std::uint64_t per_block = mapped() ? 0 : sizeof(BlockCache::Slot) * std::uint64_t{blocks()};
  return sizeof(Table) + metadata_.get_deleter().bytes + per_block;
}

void Table::touch(Slice mapped) {
  const volatile char* const bytes = mapped.data();
  for (std::size_t i = 0; i < mapped.size(); i += sstable::kPageBytes) static_cast<void>(bytes[i]);
  if (!mapped.empty()) static_cast<void>(bytes[mapped.size() - 1]);
}

const std::atomic<bool>& Table::damage_flag() const {
  static constexpr std::atomic<bool> kPerhaps{true};
  return damage_flag_ != nullptr ? *damage_flag_ : kPerhaps;
}

Status Table::verify_mapped(std::uint32_t block) const {
  // In one request to the device: faults would read the pages one by one.
  if (!resident_) file_->prefetch(index_.block_offset(block), extent_bytes(block));
  const sstable::BlockPlace place = place_of(block);
  const Slice extent(mapped_ + place.offset, extent_bytes(block));
  auto stored = sstable::open_stored(place, extent);
  if (!stored.ok()) return stored.status();
  if (stored->compression != Compression::kNone) {
    return Status::corruption(path_, place.offset, "block is compressed where properties say that none is");
  }
  if (Status s = sstable::check_decoded(place, extent); !s.ok()) return s;
  verified_[block / 64].fetch_or(std::uint64_t{1} << (block % 64), std::memory_order_release);
  return {};
}

Result<BlockRef> Table::read_block(std::uint32_t block) const {
  const sstable::BlockPlace place = place_of(block);
  const auto no_memory = [&] { return Status(StatusCode::kOutOfMemory, path_ + ": no memory for a block"); };
  BlockRef extent = cache_.make_block(extent_bytes(block));
  if (!extent) return no_memory();
  const std::span<char> into(extent->data(), extent->size());
  if (Status s = read_exactly(*file_, place.offset, std::as_writable_bytes(into)); !s.ok()) return s;
  auto stored = sstable::open_stored(place, {into.data(), into.size()});
  if (!stored.ok()) return stored.status();
  if (stored->compression != Compression::kNone) {
    BlockRef raw = cache_.make_block(stored->block_bytes);
    if (!raw) return no_memory();
    if (Status s = sstable::decompress_stored(place, *stored, raw->data()); !s.ok()) return s;
    extent = std::move(raw);
  }
  if (Status s = sstable::check_decoded(place, {extent->data(), extent->size()}); !s.ok()) return s;
  return extent;
}

Status Table::access_slow(const EpochGuard& guard, std::uint32_t block, Access& out) const {
  if (usable_mapping()) {
    Status s = verify_mapped(block);
    if (!lose_mapping_if_damaged()) {
      out = {mapped_ + index_.block_offset(block), nullptr};
      return s;
    }
  }
  if (slots_ != nullptr) {
    if (CachedBlock* const cached = cache_.lookup(guard, slots_[block])) {
      out = {cached->data(), cached};
      return {};
    }
  }
  auto read = read_block(block);
  if (!read.ok()) return read.status();
  CachedBlock* const shared = slots_ != nullptr ? cache_.insert(guard, slots_[block], std::move(read).value())
                                                : BlockCache::lend(guard, std::move(read).value());
  out = {shared->data(), shared};
  return {};
}

Status Table::pin_block(std::uint32_t block, PinnedBlock& out) const {
  const EpochGuard guard;
  Access read;
  if (Status s = access(guard, block, read); !s.ok()) return s;
  if (read.cached == nullptr && lose_mapping_if_damaged()) {
    if (Status s = access(guard, block, read); !s.ok()) return s;
  }
  if (read.cached != nullptr) read.cached->add_reference();
  out.data = read.data;
  out.cached = BlockRef(read.cached);
  out.mapped = read.cached == nullptr;
  return {};
}

void Table::prefetch_block(const EpochGuard& guard, std::uint32_t block) const {
  if (mapped_ != nullptr) {
    prefetch_columns(mapped_ + index_.block_offset(block));
  } else if (const CachedBlock* const cached = BlockCache::peek(guard, slots_[block])) {
    prefetch_columns(cached->data());
  }
}

void Table::request_block(const EpochGuard& guard, std::uint32_t block) const {
  const bool in_memory = slots_ != nullptr ? BlockCache::peek(guard, slots_[block]) != nullptr
                                           : usable_mapping() && (resident_ || verified(block));
  if (in_memory) [[likely]] {
    prefetch_block(guard, block);
  } else {
    file_->prefetch(index_.block_offset(block), extent_bytes(block));
  }
}

Status Table::get(const EpochGuard& guard, Slice key, std::uint64_t hash, Sequence at, TableHit& hit) const {
  if (!may_contain(hash)) {
    hit.found = false;
    return {};
  }
  return find(guard, index_.finish_locate(key, index_.start_locate(key)), key, at, hit);
}

Status Table::find(const EpochGuard& guard, std::uint32_t block, Slice key, Sequence at, TableHit& hit) const {
  hit.found = false;
  while (block < blocks()) {
    Access read;
    if (Status s = access(guard, block, read); !s.ok()) return s;
    prefetch_columns(read.data);
    const BlockReader reader(read.data);
    const BlockReader::Position position = reader.lower_bound(key, at);
    const bool past_end = position.index >= reader.entries();
    if (position.same_key && !past_end) read_hit(reader, position.index, read.cached, hit);
    // Past the end with every version newer than `at`: older ones may follow in the next block.
    const bool goes_on = past_end && reader.entries() != 0 && reader.is_version_of(reader.entries() - 1, key);
    // What a damaged mapping showed may be zeros: read this block again, from the file.
    if (read.cached == nullptr && (lose_mapping_if_damaged() || (hit.found && !reachable(hit.value)))) [[unlikely]] {
      hit.found = false;
      continue;
    }
    if (!goes_on) return {};
    ++block;
  }
  return {};
}

void Table::read_hit(const BlockReader& reader, std::uint32_t index, CachedBlock* block, TableHit& hit) const {
  const std::uint64_t packed = reader.packed_sequence(index);
  hit.found = true;
  hit.kind = kind_of(packed);
  hit.sequence = sequence_of(packed);
  hit.value = reader.body(index).value;
  hit.block = block;
  hit.mapping = block == nullptr ? mapping_.get() : nullptr;
  // Now: whether what a mapping showed can be trusted is asked after this. Blocks are checked, so it is a reference.
  if (hit.kind == EntryKind::kReference) static_cast<void>(sstable::decode_reference(hit.value, hit.reference));
}

// Whether a mapped value can be read to its end: its first page was read with the key, the others are tried here.
bool Table::reachable(Slice value) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(value.data());
  if (value.empty() || begin / sstable::kPageBytes == (begin + value.size() - 1) / sstable::kPageBytes) return true;
  touch(value);
  return !lose_mapping_if_damaged();
}

Result<Slice> Table::read_stored(std::uint32_t block, std::string& extent, std::string& scratch) const {
  const sstable::BlockPlace place = place_of(block);
  extent.resize(extent_bytes(block));
  if (Status s = read_exactly(*file_, place.offset, std::as_writable_bytes(std::span(extent))); !s.ok()) return s;
  return sstable::decode_stored(place, extent, scratch);
}

Result<BlockInfo> Table::block_info(std::uint32_t index) const {
  FIRN_ASSERT(index < blocks());
  std::string extent;
  std::string scratch;
  auto block = read_stored(index, extent, scratch);
  if (!block.ok()) return block.status();
  const BlockReader reader(block->data());
  return BlockInfo{.offset = block_offset(index),
                   .stored_bytes = static_cast<std::uint32_t>(extent.size()),
                   .raw_bytes = load<std::uint32_t>(block->data() + sstable::kBlockSizeOffset),
                   .entries = reader.entries(),
                   .compression = static_cast<Compression>(extent[sstable::kBlockCompressionOffset]),
                   .first_key = reader.key(0),
                   .last_key = reader.key(reader.entries() - 1)};
}

void ReadAhead::note(const Table& table, std::uint32_t block) {
  blocks_in_order_ = block == next_ ? blocks_in_order_ + 1 : 0;
  next_ = block + 1;
  if (blocks_in_order_ < kBlocksBeforeReadAhead || block < end_) return;
  // A verified block was in memory a while ago.
  if (table.usable_mapping() && (table.resident_ || table.verified(block))) return;
  end_ = block + 1;
  const std::uint64_t start = table.block_offset(block);
  while (end_ < table.blocks() && table.block_offset(end_) - start < kReadAheadBytes) ++end_;
  table.file_->prefetch(start, table.block_offset(end_) - start);
}

}  // namespace firn
