// Reads one value file. Format: sstable/value_format.h.
//
// A value is read in place where the file is mapped and the value is not compressed, else through the block cache, one
// record a slot. A record is verified whenever it comes from the disk: at every read of the file, and at the first
// touch of a mapped one (a bit per record remembers). Opening reads the footer only.
//
// Damage never spreads: a call that needs a damaged record fails with kCorruption naming file and offset; others work.
// When a mapping reports an unreadable page the file leaves it and reads from then on, as a Table does.
//
// Thread safety: thread safe. Lifetime: the block cache and the file system outlive the file, the file its hits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "codec/varint.h"
#include "firn/file_system.h"
#include "firn/status.h"
#include "platform/epoch.h"
#include "platform/fence.h"
#include "sstable/block_cache.h"
#include "sstable/value_format.h"

namespace firn {

// A value that was read.
struct ValueHit {
  Slice value;                           // Lives as long as the file if `block` is null, else as long as the guard
  CachedBlock* block = nullptr;          // or a reference taken under it: block->add_reference().
  const FileMapping* mapping = nullptr;  // That `value` points into, if `block` is null.
};

// One damaged part of a value file.
struct ValueDamage {
  Status status;             // kCorruption or kIo, naming file and offset.
  std::uint64_t offset = 0;  // Of the damaged part,
  std::uint64_t bytes = 0;   // and its size.
  bool is_record = false;    // Else nothing is lost with it.
};

class ValueFile {
 public:
  // `expected`: as the builder returned it; a file of another size, id or content is refused. `may_map`: whether to map
  // the file. Errors: kCorruption, kIo, kNotFound (no such file), kNewerFormat.
  static Result<std::unique_ptr<ValueFile>> open(FileSystem& files, const std::string& path, const ValueMeta& expected,
                                                 BlockCache& cache, bool may_map);
  ~ValueFile();
  ValueFile(const ValueFile&) = delete;
  ValueFile& operator=(const ValueFile&) = delete;

  const ValueMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }
  bool mapped() const { return mapping_ != nullptr; }

  // The value of `key` at `at`. Errors: kCorruption, kIo, kOutOfMemory, kNotSupported.
  Status read(const EpochGuard& guard, const ValueReference& at, Slice key, ValueHit& hit) const;

 private:
  ValueFile(std::string path, std::unique_ptr<File> file, BlockCache& cache, const ValueMeta& meta);

  Status check_reference(const ValueReference& at) const;
  bool usable_mapping() const { return mapping_ != nullptr && !mapping_lost_.load(std::memory_order_relaxed); }
  bool lose_mapping_if_damaged() const;
  // True when `hit` was read in place, or `status` says why not; false when the file has to be read.
  bool read_mapped(const ValueReference& at, Slice key, ValueHit& hit, Status& status) const;

  const std::string path_;
  const std::unique_ptr<File> file_;
  BlockCache& cache_;
  const ValueMeta meta_;
  std::unique_ptr<FileMapping> mapping_;
  mutable std::atomic<bool> mapping_lost_{false};
  std::unique_ptr<std::atomic<std::uint64_t>[]> verified_;  // A bit per record of a mapped file.
  std::unique_ptr<BlockCache::Slot[]> slots_;               // One per record.
};

// Reads and verifies the record at `at` of `file` past every cache: for jobs and repair, which may meet a file whose
// footer is damaged. `value` gets the value; `scratch` is overwritten. Errors: kCorruption, kIo, kNotSupported.
Status read_value_record(File& file, const ValueReference& at, Slice key, std::string& scratch, std::string& value);

// Reads and verifies footer and directory of a file; absent `expected`: of which nothing is known.
// Errors: kCorruption, kIo, kNotFound, kNewerFormat.
struct ValueDirectory {
  std::unique_ptr<File> file;
  ValueMeta meta;
  std::string bytes;

  // Of record `index`.
  std::uint64_t offset(std::uint64_t index) const {
    return load<std::uint64_t>(bytes.data() + index * sstable::kValueEntryBytes);
  }
  std::uint64_t end(std::uint64_t index) const {
    return index + 1 < meta.records ? offset(index + 1) : meta.record_bytes;
  }
  std::uint64_t checksum(std::uint64_t index) const {
    return load<std::uint64_t>(bytes.data() + index * sstable::kValueEntryBytes + 8);
  }
};
Result<ValueDirectory> read_value_directory(FileSystem& files, const std::string& path, const ValueMeta* expected);

// Reads the whole file from the disk and checks every byte of it. Reports each damaged part. Errors: the first damage.
Status verify_value_file(FileSystem& files, const std::string& path, const ValueMeta& expected,
                         const std::function<void(const ValueDamage&)>& report);

}  // namespace firn
