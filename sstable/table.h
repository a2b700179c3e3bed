// Reads one table. Format: docs/formats.md#table, constants: sstable/table_format.h.
//
// Index and filter are in memory while the table is open, as they are in the file. Blocks are read in place where the
// file is mapped, else through the block cache. A block is verified whenever it comes from the disk: at every read of
// the file, and at the first touch of a mapped one.
//
// Damage never spreads: a call that needs a damaged block fails with kCorruption naming file and offset; others work.
//
// Thread safety: Table is thread safe; a cursor belongs to one thread at a time.
// Lifetime: the block cache and the file system outlive the table, the table its cursors and its hits.
#pragma once

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
#include "sstable/block_cache.h"
#include "sstable/table_meta.h"

namespace firn {

class TableCursor;

// What Table::get found.
struct TableHit {
  bool found = false;
  EntryKind kind = EntryKind::kPut;  // These three only if found.
  Sequence sequence = 0;
  Slice value;                       // Lives as long as the table if `block` is null, else as long as the guard
  CachedBlock* block = nullptr;      // or a reference taken under it: block->add_reference().
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
  Status status;               // kCorruption or kIo, naming file and offset.
  std::uint64_t offset = 0;    // Of the damaged part,
  std::uint64_t bytes = 0;     // and its size.
  // Keys that may be lost with it: first <= key < last; an empty `last` means to the end.
  std::string first_key;
  std::string last_key;
};

// What a table says about itself beside its TableMeta.
struct TableProperties {
  std::uint32_t blocks = 0;
  std::uint64_t data_bytes = 0;     // Stored blocks, padding included.
  std::uint64_t filter_bytes = 0;
  std::uint64_t index_bytes = 0;
  std::uint32_t block_bytes = 0;    // As built: TableOptions.
  std::uint32_t filter_bits_per_key = 0;
  Compression compression = Compression::kNone;
  bool mapped = false;
};

class Table {
 public:
  // Reads and verifies footer, index and filter. `expected`: as the builder returned it; a file of another size, id or
  // digest is refused. `may_map`: whether to map the file if its blocks can be read in place.
  // Errors: kCorruption, kIo, kNotFound (no such file), kNewerFormat.
  static Result<std::shared_ptr<Table>> open(FileSystem& files, const std::string& path, const TableMeta& expected,
                                             BlockCache& cache, bool may_map);
  // Of a file nothing is known about, such as `firn dump` gets: meta() is then what the file says.
  static Result<std::shared_ptr<Table>> open_unknown(FileSystem& files, const std::string& path, BlockCache& cache);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableMeta& meta() const;
  const std::string& path() const;
  const TableProperties& properties() const;
  bool mapped() const;
  // Held by the open table: index, filter and slots; neither cached blocks nor the mapping.
  std::uint64_t memory_bytes() const;

  // Newest version of `key` not newer than `at`, filter first. `hash`: key_hash(key). `hit.found` is false when there
  // is none. Errors: kCorruption, kIo.
  Status get(const EpochGuard& guard, Slice key, std::uint64_t hash, Sequence at, TableHit& hit) const;

  // The steps of get(), for many keys in lockstep: prefetch_filter for all keys, then may_contain; start_locate, then
  // finish_locate; prefetch_block, then find. Each step asks for the memory that the next one reads.
  void prefetch_filter(std::uint64_t hash) const;
  bool may_contain(std::uint64_t hash) const;  // False: certainly not in this table.
  std::uint32_t start_locate(Slice key) const;
  // The block where `key` begins if it is here. `start`: of start_locate(key).
  std::uint32_t finish_locate(Slice key, std::uint32_t start) const;
  std::uint32_t locate(Slice key) const { return finish_locate(key, start_locate(key)); }
  void prefetch_block(const EpochGuard& guard, std::uint32_t block) const;
  // As get(), without the filter. `block`: of locate(key).
  Status find(const EpochGuard& guard, std::uint32_t block, Slice key, Sequence at, TableHit& hit) const;

  std::uint32_t blocks() const;
  // File offset of a block; of block blocks(): the end of the data. Grows with the index: a measure of key ranges.
  std::uint64_t block_offset(std::uint32_t block) const;
  // Reads block `index`. Precondition: index < blocks(). Errors: kCorruption, kIo.
  Result<BlockInfo> block_info(std::uint32_t index) const;

  // Reads the whole file from the disk and checks every byte of it: checksums, structure, order, counts, digest.
  // Reports each damaged part; ok means none. Errors: the first damage.
  Status verify(const std::function<void(const TableDamage&)>& report) const;

 private:
  friend class TableCursor;
  friend class TableBuilder;
  class Impl;
  explicit Table(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// What a cursor is for.
enum class ScanKind : std::uint8_t {
  kUser,        // Blocks enter the cache.
  kBackground,  // Compaction, verification: read once, in large pieces, past the cache.
};

class TableCursor final : public Cursor {
 public:
  // Not positioned.
  explicit TableCursor(const Table& table, ScanKind kind = ScanKind::kUser);
  ~TableCursor() override;

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(Slice key, Sequence sequence) override;
  void seek_before(Slice key) override;
  void next() override;
  void prev() override;

  // Keeps the value of entry() alive beyond the next move: null when the table itself does (mapped), else the block
  // with a reference for the caller. Precondition: valid().
  BlockRef pin() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firn
