// Reads one table. Format: docs/formats.md#table, constants: sstable/table_format.h.
//
// The index is in memory while the table is open, as it is in the file; so is the filter, once it is loaded. Blocks are
// read in place where the file is mapped, else through the block cache. A block is verified whenever it comes from the
// disk: at every read of the file, and at the first touch of a mapped one (a bit per block remembers).
//
// Damage never spreads: a call that needs a damaged block fails with kCorruption naming file and offset; others work.
// When a mapping reports an unreadable page the table leaves it and reads the file from then on, so that an error is
// again one of the blocks concerned.
//
// Thread safety: Table is thread safe; a cursor belongs to one thread at a time.
// Lifetime: the block cache and the file system outlive the table, the table its cursors and its hits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "codec/cursor.h"
#include "codec/entry.h"
#include "firn/file_system.h"
#include "firn/options.h"
#include "firn/status.h"
#include "platform/epoch.h"
#include "platform/fence.h"
#include "platform/memory.h"
#include "sstable/block_cache.h"
#include "sstable/block_reader.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/properties.h"
#include "sstable/stored_block.h"
#include "sstable/table_format.h"
#include "sstable/table_meta.h"
#include "sstable/value_format.h"

namespace firn {

class TableCursor;

// A block that is read for a while: verified, and kept alive by this and the table.
struct PinnedBlock {
  const char* data = nullptr;
  BlockRef cached;
  bool mapped = false;  // Read through the mapping: ask Table::lose_mapping_if_damaged before trusting what was read.
};

// What Table::get found.
struct TableHit {
  bool found = false;
  EntryKind kind = EntryKind::kPut;  // These three only if found.
  Sequence sequence = 0;
  Slice value;                           // Lives as long as the table if `block` is null, else as long as the guard
  CachedBlock* block = nullptr;          // or a reference taken under it: block->add_reference().
  const FileMapping* mapping = nullptr;  // That `value` points into, if `block` is null.
  ValueReference reference;              // Of kReference: where the value is.
};

// One block as the file holds it.
struct BlockInfo {
  std::uint64_t offset = 0;        // In the file.
  std::uint32_t stored_bytes = 0;  // In the file, padding included.
  std::uint32_t raw_bytes = 0;     // Before compression and padding.
  std::uint32_t entries = 0;
  Compression compression = Compression::kNone;
  std::string first_key;
  std::string last_key;
};

// One damaged part of a table: what Table::verify reports.
struct TableDamage {
  Status status;             // kCorruption or kIo, naming file and offset.
  std::uint64_t offset = 0;  // Of the damaged part,
  std::uint64_t bytes = 0;   // and its size.
  // Keys that may be lost with it: first <= key < last; an empty `last` means to the end.
  std::string first_key;
  std::string last_key;
};

// What a table says about itself beside its TableMeta.
struct TableProperties {
  std::uint32_t blocks = 0;
  std::uint32_t compressed_blocks = 0;
  std::uint64_t data_bytes = 0;  // Stored blocks, padding included.
  std::uint64_t raw_bytes = 0;   // The same before compression and padding.
  std::uint64_t filter_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint32_t block_bytes = 0;  // As built: TableOptions.
  std::uint32_t filter_bits_per_key = 0;
  Compression compression = Compression::kNone;
};

class Table {
 public:
  // Reads and verifies footer, filter and index. `expected`: as the builder returned it; a file of another size, id or
  // content is refused. `may_map`: whether to map the file if its blocks can be read in place.
  // Errors: kCorruption, kIo, kNotFound (no such file), kNewerFormat, kOutOfMemory.
  static Result<std::shared_ptr<Table>> open(FileSystem& files, const std::string& path, const TableMeta& expected,
                                             BlockCache& cache, bool may_map);
  // open() in three steps, for several tables at once: what each of the first two asks the disk for, the next one
  // reads. Nothing else may be asked of the table before the last one succeeded. A large filter is left out: every key
  // may be there until load_filter(). Errors of each: as open().
  static Result<std::shared_ptr<Table>> start_open(FileSystem& files, const std::string& path, BlockCache& cache);
  Status continue_open(const TableMeta& expected) { return request_metadata(&expected, false); }
  Status finish_open(const TableMeta& expected, bool may_map) { return take_metadata(&expected, may_map); }
  // Whether gets may ask the filter. False only after finish_open(), before load_filter() succeeded.
  bool has_filter() const { return has_filter_.load(std::memory_order_acquire); }
  // Asks the disk for what load_filter() reads; so many bytes.
  std::size_t request_filter() const {
    file_->prefetch(metadata_offset(), unread_filter_bytes());
    return unread_filter_bytes();
  }
  // Beside gets, but not beside itself. Errors: as open(); it may be tried again.
  Status load_filter();
  // A file of which nothing is known, such as `firn dump` gets: meta() is what the file says. Not mapped.
  static Result<std::shared_ptr<Table>> open_unknown(FileSystem& files, const std::string& path, BlockCache& cache);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }
  TableProperties properties() const;
  // Values are served from the mapping.
  bool mapped() const { return mapped_ != nullptr; }
  const FileMapping* mapping() const { return mapping_.get(); }  // Null if not mapped().
  // Held by the open table: index, filter and slots; neither cached blocks nor the mapping.
  std::uint64_t memory_bytes() const;

  // Newest version of `key` not newer than `at`, filter first. `hash`: key_hash(key). `hit.found` is false when there
  // is none. Errors: kCorruption, kIo, kOutOfMemory.
  Status get(const EpochGuard& guard, Slice key, std::uint64_t hash, Sequence at, TableHit& hit) const;

  // The steps of get(), for many keys in lockstep: prefetch_filter for all keys, then may_contain; start_locate, then
  // finish_locate; prefetch_block, then find. Each step asks for the memory that the next one reads.
  void prefetch_filter(std::uint64_t hash) const { __builtin_prefetch(filter_.line(hash)); }
  bool may_contain(std::uint64_t hash) const {  // False: certainly not here.
    return !has_filter() || filter_.may_contain(hash);
  }
  // The line of the filter that says it, for FilterBits: one key in many tables. Precondition: has_filter().
  const char* filter_line(std::uint64_t hash) const { return filter_.line(hash); }
  std::uint32_t start_locate(Slice key) const { return index_.start_locate(key); }
  // The block where `key` begins if it is here. `start`: of start_locate(key).
  std::uint32_t finish_locate(Slice key, std::uint32_t start) const { return index_.finish_locate(key, start); }
  std::uint32_t locate(Slice key) const { return finish_locate(key, start_locate(key)); }
  void prefetch_block(const EpochGuard& guard, std::uint32_t block) const;
  // The same for one of several blocks that are about to be read: one that is perhaps on the disk only is asked for
  // there, so that they are read at once and not one by one.
  void request_block(const EpochGuard& guard, std::uint32_t block) const;
  // As get(), without the filter. `block`: of locate(key).
  Status find(const EpochGuard& guard, std::uint32_t block, Slice key, Sequence at, TableHit& hit) const;

  // Errors: as find(). Precondition: block < blocks().
  Status pin_block(std::uint32_t block, PinnedBlock& out) const;
  // Reads a byte of every page of `mapped`, so that a page that cannot be read shows now.
  static void touch(Slice mapped);
  // Whether the mapping showed something else than the file, which is read without it from then on. What was read
  // through it before a false answer was the file's. Precondition: mapped().
  bool lose_mapping_if_damaged() const {
    load_fence();  // What was read so far is older than the answer.
    if (!(damage_flag_ != nullptr ? damage_flag_->load(std::memory_order_relaxed) : mapping_->damaged())) [[likely]]
      return false;
    mapping_lost_.store(true, std::memory_order_relaxed);
    return true;
  }

  // While false, so is lose_mapping_if_damaged(). Precondition: mapped().
  const std::atomic<bool>& damage_flag() const;

  std::uint32_t blocks() const { return index_.blocks(); }
  // File offset of a block; of block blocks(): the end of the data.
  std::uint64_t block_offset(std::uint32_t block) const { return index_.block_offset(block); }
  // A key at or after all of `block` and before, or at, all of the next one. Precondition: block + 1 < blocks().
  std::string separator(std::uint32_t block) const { return index_.separator(block); }
  // Reads block `index`. Precondition: index < blocks(). Errors: kCorruption, kIo.
  Result<BlockInfo> block_info(std::uint32_t index) const;

  // Reads the whole file from the disk and checks every byte of it: checksums, structure, order, counts, filter.
  // Reports each damaged part. Errors: the first damage.
  Status verify(const std::function<void(const TableDamage&)>& report) const;

 private:
  friend class ReadAhead;
  friend class TableCursor;
  friend class TableVerifier;

  // A block to read now: `cached` is what keeps it alive, null for a mapped one.
  struct Access {
    const char* data = nullptr;
    CachedBlock* cached = nullptr;
  };

  Table(std::string path, std::unique_ptr<File> file, BlockCache& cache);

  static Result<std::shared_ptr<Table>> open_file(FileSystem& files, const std::string& path, const TableMeta* expected,
                                                  BlockCache& cache, bool may_map);
  Status request_metadata(const TableMeta* expected, bool whole);
  Status take_metadata(const TableMeta* expected, bool may_map);
  Status read_footer(const TableMeta* expected);
  std::uint64_t metadata_offset() const { return footer_.section(sstable::SectionKind::kFilter).offset; }
  std::size_t metadata_bytes() const {
    return static_cast<std::size_t>(footer_.file_bytes - sstable::kFooterBytes - metadata_offset());
  }
  // Of the filter, if it was left out by request_metadata().
  std::size_t unread_filter_bytes() const { return static_cast<std::size_t>(read_from_ - metadata_offset()); }
  Status read_metadata();
  Status read_section_bytes(std::uint64_t offset, std::size_t bytes);
  Status check_section(sstable::SectionKind kind) const;
  void map_file();
  Slice section(sstable::SectionKind kind) const;  // Of the metadata in memory.

  sstable::BlockPlace place_of(std::uint32_t block) const {
    return {path_, meta_.id, index_.block_offset(block), index_.block_checksum(block)};
  }
  std::size_t extent_bytes(std::uint32_t block) const {
    return static_cast<std::size_t>(index_.block_offset(block + 1) - index_.block_offset(block));
  }
  bool usable_mapping() const { return mapped_ != nullptr && !mapping_lost_.load(std::memory_order_relaxed); }
  bool verified(std::uint32_t block) const {
    return (verified_[block / 64].load(std::memory_order_acquire) >> (block % 64) & 1) != 0;
  }
  Status verify_mapped(std::uint32_t block) const;
  // Reads, verifies and decompresses from the file.
  Result<BlockRef> read_block(std::uint32_t block) const;
  // The same into `extent`, as stored, and `scratch`: the block, within one of them.
  Result<Slice> read_stored(std::uint32_t block, std::string& extent, std::string& scratch) const;
  Status access(const EpochGuard& guard, std::uint32_t block, Access& out) const {
    if (usable_mapping() && verified(block)) [[likely]] {
      out = {mapped_ + index_.block_offset(block), nullptr};
      return {};
    }
    return access_slow(guard, block, out);
  }
  Status access_slow(const EpochGuard& guard, std::uint32_t block, Access& out) const;
  void read_hit(const sstable::BlockReader& reader, std::uint32_t index, CachedBlock* block, TableHit& hit) const;
  bool reachable(Slice value) const;

  // What a get touches, first.
  std::atomic<bool> has_filter_{false};
  sstable::Filter filter_;        // Its lines may be read once has_filter_.
  const char* mapped_ = nullptr;  // The mapping's bytes; null for a table read through the cache.
  mutable std::atomic<bool> mapping_lost_{false};
  const std::atomic<bool>* damage_flag_ = nullptr;          // The mapping's, if it has one.
  bool resident_ = true;                                    // All of the mapping was in memory at first.
  std::unique_ptr<std::atomic<std::uint64_t>[]> verified_;  // A bit per block of a mapped table.
  std::unique_ptr<BlockCache::Slot[]> slots_;               // One per block of a table that is not mapped.
  sstable::Index index_;

  BlockCache& cache_;
  const std::string path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<FileMapping> mapping_;
  std::unique_ptr<char[], FreePages> metadata_;  // Filter, index and properties, as in the file.
  std::uint64_t read_from_ = 0;                  // Of the file: where what finish_open() reads begins.
  sstable::Footer footer_;
  sstable::Properties properties_;
  TableMeta meta_;
};

// Asks the operating system for what a long forward scan of a table will read next.
class ReadAhead {
 public:
  // `block` is about to be read.
  void note(const Table& table, std::uint32_t block);

 private:
  std::uint32_t next_ = 0;             // The block that goes on where the last one ended.
  std::uint32_t blocks_in_order_ = 0;  // Read one after another.
  std::uint32_t end_ = 0;              // Blocks before it were asked for.
};

// What a cursor is for.
enum class ScanKind : std::uint8_t {
  kUser,        // Blocks enter the cache.
  kBackground,  // Compaction: every block is copied past the cache and verified, whatever was verified before.
};

class TableCursor final : public Cursor {
 public:
  // Not positioned.
  explicit TableCursor(const Table& table, ScanKind kind = ScanKind::kUser);
  // The same, and keeps the table open.
  TableCursor(std::shared_ptr<const Table> table, ScanKind kind);

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(Slice key, Sequence sequence) override;
  void seek_before(Slice key) override;
  void next() override;
  void prev() override;

  // Keeps the value of entry() alive beyond the next move: none when the table itself does (mapped), else the block,
  // with a reference for the caller. Precondition: valid(), ScanKind::kUser.
  BlockRef pin() const;
  // The block entry() is in. Precondition: valid().
  std::uint32_t block() const { return block_; }

 private:
  static constexpr std::uint32_t kNoBlock = UINT32_MAX;

  // Makes `block` the present one; false, with status(), when it cannot be read.
  bool load(std::uint32_t block);
  Result<const char*> load_shared(std::uint32_t block);
  Result<const char*> load_private(std::uint32_t block);
  Status fill_piece(std::uint32_t block);
  char* reserve_piece(std::size_t bytes);
  bool lost_mapping();
  void present(std::uint32_t position);
  void present_again(std::uint32_t position);
  void present(std::uint32_t position, const sstable::BlockReader::Body& body);
  void grow_key(std::size_t bytes);
  void present_first_of(std::uint32_t block);
  void present_last_of(std::uint32_t block);

  const std::shared_ptr<const Table> owned_;  // Null where somebody else keeps the table open.
  const Table& table_;
  const ScanKind kind_;
  std::uint32_t block_ = kNoBlock;  // Present block; kNoBlock before the first and after a failure.
  std::uint32_t position_ = 0;      // Of entry() in it.
  sstable::BlockReader reader_;
  PinnedBlock pinned_;  // Keeps it, unless it is private.
  // The block's prefix, then the rest of entry()'s key and room for a whole head.
  std::unique_ptr<char[]> key_;
  std::size_t key_capacity_ = 0;
  std::size_t prefix_bytes_ = 0;
  ReadAhead read_ahead_;
  // kBackground: a copy of extents, [piece_offset_, piece_offset_ + piece_bytes_) of the file.
  std::unique_ptr<char[]> piece_;
  std::size_t piece_capacity_ = 0;
  std::uint64_t piece_offset_ = 0;
  std::size_t piece_bytes_ = 0;
  std::string scratch_;  // A decompressed private block.
};

}  // namespace firn
