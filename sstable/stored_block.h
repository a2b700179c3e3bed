// From the extent of a block, as the file holds it, to a block that a BlockReader may read: the one place where bytes
// of unknown origin become trusted ones.
//
// Thread safety: free of shared state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "firn/options.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::sstable {

// Where a block lies and what identifies it: for checksums and messages.
struct BlockPlace {
  std::string_view path;
  std::uint64_t table_id = 0;
  std::uint64_t offset = 0;
  std::uint64_t checksum = 0;  // As the index has it.
};

// The outside of a stored block.
struct StoredBlock {
  Compression compression = Compression::kNone;
  std::uint32_t block_bytes = 0;  // Before compression, padding not included.
  Slice payload;                  // What to decompress; the whole extent if kNone.
};

// Checks the extent's checksum and its outside. Errors: kCorruption, kNotSupported (a codec this build lacks).
Result<StoredBlock> open_stored(const BlockPlace& place, Slice extent);

// Decompresses `stored` into `out`, stored.block_bytes long. Precondition: it is compressed.
Status decompress_stored(const BlockPlace& place, const StoredBlock& stored, char* out);

// check_block as a Status.
Status check_decoded(const BlockPlace& place, Slice block);

// All three: the block, within `extent` or, decompressed, within `scratch`.
Result<Slice> decode_stored(const BlockPlace& place, Slice extent, std::string& scratch);

}  // namespace firn::sstable
