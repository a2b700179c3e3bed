// Prints a value file, record by record: what is damaged is left out, all else is shown.

#include <fmt/core.h>

#include "codec/varint.h"
#include "sstable/value_file.h"
#include "tools/dump/source.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

class ValueDump {
 public:
  ValueDump(const Source& source, Depth depth, Output& out)
      : source_(source), file_(source.bytes()), depth_(depth), out_(out) {}

  void run() {
    print_heading(source_, "values", out_);
    if (!read_footer()) return;
    print_role();
    auto directory = read_value_directory(source_.files(), source_.path(), nullptr);
    if (!directory.ok()) return out_.damage(directory.status());
    if (depth_ == Depth::kRows) print_records(*directory);
    if (out_.damaged() || out_.interrupted()) return;
    const Status verdict = verify_value_file(source_.files(), source_.path(), meta_,
                                             [this](const ValueDamage& found) { out_.damage(found.status); });
    if (verdict.ok()) out_.field("verified", true, "every byte: checksums, structure, order");
  }

 private:
  bool read_footer() {
    const std::size_t bytes = std::min(file_.size(), sstable::kValueFooterBytes);
    const auto footer = sstable::decode_value_footer(file_.substr(file_.size() - bytes), source_.path(), file_.size());
    if (!footer.ok()) {
      out_.field("footer_ok", false, "no: damaged: without it no record can be found");
      out_.damage(footer.status());
      return false;
    }
    meta_ = footer->meta;
    out_.field("footer_ok", true, "yes");
    out_.field("format", sstable::kValueVersion);
    out_.field("id", meta_.id);
    out_.field("digest", hex64(meta_.digest));
    out_.field("record_count", meta_.records, count_text(meta_.records));
    out_.field("record_bytes", meta_.record_bytes, bytes_text(meta_.record_bytes));
    if (source_.number() && *source_.number() != meta_.id) {
      out_.damage(Status::corruption(source_.path(), file_.size() - sstable::kValueFooterBytes,
                                     fmt::format("is value file {} under another name", meta_.id)));
    }
    return true;
  }

  // What the manifest says of it.
  void print_role() {
    if (!source_.manifest()) return;
    for (const auto& [id, family] : source_.manifest()->state.families) {
      const auto found = family.values.find(meta_.id);
      if (found == family.values.end()) continue;
      out_.field("family", source_.family(id));
      out_.field("referring_tables", found->second.tables);
      out_.field("referred_bytes", found->second.bytes, bytes_text(found->second.bytes));
      if (found->second.meta == meta_) return;
      out_.damage(Status::corruption(source_.path(), file_.size() - sstable::kValueFooterBytes,
                                     "is another value file than the manifest lists"));
      return;
    }
    out_.field("family", nullptr, "none: the manifest beside it does not list this file");
  }

  void print_records(const ValueDirectory& directory) {
    out_.begin_rows("records", fmt::format("  {:>8} {:>12} {:>12} {:>12}  key", "record", "offset", "bytes", "value"));
    for (std::uint64_t i = 0; i < meta_.records && !out_.interrupted(); ++i) {
      const std::uint64_t offset = directory.offset(i);
      const Slice record =
          file_.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(directory.end(i) - offset));
      sstable::ValueRecord parts;
      const bool sound = sstable::split_value_record(record, parts) &&
                         sstable::value_record_checksum(record, meta_.id, offset) == load<std::uint64_t>(record.data());
      if (sound) print(i, offset, record.size(), parts);  // The others are named by the verification.
      if (!sound) out_.damage(Status::corruption(source_.path(), offset, "value record checksum mismatch"));
    }
    out_.end_rows();
  }

  void print(std::uint64_t index, std::uint64_t offset, std::size_t bytes, const sstable::ValueRecord& parts) {
    const std::string lead = fmt::format("  {:>8} {:>12} {:>12} {:>12}  ", index, offset, bytes, parts.value_bytes);
    constexpr std::size_t kKeyColumns = 60;
    out_.line(lead + out_.shortened(parts.key, kKeyColumns));
    if (!out_.json()) return;
    Json json;
    json["record"] = index;
    json["offset"] = offset;
    json["bytes"] = bytes;
    json["value_bytes"] = parts.value_bytes;
    json["compressed"] = parts.compression != Compression::kNone;
    out_.put(json, "key", parts.key);
    out_.element(json);
  }

  const Source& source_;
  const Slice file_;
  const Depth depth_;
  Output& out_;
  ValueMeta meta_;
};

}  // namespace

void dump_values(const Source& source, Depth depth, Output& out) { ValueDump(source, depth, out).run(); }

}  // namespace firn::tools
