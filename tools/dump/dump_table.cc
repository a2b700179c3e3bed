// Prints a table, section by section and block by block: what is damaged is left out, all else is shown.

#include <fmt/core.h>

#include <array>
#include <optional>
#include <string>

#include "codec/varint.h"
#include "sstable/block_cache.h"
#include "sstable/block_reader.h"
#include "sstable/index.h"
#include "sstable/properties.h"
#include "sstable/stored_block.h"
#include "sstable/table.h"
#include "sstable/table_format.h"
#include "tools/dump/source.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

using sstable::BlockReader;
using sstable::Footer;
using sstable::Section;
using sstable::SectionKind;

constexpr std::array<std::string_view, sstable::kSectionCount> kSectionNames{"data", "filter", "index", "properties"};

std::string_view codec_name(Compression codec) {
  switch (codec) {
    case Compression::kNone: return "none";
    case Compression::kZstd: return "zstd";
    case Compression::kLz4: return "lz4";
  }
  return "unknown";
}

class TableDump {
 public:
  TableDump(const Source& source, Depth depth, Output& out)
      : source_(source), file_(source.bytes()), depth_(depth), out_(out) {}

  void run() {
    print_heading(source_, "table", out_);
    if (!read_footer()) return;
    print_role();
    print_sections();
    if (index_ok_ && depth_ == Depth::kRows) print_blocks();
    if (!out_.damaged() && !out_.interrupted()) verify();
  }

 private:
  void damage(std::uint64_t offset, std::string_view detail) {
    out_.damage(Status::corruption(source_.path(), offset, detail));
  }

  bool read_footer() {
    if (file_.size() < sstable::kFooterBytes) {
      damage(0, "not a table: shorter than a footer");
      return false;
    }
    const Slice page = file_.substr(file_.size() - sstable::kFooterBytes);
    auto footer = sstable::decode_footer(page, source_.path(), file_.size());
    if (!footer.ok()) {
      out_.field("footer_ok", false, "no: damaged: without it nothing in the file can be found");
      out_.damage(footer.status());
      return false;
    }
    footer_ = *footer;
    digest_ = load<std::uint64_t>(page.data() + sstable::kFooterChecksumOffset);
    out_.field("footer_ok", true, "yes");
    out_.field("format", load<std::uint32_t>(page.data() + sstable::kFooterVersionOffset));
    out_.field("id", footer_.table_id);
    out_.field("digest", hex64(digest_));
    if (source_.number() && *source_.number() != footer_.table_id) {
      damage(file_.size() - sstable::kFooterBytes, fmt::format("is table {} under another name", footer_.table_id));
    }
    return true;
  }

  // Where the manifest has the table.
  void print_role() {
    if (!source_.manifest()) return;
    for (const auto& [id, family] : source_.manifest()->state.families) {
      for (std::size_t level = 0; level < family.levels.size(); ++level) {
        const auto found = family.levels[level].find(footer_.table_id);
        if (found == family.levels[level].end()) continue;
        out_.field("family", source_.family(id));
        out_.field("level", level);
        if (found->second.digest != digest_) {
          damage(file_.size() - sstable::kFooterBytes,
                 fmt::format("digest {}, the manifest has {}", hex64(digest_), hex64(found->second.digest)));
        }
        return;
      }
    }
    out_.field("level", nullptr, "none: the manifest beside it does not list this table");
  }

  Slice bytes_of(const Section& section) const {
    return file_.substr(static_cast<std::size_t>(section.offset), static_cast<std::size_t>(section.length));
  }

  // Data has no checksum of its own: its blocks have.
  bool sound(SectionKind kind) const {
    const Section& section = footer_.section(kind);
    return kind == SectionKind::kData ||
           sstable::table_checksum(footer_.table_id, section.offset, bytes_of(section)) == section.checksum;
  }

  void print_sections() {
    out_.begin_rows("sections", fmt::format("  {:<12} {:>12} {:>12}  checksum", "section", "offset", "bytes"));
    for (std::size_t i = 0; i < sstable::kSectionCount; ++i) {
      const auto kind = static_cast<SectionKind>(i + 1);
      const Section& section = footer_.section(kind);
      const bool ok = sound(kind);
      out_.line(fmt::format("  {:<12} {:>12} {:>12}  {}", kSectionNames[i], section.offset, section.length,
                            kind == SectionKind::kData ? "by block"
                            : ok                       ? hex64(section.checksum)
                                                       : "MISMATCH"));
      if (out_.json()) {
        Json json;
        json["section"] = kSectionNames[i];
        json["offset"] = section.offset;
        json["bytes"] = section.length;
        if (kind != SectionKind::kData) json["checksum_ok"] = ok;
        out_.element(json);
      }
      if (!ok) damage(section.offset, fmt::format("checksum mismatch in the {} section", kSectionNames[i]));
    }
    out_.end_rows();
    out_.line("");
    read_index();
    read_properties();
  }

  void read_index() {
    if (!sound(SectionKind::kIndex)) return;
    const std::string_view problem =
        index_.open(bytes_of(footer_.section(SectionKind::kIndex)), footer_.section(SectionKind::kData).length);
    index_ok_ = problem.empty();
    if (!index_ok_) damage(footer_.section(SectionKind::kIndex).offset, problem);
    if (index_ok_) out_.field("block_count", index_.blocks(), count_text(index_.blocks()));
  }

  void read_properties() {
    if (!sound(SectionKind::kProperties)) return;
    const Section& section = footer_.section(SectionKind::kProperties);
    sstable::Properties properties;
    TableMeta meta;
    if (!sstable::decode_properties(bytes_of(section), footer_.version, properties, meta)) {
      damage(section.offset, "malformed properties");
      return;
    }
    out_.field("entry_count", meta.entries, count_text(meta.entries));
    out_.field("tombstones", meta.tombstones, count_text(meta.tombstones));
    out_.field("key_bytes", meta.key_bytes, bytes_text(meta.key_bytes));
    out_.field("value_bytes", meta.value_bytes, bytes_text(meta.value_bytes));
    out_.field("raw_bytes", properties.raw_bytes, bytes_text(properties.raw_bytes) + " of blocks before compression");
    out_.field("compression", codec_name(properties.compression));
    out_.field("compressed_blocks", properties.compressed_blocks);
    out_.field("block_bytes", properties.block_bytes, fmt::format("{} asked for", properties.block_bytes));
    out_.field("filter_bits_per_key", properties.filter_bits_per_key);
    out_.field("sequences", Json::array({meta.smallest_sequence, meta.largest_sequence}),
               fmt::format("{}..{}", meta.smallest_sequence, meta.largest_sequence));
    for (const ValueUse& use : meta.values) {
      out_.field(fmt::format("value_file_{}", use.file), Json{{"references", use.records}, {"bytes", use.bytes}},
                 fmt::format("{} references to {} in it", count_text(use.records), bytes_text(use.bytes)));
    }
    constexpr std::size_t kRoom = 72;
    print_key("smallest_key", meta.smallest_key, kRoom);
    print_key("largest_key", meta.largest_key, kRoom);
  }

  void print_key(const std::string& name, Slice key, std::size_t columns) {
    // An empty key is a key: quotes would be part of others.
    out_.bytes_field(name, key, key.empty() ? "(the empty key)" : out_.shortened(key, columns));
  }

  void print_blocks() {
    out_.begin_rows("blocks", fmt::format("{:>6} {:>12} {:>9} {:>9} {:>8} {:<5} {}", "block", "offset", "stored", "raw",
                                          "entries", "codec", "first key"));
    for (std::uint32_t block = 0; block < index_.blocks() && !out_.interrupted(); ++block) print_block(block);
    out_.end_rows();
  }

  void print_block(std::uint32_t block) {
    const std::uint64_t offset = index_.block_offset(block);
    const auto bytes = static_cast<std::size_t>(index_.block_offset(block + 1) - offset);
    const Slice extent = file_.substr(static_cast<std::size_t>(offset), bytes);
    const sstable::BlockPlace place{source_.path(), footer_.table_id, offset, index_.block_checksum(block)};
    const auto stored = sstable::open_stored(place, extent);
    const auto decoded = stored.ok() ? sstable::decode_stored(place, extent, scratch_) : Result<Slice>(stored.status());
    Json json;
    json["block"] = block;
    json["offset"] = offset;
    json["stored_bytes"] = bytes;
    if (!decoded.ok()) {
      out_.line(fmt::format("{:>6} {:>12} {:>9} -- damaged", block, offset, bytes));
      json["damaged"] = decoded.status().to_string();
      out_.element(json);
      out_.damage(decoded.status());
      return;
    }
    const BlockReader reader(decoded->data());
    const auto raw = load<std::uint32_t>(decoded->data() + sstable::kBlockSizeOffset);
    const std::string lead = fmt::format("{:>6} {:>12} {:>9} {:>9} {:>8} {:<5} ", block, offset, bytes, raw,
                                         reader.entries(), codec_name(stored->compression));
    const std::string first_key = reader.key(0);
    out_.line(lead + out_.shortened(first_key, kTextColumns - lead.size()));
    if (out_.json()) {
      json["raw_bytes"] = raw;
      json["compression"] = codec_name(stored->compression);
      out_.put(json, "first_key", first_key);
      json["entries"] = Json::array();
    }
    for (std::uint32_t i = 0; i < reader.entries(); ++i) print_entry(reader, i, json);
    out_.element(json);
    if (!sstable::check_order(reader)) damage(offset, "entries are out of order");
  }

  void print_entry(const BlockReader& reader, std::uint32_t i, Json& json) {
    const std::uint64_t packed = reader.packed_sequence(i);
    const bool put = kind_of(packed) != EntryKind::kTombstone;
    ValueReference at;
    const bool separated =
        kind_of(packed) == EntryKind::kReference && sstable::decode_reference(reader.body(i).value, at);
    // What a reference leads to, in place of its bytes.
    const std::string place =
        separated ? fmt::format("value file {}, record {}, at {}", at.file, at.index, at.offset) : std::string();
    const std::string key = reader.key(i);
    const Slice value = separated ? Slice(place) : reader.body(i).value;
    if (out_.json()) {
      Json row;
      row["sequence"] = sequence_of(packed);
      row["kind"] = separated ? "reference" : put ? "put" : "delete";
      out_.put(row, "key", key);
      if (separated)
        row["value_at"] = {{"file", at.file}, {"record", at.index}, {"offset", at.offset}, {"bytes", at.bytes}};
      if (put && !separated) out_.put(row, "value", value);
      json["entries"].push_back(std::move(row));
      return;
    }
    const std::string lead = fmt::format("{:>16} {:<6} ", sequence_of(packed),
                                         separated ? "refer"
                                         : put     ? "put"
                                                   : "delete");
    const std::size_t room = kTextColumns - lead.size();
    out_.line(lead + (put ? out_.pair(key, value, room) : out_.shortened(key, room)));
  }

  // All that can be wrong beside checksums: order between blocks, counts, the filter's answers.
  void verify() {
    BlockCache cache(0);
    const auto table = Table::open_unknown(source_.files(), source_.path(), cache);
    const auto report = [this](const TableDamage& found) { out_.damage(found.status); };
    // Reported one by one: the result is the first of them.
    const Status verdict = table.ok() ? (*table)->verify(report) : table.status();
    if (!table.ok()) out_.damage(table.status());
    if (verdict.ok()) out_.field("verified", true, "every byte: checksums, structure, order, counts, filter");
  }

  const Source& source_;
  const Slice file_;
  const Depth depth_;
  Output& out_;
  Footer footer_;
  std::uint64_t digest_ = 0;
  sstable::Index index_;
  bool index_ok_ = false;
  std::string scratch_;
};

}  // namespace

void dump_table(const Source& source, Depth depth, Output& out) { TableDump(source, depth, out).run(); }

}  // namespace firn::tools
