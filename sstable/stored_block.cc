#include "sstable/stored_block.h"

#include <cstdio>
#include <span>

#include "codec/compression.h"
#include "codec/varint.h"
#include "platform/planted_bug.h"
#include "sstable/block_reader.h"
#include "sstable/table_format.h"

namespace firn::sstable {

namespace {

Status damaged(const BlockPlace& place, std::string_view detail) {
  return Status::corruption(place.path, place.offset, detail);
}

}  // namespace

Result<StoredBlock> open_stored(const BlockPlace& place, Slice extent) {
  const std::uint64_t found = table_checksum(place.table_id, place.offset, extent);
  if (found != place.checksum && !FIRN_PLANTED_BUG(table_checksum_skipped)) {
    char detail[96];
    std::snprintf(detail, sizeof detail, "block checksum mismatch: expected %016llx, found %016llx",
                  static_cast<unsigned long long>(place.checksum), static_cast<unsigned long long>(found));
    return damaged(place, detail);
  }
  if (extent.size() < kBlockHeaderBytes) return damaged(place, "block is shorter than its header");
  const auto block_bytes = load<std::uint32_t>(extent.data() + kBlockSizeOffset);
  const auto codec = load<std::uint8_t>(extent.data() + kBlockCompressionOffset);
  if (codec == 0) return StoredBlock{Compression::kNone, block_bytes, extent};
  const auto padding = load<std::uint8_t>(extent.data() + kStoredPaddingOffset);
  if (codec > static_cast<std::uint8_t>(Compression::kLz4) || padding >= kSectionAlignment ||
      padding > extent.size() - kStoredHeaderBytes || load<std::uint16_t>(extent.data() + kStoredZeroOffset) != 0 ||
      block_bytes < kBlockHeaderBytes || block_bytes > kCompressedBlockBytesMax) {
    return damaged(place, "compressed block has a malformed header");
  }
  const auto compression = static_cast<Compression>(codec);
  if (!compression_available(compression)) {
    return Status(StatusCode::kNotSupported,
                  std::string(place.path) + ": compressed with lz4, which this build lacks (build with -Dlz4=enabled)");
  }
  return StoredBlock{compression, block_bytes,
                     extent.substr(kStoredHeaderBytes, extent.size() - kStoredHeaderBytes - padding)};
}

Status decompress_stored(const BlockPlace& place, const StoredBlock& stored, char* out) {
  if (decompress_block(stored.compression, stored.payload, std::span(out, stored.block_bytes))) return {};
  return damaged(place, "block does not decompress to its " + std::to_string(stored.block_bytes) + " bytes");
}

Status check_decoded(const BlockPlace& place, Slice block) {
  const std::string_view problem = check_block(block);
  return problem.empty() ? Status() : damaged(place, problem);
}

Result<Slice> decode_stored(const BlockPlace& place, Slice extent, std::string& scratch) {
  auto stored = open_stored(place, extent);
  if (!stored.ok()) return stored.status();
  Slice block = extent;
  if (stored->compression != Compression::kNone) {
    scratch.resize(stored->block_bytes);
    if (Status s = decompress_stored(place, *stored, scratch.data()); !s.ok()) return s;
    block = scratch;
  }
  if (Status s = check_decoded(place, block); !s.ok()) return s;
  return block;
}

}  // namespace firn::sstable
