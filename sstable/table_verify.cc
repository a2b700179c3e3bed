// Table::verify: reads a table from the disk as if nothing were known about it but where things lie.
// Test: tests/sstable/damage_test.cc.
#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "codec/key_hash.h"
#include "platform/io.h"
#include "sstable/table.h"

namespace firn {

using sstable::BlockReader;
using sstable::SectionKind;

class TableVerifier {
 public:
  TableVerifier(const Table& table, const std::function<void(const TableDamage&)>& report)
      : table_(table), report_(report) {}

  Status run() {
    check_size();
    for (const SectionKind kind : {SectionKind::kFilter, SectionKind::kIndex, SectionKind::kProperties}) {
      check_section(kind);
    }
    check_footer();
    for (std::uint32_t block = 0; block < table_.blocks(); ++block) check_block(block);
    if (first_.ok()) check_sums();
    return std::move(first_);
  }

 private:
  void damage(Status status, std::uint64_t offset, std::uint64_t bytes, std::string first_key, std::string last_key) {
    if (first_.ok()) first_ = status;
    if (report_) report_({std::move(status), offset, bytes, std::move(first_key), std::move(last_key)});
  }
  void damage_all(Status status, std::uint64_t offset, std::uint64_t bytes) {
    damage(std::move(status), offset, bytes, table_.meta_.smallest_key, {});
  }
  Status corruption(std::uint64_t offset, std::string_view detail) const {
    return Status::corruption(table_.path_, offset, detail);
  }

  // Bytes [offset, offset + bytes) of the file into buffer_.
  Status read(std::uint64_t offset, std::uint64_t bytes) {
    buffer_.resize(static_cast<std::size_t>(bytes));
    return read_exactly(*table_.file_, offset, std::as_writable_bytes(std::span(buffer_)));
  }

  void check_size() {
    const std::uint64_t expected = table_.meta_.file_bytes;
    auto size = table_.file_->size();
    if (!size.ok()) return damage_all(size.status(), 0, expected);
    if (*size != expected) {
      damage_all(corruption(std::min(*size, expected),
                            "file has " + std::to_string(*size) + " bytes instead of " + std::to_string(expected)),
                 0, expected);
    }
  }

  void check_section(SectionKind kind) {
    const sstable::Section& section = table_.footer_.section(kind);
    Status s = read(section.offset, section.length);
    if (s.ok() && sstable::table_checksum(table_.meta_.id, section.offset, buffer_) != section.checksum) {
      s = corruption(section.offset,
                     "checksum mismatch in section " + std::to_string(static_cast<std::uint32_t>(kind)));
    }
    if (!s.ok()) damage_all(std::move(s), section.offset, section.length);
  }

  void check_footer() {
    const std::uint64_t offset = table_.meta_.file_bytes - sstable::kFooterBytes;
    Status s = read(offset, sstable::kFooterBytes);
    if (s.ok()) s = sstable::decode_footer(buffer_, table_.path_, table_.meta_.file_bytes);
    if (s.ok() && load<std::uint64_t>(buffer_.data() + sstable::kFooterChecksumOffset) != table_.meta_.digest) {
      s = corruption(offset, "footer is not the one the table was opened with");
    }
    if (!s.ok()) damage_all(std::move(s), offset, sstable::kFooterBytes);
  }

  void check_block(std::uint32_t block) {
    const std::uint64_t offset = table_.block_offset(block);
    auto decoded = table_.read_stored(block, buffer_, scratch_);
    Status s = decoded.ok() ? Status() : decoded.status();
    if (s.ok()) s = check_entries(BlockReader(decoded->data()), block);
    if (s.ok()) {
      compressed_blocks_ += load<std::uint8_t>(buffer_.data() + sstable::kBlockCompressionOffset) != 0 ? 1 : 0;
      raw_bytes_ += load<std::uint32_t>(decoded->data() + sstable::kBlockSizeOffset);
      return;
    }
    last_key_.clear();
    have_last_ = false;
    damage(std::move(s), offset, table_.extent_bytes(block),
           block == 0 ? table_.meta_.smallest_key : table_.index_.separator(block - 1),
           block + 1 == table_.blocks() ? std::string() : table_.index_.separator(block));
  }

  // Order, within the block and after the one before; the block's place in the index; the filter.
  Status check_entries(const BlockReader& reader, std::uint32_t block) {
    const std::uint64_t offset = table_.block_offset(block);
    for (std::uint32_t i = 0; i < reader.entries(); ++i) {
      std::string key = reader.key(i);
      const std::uint64_t packed = reader.packed_sequence(i);
      const bool same_key = have_last_ && key == last_key_;
      if (have_last_ && (key < last_key_ || (same_key && sequence_of(last_packed_) <= sequence_of(packed)))) {
        return corruption(offset, "entry " + std::to_string(i) + " is out of order");
      }
      if (!same_key) {
        // After a damaged block a key may have begun in it.
        if (table_.locate(key) != block && (have_last_ || block == 0)) {
          return corruption(offset, "the index does not lead to entry " + std::to_string(i));
        }
        if (!table_.may_contain(key_hash(key))) {
          return corruption(offset, "the filter denies entry " + std::to_string(i));
        }
      }
      ++sums_.entries;
      sums_.tombstones += kind_of(packed) == EntryKind::kTombstone ? 1 : 0;
      sums_.key_bytes += key.size();
      sums_.value_bytes += reader.body(i).value.size();
      if (kind_of(packed) == EntryKind::kReference) add_use(reader.body(i).value);
      if (sums_.entries == 1) {
        sums_.smallest_key = key;
        sums_.smallest_sequence = sequence_of(packed);
      }
      sums_.smallest_sequence = std::min(sums_.smallest_sequence, sequence_of(packed));
      sums_.largest_sequence = std::max(sums_.largest_sequence, sequence_of(packed));
      last_key_ = std::move(key);
      last_packed_ = packed;
      have_last_ = true;
    }
    return {};
  }

  void add_use(Slice reference) {
    ValueReference to;
    static_cast<void>(sstable::decode_reference(reference, to));  // The block was checked.
    ValueUse& use = uses_[to.file];
    use.file = to.file;
    ++use.records;
    use.bytes += to.bytes;
  }

  // Only when every block is sound: counts and ranges against the properties. That no block is compressed decides
  // whether the table is mapped, so a wrong count would fail readers.
  void check_sums() {
    sums_.id = table_.meta_.id;
    sums_.file_bytes = table_.meta_.file_bytes;
    sums_.digest = table_.meta_.digest;
    sums_.largest_key = last_key_;
    for (const auto& [file, use] : uses_) sums_.values.push_back(use);
    const bool blocks_agree =
        compressed_blocks_ == table_.properties_.compressed_blocks && raw_bytes_ == table_.properties_.raw_bytes;
    if (sums_ == table_.meta_ && blocks_agree) return;
    const std::uint64_t offset = table_.footer_.section(SectionKind::kProperties).offset;
    damage_all(corruption(offset, "properties differ from what the blocks hold"), offset,
               table_.footer_.section(SectionKind::kProperties).length);
  }

  const Table& table_;
  const std::function<void(const TableDamage&)>& report_;
  Status first_;
  std::string buffer_;
  std::string scratch_;
  std::string last_key_;  // Of the last sound entry, if the block before was sound.
  std::uint64_t last_packed_ = 0;
  bool have_last_ = false;
  TableMeta sums_;
  std::map<std::uint64_t, ValueUse> uses_;
  std::uint64_t compressed_blocks_ = 0;
  std::uint64_t raw_bytes_ = 0;  // Of the blocks, before compression and padding.
};

Status Table::verify(const std::function<void(const TableDamage&)>& report) const {
  return TableVerifier(*this, report).run();
}

}  // namespace firn
