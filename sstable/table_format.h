// Constants of the table file and its footer. The whole format: docs/formats.md#table.
//
//   data blocks | filter | index | properties | footer page
//
// Sections follow each other without gaps and start at multiples of kSectionAlignment; the footer page ends the file,
// whose size is a multiple of kFooterBytes. Every byte is under a checksum: blocks by the array in the index, sections
// by the footer, the footer by itself. So the footer's own checksum depends on every byte of the file: it is the
// table's digest (TableMeta::digest), a hash tree of two levels (Merkle, 1979).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/checksum.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::sstable {

inline constexpr std::uint64_t kTableMagic = 0x0A656C6261542E46;  // "F.Table\n" as it lies in the file.
// 1: the first. 2: entries may refer to value files; written only where one does.
inline constexpr std::uint32_t kTableVersion = 2;

inline constexpr std::size_t kSectionAlignment = 64;  // Also of blocks: their addresses are stored in this unit.
inline constexpr std::size_t kPageBytes = 4096;

// Footer page. Magic, version and own checksum stay where they are in every later version.
inline constexpr std::size_t kFooterBytes = kPageBytes;
inline constexpr std::size_t kFooterMagicOffset = 0;       // u64
inline constexpr std::size_t kFooterVersionOffset = 8;     // u32
inline constexpr std::size_t kFooterSectionsOffset = 12;   // u32: how many sections follow
inline constexpr std::size_t kFooterIdOffset = 16;         // u64
inline constexpr std::size_t kFooterFileBytesOffset = 24;  // u64
inline constexpr std::size_t kFooterTableOffset = 32;      // Sections, kSectionEntryBytes each; zeros after them.
inline constexpr std::size_t kFooterChecksumOffset = kFooterBytes - 8;  // u64, of the bytes before it

// One entry of the section table: u32 kind, u32 zero, u64 offset, u64 length, u64 checksum.
inline constexpr std::size_t kSectionEntryBytes = 32;

// In the order they have in the file. Stored: never renumber.
enum class SectionKind : std::uint32_t { kData = 1, kFilter = 2, kIndex = 3, kProperties = 4 };
inline constexpr std::size_t kSectionCount = 4;
static_assert(kFooterTableOffset + kSectionCount * kSectionEntryBytes <= kFooterChecksumOffset);

struct Section {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;    // A multiple of kSectionAlignment; 0 for the filter of a table without one.
  std::uint64_t checksum = 0;  // Of all its bytes; 0 for the data section, whose blocks have their own.
};

struct Footer {
  std::uint32_t version = 1;
  std::uint64_t table_id = 0;
  std::uint64_t file_bytes = 0;  // Footer included.
  std::array<Section, kSectionCount> sections;

  Section& section(SectionKind kind) { return sections[static_cast<std::size_t>(kind) - 1]; }
  const Section& section(SectionKind kind) const { return sections[static_cast<std::size_t>(kind) - 1]; }
};

// The checksum of `bytes` at `offset` of table `table_id`.
inline std::uint64_t table_checksum(std::uint64_t table_id, std::uint64_t offset, Slice bytes) {
  return checksum(bytes, place_seed(table_id, offset));
}

// Fills `page`, kFooterBytes long. The digest of the file.
std::uint64_t encode_footer(const Footer& footer, char* page);

// `page`: the last kFooterBytes of file `path` of `file_bytes` bytes. The sections it returns lie within the file, in
// order and without gaps. Errors: kCorruption, kNewerFormat.
Result<Footer> decode_footer(Slice page, std::string_view path, std::uint64_t file_bytes);

inline constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace firn::sstable
