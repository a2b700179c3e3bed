// The properties section of a table: all that can be said of it without reading its blocks.
//
//   offset  bytes  field
//   0       8      entries
//   8       8      tombstones
//   16      8      key bytes             sum over the entries
//   24      8      value bytes           sum over the entries
//   32      8      smallest sequence
//   40      8      largest sequence
//   48      8      raw bytes             sum over the blocks, before compression and padding
//   56      4      compressed blocks
//   60      4      block bytes           the builder's target
//   64      4      filter bits per key
//   68      4      compression           asked for; blocks that do not shrink are stored as they are
//   72      4      smallest key bytes
//   76      4      largest key bytes
//   80             smallest key, largest key
//                  from format 2 on: varint number of value files referred to, then for each varint file id,
//                  references, bytes of the records; zeros up to the footer
#pragma once

#include <cstdint>
#include <string>

#include "firn/options.h"
#include "firn/slice.h"
#include "sstable/table_meta.h"

namespace firn::sstable {

struct Properties {
  std::uint64_t raw_bytes = 0;
  std::uint32_t compressed_blocks = 0;
  std::uint32_t block_bytes = 0;
  std::uint32_t filter_bits_per_key = 0;
  Compression compression = Compression::kNone;
};

// Appends all fields up to the zeros.
void encode_properties(const Properties& properties, const TableMeta& meta, std::string& out);

// Sets `properties` and all fields of `meta` but id, file_bytes and digest. False when `section` is malformed.
// `version`: of the table's format.
bool decode_properties(Slice section, std::uint32_t version, Properties& properties, TableMeta& meta);

}  // namespace firn::sstable
