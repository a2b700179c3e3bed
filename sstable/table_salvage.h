// Reads a damaged table block by block: whatever is sound, past whatever is not. For `verify` and `repair`, which go on
// where Table stops.
//
// Only the footer is needed to find the rest. A damaged filter or damaged properties cost nothing; of a damaged index
// each entry is tried all the same, for a block that has the checksum which its entry names is the block that was
// written. Any bytes are safe.
//
// Thread safety: one thread at a time. Lifetime: the file system outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "firn/file_system.h"
#include "firn/status.h"
#include "sstable/block_reader.h"
#include "sstable/index.h"
#include "sstable/table.h"
#include "sstable/table_format.h"
#include "sstable/table_meta.h"

namespace firn {

class TableSalvage {
 public:
  // `expected`: as the manifest lists it; null where nothing is known. Errors: kCorruption when no block can be found
  // (footer, index), kNotFound, kIo, kNewerFormat.
  static Result<std::unique_ptr<TableSalvage>> open(FileSystem& files, const std::string& path,
                                                    const TableMeta* expected);
  TableSalvage(const TableSalvage&) = delete;
  TableSalvage& operator=(const TableSalvage&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t id() const { return footer_.table_id; }
  std::uint32_t blocks() const { return index_.blocks(); }
  // Of footer, filter, index and properties: found by open().
  const std::vector<TableDamage>& metadata_damage() const { return damage_; }
  // Block `index` if it is sound, living until the next call. Errors: kCorruption, kIo, kNotSupported.
  Result<sstable::BlockReader> block(std::uint32_t index);
  // What is lost with block `index`, whose reading answered `status`.
  TableDamage block_damage(std::uint32_t index, Status status) const;

 private:
  TableSalvage(std::string path, std::unique_ptr<File> file) : path_(std::move(path)), file_(std::move(file)) {}

  Status read_footer(const TableMeta* expected);
  Status read_sections(const TableMeta* expected);
  Status read(std::uint64_t offset, std::uint64_t bytes, std::string& into);
  void damage(Status status, std::uint64_t offset, std::uint64_t bytes);

  const std::string path_;
  const std::unique_ptr<File> file_;
  sstable::Footer footer_;
  std::string index_bytes_;
  sstable::Index index_;
  std::string smallest_key_;
  std::vector<TableDamage> damage_;
  std::string extent_;
  std::string scratch_;
};

}  // namespace firn
