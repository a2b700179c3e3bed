#include "sstable/table_builder.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "codec/compression.h"
#include "codec/key_hash.h"
#include "codec/key_head.h"
#include "platform/assert.h"
#include "platform/planted_bug.h"
#include "sstable/block_builder.h"
#include "sstable/block_reader.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/output.h"
#include "sstable/properties.h"
#include "sstable/table_format.h"
#include "sstable/value_format.h"

namespace firn {

using sstable::round_up;
using sstable::SectionKind;

namespace {

constexpr std::uint64_t kFileBytesMax = std::uint64_t{UINT32_MAX} * sstable::kSectionAlignment;

// What a block may leave unused at its end without it being felt.
bool is_small_beside(std::uint64_t rest, std::size_t block_bytes) { return rest <= block_bytes / 8; }

// Where the extent of an uncompressed block that ends at `end` should end: a block of about a page gets a page of its
// own where that costs at most an eighth, so that reading it touches one page, not two.
std::uint64_t extent_end(std::uint64_t end, std::size_t block_bytes) {
  const std::uint64_t page_end = round_up(end, sstable::kPageBytes);
  const bool pays = block_bytes <= sstable::kPageBytes && is_small_beside(page_end - end, block_bytes);
  return pays ? page_end : round_up(end, sstable::kSectionAlignment);
}

}  // namespace

class TableBuilder::Impl {
 public:
  Impl(File& file, std::uint64_t id, const TableOptions& options)
      : options_(options), path_(file.path()), output_(file), filter_(options.filter_bits_per_key) {
    meta_.id = id;
    properties_.block_bytes = options.block_bytes;
    properties_.filter_bits_per_key = options.filter_bits_per_key;
    properties_.compression = options.compression;
  }

  Status add(const Entry& entry);
  Result<TableMeta> finish();
  std::uint64_t entries() const { return sums_.entries + block_.sums().entries; }
  std::uint64_t file_bytes() const {
    return output_.offset() + block_.sums().key_bytes + block_.sums().value_bytes + tail_bytes_;
  }

 private:
  // How an entry continues the table.
  struct Step {
    std::size_t shared = 0;  // Leading bytes in common with the last key.
    bool same_key = false;
    bool in_order = true;
  };

  std::uint64_t last_packed() const { return block_.empty() ? last_packed_ : block_.last_packed_sequence(); }
  Step step_to(const Entry& entry) const;
  Status refuse(const Entry& entry, const char* why);
  Status fail(Status status) {
    status_ = status;
    return status;
  }
  bool takes(const Entry& entry, const Step& step) const;
  void add_sums(const sstable::EntrySums& sums);
  void add_use(Slice reference);
  void begin_block(Slice first_key, const Step& step);
  Status write_block();
  Status write_compressed(bool& written);
  Status write_extent(std::size_t used, std::uint64_t end);
  Status append_section(SectionKind kind, Slice bytes, std::size_t alignment);
  Status write_filter();
  Status write_tail();

  const TableOptions options_;
  const std::string path_;
  sstable::Output output_;
  sstable::BlockBuilder block_;
  sstable::FilterBuilder filter_;
  sstable::IndexBuilder index_;
  sstable::Properties properties_;
  sstable::Footer footer_;
  TableMeta meta_;
  sstable::EntrySums sums_;  // Of the written blocks.
  std::map<std::uint64_t, ValueUse> uses_;
  std::uint64_t tail_bytes_ = 2 * sstable::kPageBytes;  // What would follow the written blocks.
  Slice last_key_;                                      // In block_ or, when that is empty, last_written_key_.
  std::string last_written_key_;
  std::uint64_t last_packed_ = 0;  // Of that key; see last_packed().
  std::string raw_;                // A block to be compressed,
  std::string compressed_;         // and what came of it.
  Status status_;                  // The first error.
};

TableBuilder::Impl::Step TableBuilder::Impl::step_to(const Entry& entry) const {
  if (entries() == 0) return {};
  const Slice last = last_key_;
  Step step;
  step.shared = common_prefix_bytes(last, entry.key);
  step.same_key = step.shared == last.size() && step.shared == entry.key.size();
  if (step.same_key) {
    step.in_order = sequence_of(last_packed()) > entry.sequence;
  } else if (step.shared == entry.key.size()) {
    step.in_order = false;
  } else if (step.shared < last.size()) {
    step.in_order = static_cast<unsigned char>(last[step.shared]) < static_cast<unsigned char>(entry.key[step.shared]);
  }
  return step;
}

Status TableBuilder::Impl::refuse(const Entry& entry, const char* why) {
  return fail(Status(StatusCode::kInvalidArgument, path_ + ": entry " + std::to_string(entries()) + " (key of " +
                                                       std::to_string(entry.key.size()) + " bytes, sequence " +
                                                       std::to_string(entry.sequence) + ") " + why));
}

void TableBuilder::Impl::add_sums(const sstable::EntrySums& sums) {
  sums_.entries += sums.entries;
  sums_.tombstones += sums.tombstones;
  sums_.key_bytes += sums.key_bytes;
  sums_.value_bytes += sums.value_bytes;
  sums_.smallest_sequence = std::min(sums_.smallest_sequence, sums.smallest_sequence);
  sums_.largest_sequence = std::max(sums_.largest_sequence, sums.largest_sequence);
}

void TableBuilder::Impl::add_use(Slice reference) {
  ValueReference to;
  const bool sound = sstable::decode_reference(reference, to);
  FIRN_ASSERT(sound);
  ValueUse& use = uses_[to.file];
  use.file = to.file;
  ++use.records;
  use.bytes += to.bytes;
}

Status TableBuilder::Impl::add(const Entry& entry) {
  if (!status_.ok()) return status_;
  const Step step = step_to(entry);
  if (!step.in_order) return refuse(entry, "is out of order");
  if (entry.key.size() > kKeyBytesMax || entry.value.size() > kValueBytesMax || entry.sequence > kSequenceMax) {
    return refuse(entry, "is beyond the limits");
  }
  FIRN_ASSERT(entry.kind != EntryKind::kTombstone || entry.value.empty());
  if (!block_.empty() && !takes(entry, step)) {
    if (Status s = write_block(); !s.ok()) return fail(std::move(s));
  }
  if (block_.empty()) begin_block(entry.key, step);
  if (!step.same_key && !filter_.add(key_hash(entry.key))) [[unlikely]]
    return fail(Status(StatusCode::kOutOfMemory, path_ + ": no memory for the filter"));
  if (entry.kind == EntryKind::kReference) add_use(entry.value);
  block_.add(entry, step.shared);
  last_key_ = block_.last_key();
  return {};
}

// Whether the block goes on with `entry`. Where rows are large beside a block it ends up as near to the size asked for
// as it can, above or below: rows of 1 KiB, four to a block and not three, take 1.5 % less with what each block needs.
bool TableBuilder::Impl::takes(const Entry& entry, const Step& step) const {
  if (block_.fits(entry, step.shared, options_.block_bytes)) return true;
  const std::size_t bytes = block_.bytes();
  if (bytes >= options_.block_bytes) return false;
  const std::size_t rest = options_.block_bytes - bytes;
  return !is_small_beside(rest, bytes) && block_.fits(entry, step.shared, options_.block_bytes + rest - 1);
}

// The separator in front of a block: see sstable/index.h.
void TableBuilder::Impl::begin_block(Slice first_key, const Step& step) {
  if (entries() == 0) meta_.smallest_key = first_key;
  if (step.same_key) {
    index_.begin_block(output_.offset(), std::string(first_key) + '\0');
  } else {
    index_.begin_block(output_.offset(), first_key.substr(0, std::min(first_key.size(), step.shared + 1)));
  }
}

Status TableBuilder::Impl::write_block() {
  last_written_key_ = block_.last_key();
  last_key_ = last_written_key_;
  last_packed_ = block_.last_packed_sequence();
  add_sums(block_.sums());
  const std::size_t bytes = block_.bytes();
  properties_.raw_bytes += bytes;
  if (output_.offset() + bytes > kFileBytesMax) {
    return Status(StatusCode::kInvalidArgument, path_ + ": a table may not exceed 256 GiB");
  }
  const bool compress = options_.compression != Compression::kNone && bytes <= sstable::kCompressedBlockBytesMax;
  if (compress) {
    bool written = false;
    raw_.resize(bytes);
    block_.finish(raw_.data());
    if (Status s = write_compressed(written); !s.ok() || written) return s;
  }
  const std::uint64_t end = output_.offset() + bytes;
  const std::uint64_t padded = compress ? round_up(end, sstable::kSectionAlignment) : extent_end(end, bytes);
  char* const out = output_.reserve(static_cast<std::size_t>(padded - output_.offset()));
  if (out == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for a block");
  if (compress) {
    std::memcpy(out, raw_.data(), bytes);
  } else {
    block_.finish(out);
  }
  return write_extent(bytes, padded);
}

// Writes raw_ compressed if that saves enough; `written` says so.
Status TableBuilder::Impl::write_compressed(bool& written) {
  compressed_.clear();
  if (!compress_block(options_.compression, raw_, compressed_)) return {};
  const std::size_t used = sstable::kStoredHeaderBytes + compressed_.size();
  const std::uint64_t end = round_up(output_.offset() + used, sstable::kSectionAlignment);
  const auto extent = static_cast<std::size_t>(end - output_.offset());
  if (extent >= round_up(raw_.size(), sstable::kSectionAlignment)) return {};
  char* const out = output_.reserve(extent);
  if (out == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for a block");
  std::memset(out, 0, sstable::kStoredHeaderBytes);
  store(out + sstable::kBlockSizeOffset, static_cast<std::uint32_t>(raw_.size()));
  store(out + sstable::kBlockCompressionOffset, static_cast<std::uint8_t>(options_.compression));
  store(out + sstable::kStoredPaddingOffset, static_cast<std::uint8_t>(extent - used));
  std::memcpy(out + sstable::kStoredHeaderBytes, compressed_.data(), compressed_.size());
  written = true;
  ++properties_.compressed_blocks;
  return write_extent(used, end);
}

// The block's `used` bytes are in the output's reservation: pads its extent to file offset `end` and seals it.
Status TableBuilder::Impl::write_extent(std::size_t used, std::uint64_t end) {
  const std::uint64_t offset = output_.offset();
  const auto bytes = static_cast<std::size_t>(end - offset);
  char* const extent = output_.reserve(bytes);
  std::memset(extent + used, 0, bytes - used);
  index_.end_block(sstable::table_checksum(meta_.id, offset, {extent, bytes}));
  tail_bytes_ = filter_.bytes() + index_.estimated_bytes() + 2 * sstable::kPageBytes;
  return output_.advance(bytes);
}

Status TableBuilder::Impl::append_section(SectionKind kind, Slice bytes, std::size_t alignment) {
  sstable::Section& section = footer_.section(kind);
  section.offset = output_.offset();
  section.length = round_up(section.offset + bytes.size(), alignment) - section.offset;
  const auto length = static_cast<std::size_t>(section.length);
  char* const out = output_.reserve(length);
  if (out == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for a section");
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  std::memset(out + bytes.size(), 0, length - bytes.size());
  section.checksum = sstable::table_checksum(meta_.id, section.offset, {out, length});
  return output_.advance(length);
}

Status TableBuilder::Impl::write_filter() {
  sstable::Section& section = footer_.section(SectionKind::kFilter);
  section.offset = output_.offset();
  section.length = filter_.bytes();
  const auto length = static_cast<std::size_t>(section.length);
  char* const out = output_.reserve(length);
  if (out == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for the filter");
  filter_.finish(out);
  section.checksum = sstable::table_checksum(meta_.id, section.offset, {out, length});
  return output_.advance(length);
}

// All that follows the data.
Status TableBuilder::Impl::write_tail() {
  const std::uint64_t data_end = output_.offset();
  footer_.section(SectionKind::kData).length = data_end;
  if (Status s = write_filter(); !s.ok()) return s;
  std::string section;
  index_.finish(data_end, section);
  if (Status s = append_section(SectionKind::kIndex, section, sstable::kSectionAlignment); !s.ok()) return s;
  section.clear();
  sstable::encode_properties(properties_, meta_, section);
  if (Status s = append_section(SectionKind::kProperties, section, sstable::kFooterBytes); !s.ok()) return s;
  char* const page = output_.reserve(sstable::kFooterBytes);
  if (page == nullptr) return Status(StatusCode::kOutOfMemory, path_ + ": no memory for the footer");
  footer_.version = meta_.values.empty() ? 1 : 2;
  footer_.table_id = meta_.id;
  footer_.file_bytes = meta_.file_bytes = output_.offset() + sstable::kFooterBytes;
  meta_.digest = sstable::encode_footer(footer_, page);
  if (Status s = output_.advance(sstable::kFooterBytes); !s.ok()) return s;
  return output_.finish(!FIRN_PLANTED_BUG(table_not_synced));
}

Result<TableMeta> TableBuilder::Impl::finish() {
  if (!status_.ok()) return status_;
  if (entries() == 0) {
    return fail(Status(StatusCode::kInvalidArgument, path_ + ": a table needs at least one entry"));
  }
  if (!block_.empty()) {
    if (Status s = write_block(); !s.ok()) return fail(std::move(s));
  }
  meta_.entries = sums_.entries;
  meta_.tombstones = sums_.tombstones;
  meta_.key_bytes = sums_.key_bytes;
  meta_.value_bytes = sums_.value_bytes;
  meta_.smallest_sequence = sums_.smallest_sequence;
  meta_.largest_sequence = sums_.largest_sequence;
  meta_.largest_key = last_key_;
  for (const auto& [file, use] : uses_) meta_.values.push_back(use);
  if (Status s = write_tail(); !s.ok()) return fail(std::move(s));
  status_ = Status(StatusCode::kInvalidArgument, path_ + ": the table is finished");
  return meta_;
}

TableBuilder::TableBuilder(File& file, std::uint64_t id, const TableOptions& options)
    : impl_(std::make_unique<Impl>(file, id, options)) {}
TableBuilder::~TableBuilder() = default;
Status TableBuilder::add(const Entry& entry) { return impl_->add(entry); }
std::uint64_t TableBuilder::entries() const { return impl_->entries(); }
std::uint64_t TableBuilder::file_bytes() const { return impl_->file_bytes(); }
Result<TableMeta> TableBuilder::finish() { return impl_->finish(); }

}  // namespace firn
