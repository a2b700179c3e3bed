// Tested in tests/faults/repair_test.cc.
#include "sstable/table_salvage.h"

#include <algorithm>
#include <span>
#include <utility>

#include "platform/io.h"
#include "sstable/properties.h"
#include "sstable/stored_block.h"

namespace firn {

using sstable::BlockReader;
using sstable::Section;
using sstable::SectionKind;

Result<std::unique_ptr<TableSalvage>> TableSalvage::open(FileSystem& files, const std::string& path,
                                                         const TableMeta* expected) {
  auto file = files.open(path, OpenMode::kRead, FileKind::kTable);
  if (!file.ok()) return file.status();
  std::unique_ptr<TableSalvage> salvage(new TableSalvage(path, std::move(file).value()));
  if (Status status = salvage->read_footer(expected); !status.ok()) return status;
  if (Status status = salvage->read_sections(expected); !status.ok()) return status;
  return salvage;
}

Status TableSalvage::read(std::uint64_t offset, std::uint64_t bytes, std::string& into) {
  into.resize(static_cast<std::size_t>(bytes));
  return read_exactly(*file_, offset, std::as_writable_bytes(std::span(into)));
}

void TableSalvage::damage(Status status, std::uint64_t offset, std::uint64_t bytes) {
  // No key is lost with it.
  damage_.push_back({std::move(status), offset, bytes, {}, {}});
}

Status TableSalvage::read_footer(const TableMeta* expected) {
  auto size = file_->size();
  if (!size.ok()) return size.status();
  if (*size < sstable::kFooterBytes) return Status::corruption(path_, 0, "not a table: shorter than a footer");
  std::string page;
  const std::uint64_t at = *size - sstable::kFooterBytes;
  if (Status status = read(at, sstable::kFooterBytes, page); !status.ok()) return status;
  auto footer = sstable::decode_footer(page, path_, *size);
  if (!footer.ok()) return footer.status();
  footer_ = *footer;
  if (expected == nullptr) return {};
  if (footer_.table_id != expected->id) {
    return Status::corruption(path_, at, "is table " + std::to_string(footer_.table_id) + " under another name");
  }
  if (load<std::uint64_t>(page.data() + sstable::kFooterChecksumOffset) != expected->digest) {
    return Status::corruption(path_, at, "is another table than the manifest lists");
  }
  return {};
}

Status TableSalvage::read_sections(const TableMeta* expected) {
  for (const SectionKind kind : {SectionKind::kFilter, SectionKind::kProperties, SectionKind::kIndex}) {
    const Section& section = footer_.section(kind);
    Status status = read(section.offset, section.length, index_bytes_);
    const bool whole = status.ok();
    if (whole && sstable::table_checksum(footer_.table_id, section.offset, index_bytes_) != section.checksum) {
      status = Status::corruption(path_, section.offset,
                                  "checksum mismatch in section " + std::to_string(static_cast<std::uint32_t>(kind)));
    }
    sstable::Properties properties;
    TableMeta meta;
    const bool decoded = kind == SectionKind::kProperties && status.ok() &&
                         sstable::decode_properties(index_bytes_, footer_.version, properties, meta);
    if (decoded) smallest_key_ = meta.smallest_key;
    if (status.ok()) continue;
    damage(std::move(status), section.offset, section.length);
    if (kind == SectionKind::kIndex && !whole) return damage_.back().status;
  }
  if (expected != nullptr) smallest_key_ = expected->smallest_key;
  const std::string_view problem = index_.open(index_bytes_, footer_.section(SectionKind::kData).length);
  if (problem.empty()) return {};
  return Status::corruption(path_, footer_.section(SectionKind::kIndex).offset, problem);
}

Result<BlockReader> TableSalvage::block(std::uint32_t index) {
  const std::uint64_t offset = index_.block_offset(index);
  if (Status status = read(offset, index_.block_offset(index + 1) - offset, extent_); !status.ok()) return status;
  auto decoded =
      sstable::decode_stored({path_, footer_.table_id, offset, index_.block_checksum(index)}, extent_, scratch_);
  if (!decoded.ok()) return decoded.status();
  const BlockReader reader(decoded->data());
  if (!sstable::check_order(reader)) return Status::corruption(path_, offset, "entries are out of order");
  return reader;
}

TableDamage TableSalvage::block_damage(std::uint32_t index, Status status) const {
  const std::uint64_t offset = index_.block_offset(index);
  return {std::move(status), offset, index_.block_offset(index + 1) - offset,
          index == 0 ? smallest_key_ : index_.separator(index - 1),
          index + 1 == blocks() ? std::string() : index_.separator(index)};
}

}  // namespace firn
