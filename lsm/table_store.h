// The tables and value files of one database: opened when first needed, removed when nobody reads them any more.
//
// Thread safety: everything here is thread safe. Lifetime: each TableFile shares its TableStore, so that readers may
// outlive the database.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "firn/platform.h"
#include "firn/status.h"
#include "lsm/value_holder.h"
#include "platform/sync.h"
#include "sstable/block_cache.h"
#include "sstable/table.h"
#include "sstable/table_meta.h"

namespace firn::lsm {

class TableFile;

class TableStore : public std::enable_shared_from_this<TableStore> {
 public:
  TableStore(FileSystem& files, std::string directory, std::uint64_t cache_bytes);

  FileSystem& files() { return files_; }
  const std::string& directory() const { return directory_; }
  BlockCache& cache() { return cache_; }

  // Whether a file of `bytes` may be mapped; counts it until return_mapping.
  bool take_mapping(std::uint64_t bytes);
  void return_mapping(std::uint64_t bytes);
  bool has_room_to_map(std::uint64_t bytes) const {
    return mapped_bytes_.load(std::memory_order_relaxed) + bytes <= mapping_budget_bytes_;
  }
  // Removes an obsolete file, unless forget_files() came first: then the next open removes it.
  void remove(const std::string& path);
  // From now on one thread of `executor` removes files, as long as few wait for it; with null, and at first, it is the
  // caller of remove(). Where the device is told of freed blocks a large file takes it tenths of a second, and who
  // flushes a memtable has writers wait for it.
  void remove_in_background(Executor* executor);
  // Until all that remove() was called for is gone.
  void wait_removed();
  // The directory is no longer ours: from now on no file is removed, and every table still in use (by iterators) is
  // open, so that whoever has the directory next may remove its file.
  void forget_files();
  // The value file of `meta`, shared with all that refer to it already.
  std::shared_ptr<ValueHolder> values(const ValueMeta& meta);
  // The same for one that somebody holds; null when nobody does.
  std::shared_ptr<ValueHolder> held_values(std::uint64_t id);
  std::uint64_t files_removed() const { return files_removed_.load(std::memory_order_relaxed); }

 private:
  friend class TableFile;
  friend class ValueHolder;
  void enlist(const TableFile& table);
  void strike(const TableFile& table);
  void strike(const ValueHolder& values);
  void remove_doomed();
  void remove_file(const std::string& path);

  FileSystem& files_;
  const std::string directory_;
  BlockCache cache_;
  const std::uint64_t mapping_budget_bytes_;
  std::atomic<std::uint64_t> mapped_bytes_{0};
  std::atomic<std::uint64_t> files_removed_{0};
  Mutex mutex_;  // Before that of a TableFile.
  CondVar removed_all_;
  // Guarded by mutex_:
  bool forgotten_ = false;
  Executor* remover_ = nullptr;
  bool remover_busy_ = false;
  std::deque<std::string> doomed_;                               // Paths that wait for it.
  std::size_t removing_ = 0;                                     // Files that are being removed, or wait for it.
  std::set<std::pair<std::uint64_t, const TableFile*>> tables_;  // All that exist, by id: the same order in every run.
  std::map<std::uint64_t, std::weak_ptr<ValueHolder>> values_;
};

// One table file. Shared by the versions that list it; the last one to go removes the file if it is obsolete. Holds the
// value files that the table refers to.
class TableFile {
 public:
  // Precondition: somebody holds the value files that the table refers to (TableStore::values).
  TableFile(std::shared_ptr<TableStore> store, TableMeta meta);
  ~TableFile();
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  const TableMeta& meta() const { return meta_; }
  std::string path() const;
  // The open table; opens it at the first call. Lives as long as this object.
  Result<Table*> open() const {
    if (Table* table = opened_.load(std::memory_order_acquire)) return table;
    return open_first();
  }
  // The same with its filter, which open() leaves out where it is large.
  Result<Table*> open_whole() const;
  // Opens those of `files` that are closed, none of them null; all that they need of the disk is asked for together.
  // Errors show when open() is called.
  static void open_together(std::vector<const TableFile*> files);

  // --- For gets. A large filter takes the disk as long as many blocks: the first gets of a table go without, then it
  // is loaded, by one of them. Whether the table is open with its filter.
  bool ready_to_get() const {
    const Table* const table = opened();
    return table != nullptr && table->has_filter();
  }
  // Opens those of `files` that are closed, and loads filters that are due, the first ones first: as many as one call
  // may wait for. A file is there as often as keys are looked for in it. Errors show when open_to_get() is called.
  static void prepare_gets(const std::vector<const TableFile*>& files);
  // As open(). A filter that could not be loaded is an error, too, until it can.
  Result<Table*> open_to_get() const { return filter_failed_.load(std::memory_order_relaxed) ? open_whole() : open(); }

  // The table for a background job: the open one, or one of the caller's own, which is neither mapped nor kept. What a
  // compaction reads once should not stay in memory.
  Result<std::shared_ptr<Table>> open_for_job() const;
  // The table if it is open already, else null.
  Table* opened() const { return opened_.load(std::memory_order_acquire); }
  std::shared_ptr<Table> shared() const;  // Precondition: open() succeeded.
  const std::vector<std::shared_ptr<ValueHolder>>& values() const { return values_; }
  // The value of `key`, whose entry of this table is a reference to `at`. Errors: as ValueFile::read.
  Status read_value(const EpochGuard& guard, const ValueReference& at, Slice key, ValueHit& hit) const;
  // No durable version lists this table any more.
  void mark_obsolete() { obsolete_.store(true, std::memory_order_relaxed); }

 private:
  // They cost about what reading the filter of a table of 64 MiB does.
  static constexpr std::uint32_t kGetsBeforeFilter = 16;
  static constexpr std::uint64_t kFilterBytesPerCall = std::uint64_t{1} << 20;

  Result<Table*> open_first() const;
  Status finish_open(std::shared_ptr<Table> table) const;

  const std::shared_ptr<TableStore> store_;
  const TableMeta meta_;
  std::vector<std::shared_ptr<ValueHolder>> values_;  // As meta_.values.
  std::atomic<bool> obsolete_{false};
  mutable Mutex mutex_;
  mutable std::shared_ptr<Table> table_;  // Written under mutex_, once.
  mutable bool mapped_ = false;           // Guarded by mutex_.
  mutable std::atomic<Table*> opened_{nullptr};
  mutable std::atomic<std::uint32_t> gets_{0};      // Keys that were looked for without the filter.
  mutable std::atomic<bool> filter_failed_{false};  // The last attempt to load it did.
};

}  // namespace firn::lsm
