#include "sstable/table_format.h"

#include <cstring>
#include <string>

#include "codec/varint.h"

namespace firn::sstable {

std::uint64_t encode_footer(const Footer& footer, char* page) {
  std::memset(page, 0, kFooterBytes);
  store(page + kFooterMagicOffset, kTableMagic);
  store(page + kFooterVersionOffset, footer.version);
  store(page + kFooterSectionsOffset, static_cast<std::uint32_t>(kSectionCount));
  store(page + kFooterIdOffset, footer.table_id);
  store(page + kFooterFileBytesOffset, footer.file_bytes);
  char* out = page + kFooterTableOffset;
  for (std::size_t i = 0; i < kSectionCount; ++i, out += kSectionEntryBytes) {
    store(out, static_cast<std::uint32_t>(i + 1));
    store(out + 8, footer.sections[i].offset);
    store(out + 16, footer.sections[i].length);
    store(out + 24, footer.sections[i].checksum);
  }
  const std::uint64_t digest =
      table_checksum(footer.table_id, footer.file_bytes - kFooterBytes, {page, kFooterChecksumOffset});
  store(page + kFooterChecksumOffset, digest);
  return digest;
}

namespace {

// Reads the section table; false when a section is not where it must be.
bool decode_sections(Slice page, Footer& footer) {
  const std::uint64_t end = footer.file_bytes - kFooterBytes;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    const char* in = page.data() + kFooterTableOffset + i * kSectionEntryBytes;
    if (load<std::uint32_t>(in) != i + 1 || load<std::uint32_t>(in + 4) != 0) return false;
    Section& section = footer.sections[i];
    section = {load<std::uint64_t>(in + 8), load<std::uint64_t>(in + 16), load<std::uint64_t>(in + 24)};
    if (section.offset != offset || section.length > end - offset) return false;
    if (section.length % kSectionAlignment != 0) return false;
    offset += section.length;
  }
  return offset == end && footer.section(SectionKind::kData).checksum == 0;
}

}  // namespace

Result<Footer> decode_footer(Slice page, std::string_view path, std::uint64_t file_bytes) {
  if (page.size() != kFooterBytes || file_bytes < kFooterBytes || file_bytes % kFooterBytes != 0) {
    return Status::corruption(path, 0, "not a table: " + std::to_string(file_bytes) + " bytes");
  }
  const std::uint64_t at = file_bytes - kFooterBytes;
  const std::uint64_t magic = load<std::uint64_t>(page.data() + kFooterMagicOffset);
  if (magic != kTableMagic) return Status::corruption(path, at, "not a table: its last page is no footer");
  Footer footer;
  footer.table_id = load<std::uint64_t>(page.data() + kFooterIdOffset);
  footer.file_bytes = load<std::uint64_t>(page.data() + kFooterFileBytesOffset);
  if (table_checksum(footer.table_id, at, page.substr(0, kFooterChecksumOffset)) !=
      load<std::uint64_t>(page.data() + kFooterChecksumOffset)) {
    return Status::corruption(path, at, "footer checksum mismatch");
  }
  const auto version = load<std::uint32_t>(page.data() + kFooterVersionOffset);
  if (version > kTableVersion) {
    return Status(StatusCode::kNewerFormat, std::string(path) + ": table format " + std::to_string(version) +
                                                ", this build knows up to " + std::to_string(kTableVersion));
  }
  footer.version = version;
  if (version == 0 || load<std::uint32_t>(page.data() + kFooterSectionsOffset) != kSectionCount) {
    return Status::corruption(path, at, "footer has an unknown version or section count");
  }
  if (footer.file_bytes != file_bytes) {
    return Status::corruption(
        path, at,
        "footer says " + std::to_string(footer.file_bytes) + " bytes, the file has " + std::to_string(file_bytes));
  }
  if (!decode_sections(page, footer)) return Status::corruption(path, at, "footer has a malformed section table");
  return footer;
}

}  // namespace firn::sstable
