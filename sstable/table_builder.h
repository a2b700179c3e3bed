// Writes one table: entries in, blocks, filter and index out, one pass, memory bounded by the filter's hashes (8 bytes
// a key), the index and an output buffer. Format: docs/formats.md#table, constants: sstable/table_format.h.
//
// Thread safety: one thread at a time. Lifetime: the file outlives the builder, which neither closes nor removes it.
// A builder destroyed before finish() leaves a file that is no table; the caller removes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "codec/entry.h"
#include "firn/file_system.h"
#include "firn/options.h"
#include "firn/status.h"
#include "sstable/table_meta.h"

namespace firn {

struct TableOptions {
  std::uint32_t block_bytes = 4096;        // 512 B..1 MiB; data of one block before compression: no more, or where rows
                                           // are large beside it as near to it as they can.
  std::uint32_t filter_bits_per_key = 10;  // 0 (no filter)..32.
  Compression compression = Compression::kNone;  // Must be available. Blocks that do not shrink are stored as they are.
};

class TableBuilder {
 public:
  // `file` is new and empty. `id`: as TableMeta::id.
  TableBuilder(File& file, std::uint64_t id, const TableOptions& options);
  ~TableBuilder();
  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  // Appends an entry; its bytes are read during the call only. Strictly ascending internal order (key ascending, then
  // sequence descending). Errors: kInvalidArgument (out of order, or beyond the limits of firn/slice.h); kIo, kNoSpace.
  // The first error is final: every later call returns it.
  Status add(const Entry& entry);

  std::uint64_t entries() const;
  // Size of the file if finished now, estimated within a few percent. Cheap: asked for every entry.
  std::uint64_t file_bytes() const;

  // Completes the table and syncs the file: its bytes, not its name, are on the device when it returns.
  // Call once, after at least one entry (kInvalidArgument otherwise). Errors: as add().
  Result<TableMeta> finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firn
