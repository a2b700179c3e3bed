// Prints a log segment. Other than recovery (wal/replay.h), which stops at the first gap, it shows every sound record
// there is, also behind damage.

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/batch_format.h"
#include "tools/dump/source.h"
#include "tools/text/units.h"
#include "wal/log_format.h"
#include "wal/search_budget.h"

namespace firn::tools {

namespace {

using wal::DecodedRecord;
using wal::SegmentHeader;

class LogDump {
 public:
  LogDump(const Source& source, Depth depth, Output& out)
      : source_(source), file_(source.bytes()), depth_(depth), out_(out), budget_(file_.size()) {}

  void run() {
    print_heading(source_, "log segment", out_);
    if (!print_header()) return;
    print_role();
    if (depth_ == Depth::kRows) {
      out_.begin_rows("records", fmt::format("{:>12} {:>10} {:>15} {:>8} {:>12}", "offset", "bytes", "first sequence",
                                             "count", "durable"));
    }
    read_records();
    if (depth_ == Depth::kRows) {
      out_.end_rows();
      out_.line("");
    }
    if (out_.interrupted()) return;  // Sums and judgement are of the whole.
    print_sums();
    judge_end();
  }

 private:
  // Bytes that are no record.
  struct Gap {
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
    std::string_view reason;
    std::uint64_t records_before = 0;
  };

  void damage(std::uint64_t offset, std::string_view detail) {
    out_.damage(Status::corruption(source_.path(), offset, detail));
  }

  // False when nothing can be told of what follows.
  bool print_header() {
    std::optional<wal::DecodedSegmentHeader> decoded;
    if (file_.size() >= wal::kSegmentSectorBytes) decoded = wal::decode_segment_header(file_.data());
    if (!decoded.has_value()) return print_missing_header();
    const SegmentHeader& header = decoded->header;
    out_.field("format", header.version);
    if (header.version > wal::kLogFormatVersion) {
      out_.damage(
          Status(StatusCode::kNewerFormat, fmt::format("{}: log format version {}, this Firn reads up to {}",
                                                       source_.path(), header.version, wal::kLogFormatVersion)));
      return false;
    }
    out_.field("header_ok", true, "yes");
    print_fields(header);
    id_ = header.id;
    salt_ = wal::file_salt(header.database, header.id);
    chain_ = decoded->chain;
    if (source_.number() && *source_.number() != header.id) {
      damage(0, fmt::format("is segment {} under another name", header.id));
    }
    if (source_.manifest() && source_.manifest()->database != header.database) {
      damage(0, "belongs to another database than the manifest beside it");
    }
    return true;
  }

  bool print_missing_header() {
    const std::size_t used = file_.find_last_not_of('\0');
    if (used == Slice::npos) {
      out_.field("header_ok", false, "no: the segment was made in advance and never used");
      return false;
    }
    out_.field("header_ok", false, "no: damaged");
    damage(0, "no sound segment header");
    if (!source_.manifest() || !source_.number()) return false;
    // Records verify by themselves, with what the manifest and the file's name say.
    id_ = *source_.number();
    salt_ = wal::file_salt(source_.manifest()->database, id_);
    return true;
  }

  void print_fields(const SegmentHeader& header) {
    out_.field("id", header.id);
    out_.field("database", hex64(header.database.high) + hex64(header.database.low));
    out_.field("first_sequence", header.first_sequence);
    const wal::PreviousSegment& previous = header.previous;
    if (previous.end.id == 0) {
      out_.field("previous", nullptr, "none");
    } else {
      Json json;
      json["id"] = previous.end.id;
      json["bytes"] = previous.end.length;
      json["chain"] = fmt::format("{:08x}", previous.end.chain);
      json["durable_bytes"] = previous.durable_bytes;
      json["earlier_durable"] = previous.earlier_durable;
      out_.field("previous", json,
                 fmt::format("segment {} up to byte {}, chain {:08x}, durable to byte {}, {} before it durable",
                             previous.end.id, previous.end.length, previous.end.chain, previous.durable_bytes,
                             previous.earlier_durable ? "all" : "not all"));
    }
    out_.field("manifest_edit", header.manifest_edit);
  }

  void print_role() {
    if (!source_.manifest()) return;
    const auto& state = source_.manifest()->state;
    const bool live = state.log_segments.contains(id_);
    out_.field("live", live, live ? "yes: the manifest lists it" : "no: the manifest does not list it (any more)");
    if (!state.clean_close) return;
    for (const wal::SegmentEnd& end : state.clean_close->segments) {
      if (end.id != id_) continue;
      clean_end_ = end.length;
      out_.field("clean_end", end.length, fmt::format("byte {}, says the manifest's clean close", end.length));
    }
  }

  std::optional<DecodedRecord> record_at(std::uint64_t offset) {
    const Slice rest = file_.substr(static_cast<std::size_t>(offset));
    const auto header = wal::decode_record_header(rest, {salt_, offset}, file_.size());
    if (!header.has_value()) return std::nullopt;
    auto decoded = wal::decode_record(rest.data(), {salt_, offset}, *header);
    if (!decoded.has_value()) {
      static_cast<void>(budget_.spend(header->record_bytes()));
      reason_ = "checksum mismatch";
    }
    return decoded;
  }

  void read_records() {
    std::uint64_t offset = wal::kSegmentHeaderBytes;
    bool in_gap = false;
    while (offset < file_.size() && !budget_.exhausted()) {
      if (out_.interrupted()) return;
      reason_ = "no record header";
      if (const auto decoded = record_at(offset)) {
        if (in_gap) close_gap(offset);
        if (!in_gap) check_order(*decoded, offset);
        in_gap = false;
        offset = take(*decoded, offset);
        continue;
      }
      if (!in_gap) gap_ = {offset, offset, reason_, records_};
      in_gap = true;
      const Slice rest = file_.substr(static_cast<std::size_t>(offset));
      offset += wal::search_step(rest);
    }
    if (!in_gap) gap_ = {offset, offset, "end of the file", records_};
    gap_.end = file_.size();
    chain_.reset();
  }

  void check_order(const DecodedRecord& decoded, std::uint64_t offset) {
    if (chain_ && decoded.header.chain != *chain_) damage(offset, "the record follows another one than that before it");
    if (records_ != 0 && decoded.record.first_sequence <= last_sequence_) {
      damage(offset, fmt::format("sequence {} after {}", decoded.record.first_sequence, last_sequence_));
    }
    if (decoded.header.unknown_flags != 0) {
      out_.damage(
          Status(StatusCode::kNewerFormat, fmt::format("{}: offset {}: record flags {} are unknown to this Firn",
                                                       source_.path(), offset, decoded.header.unknown_flags)));
    }
  }

  // Sound records follow what is none: shown now, judged at the end when all stamps are known.
  void close_gap(std::uint64_t offset) {
    gap_.end = offset;
    gaps_.push_back(gap_);
    if (depth_ == Depth::kSummary) return;
    out_.line(fmt::format("{:>12} {:>10} -- no record: {}", gap_.offset, gap_.end - gap_.offset, gap_.reason));
    if (!out_.json()) return;
    Json json;
    json["offset"] = gap_.offset;
    json["bytes"] = gap_.end - gap_.offset;
    json["damaged"] = gap_.reason;
    out_.element(json);
  }

  // Where the next record begins.
  std::uint64_t take(const DecodedRecord& decoded, std::uint64_t offset) {
    const std::uint64_t bytes = decoded.header.record_bytes();
    if (records_++ == 0) first_sequence_ = decoded.record.first_sequence;
    last_sequence_ = decoded.record.last_sequence();
    durable_ = std::max(durable_, decoded.header.durable.bytes);
    chain_ = decoded.next_chain;
    if (depth_ == Depth::kRows) {
      out_.line(fmt::format("{:>12} {:>10} {:>15} {:>8} {:>12}{}", offset, bytes, decoded.record.first_sequence,
                            decoded.record.count, decoded.header.durable.bytes,
                            decoded.header.durable.earlier_segments ? "" : " (not all segments before)"));
    }
    Json json;
    if (out_.json() && depth_ == Depth::kRows) {
      json["offset"] = offset;
      json["bytes"] = bytes;
      json["first_sequence"] = decoded.record.first_sequence;
      json["count"] = decoded.record.count;
      json["durable_bytes"] = decoded.header.durable.bytes;
      json["earlier_segments_durable"] = decoded.header.durable.earlier_segments;
      json["operations"] = Json::array();
    }
    take_operations(decoded.record, offset, json);
    if (depth_ == Depth::kRows) out_.element(json);
    return offset + bytes;
  }

  void take_operations(const wal::Record& record, std::uint64_t offset, Json& json) {
    BatchReader reader(record.payload);
    BatchOperation op;
    std::uint32_t count = 0;
    for (; reader.next(op); ++count) {
      ++operations_;
      if (depth_ == Depth::kSummary) continue;
      const char* const kind = op.kind == EntryKind::kPut ? "put" : "delete";
      if (out_.json()) {
        Json row;
        row["sequence"] = record.first_sequence + count;
        row["kind"] = kind;
        row["family"] = source_.family(op.family);
        out_.put(row, "key", op.key);
        if (op.kind == EntryKind::kPut) out_.put(row, "value", op.value);
        json["operations"].push_back(std::move(row));
        continue;
      }
      const std::string lead =
          fmt::format("{:>16} {:<6} {:<10} ", record.first_sequence + count, kind, source_.family(op.family));
      const std::size_t room = kTextColumns - lead.size();
      out_.line(lead + (op.kind == EntryKind::kPut ? out_.pair(op.key, op.value, room) : out_.shortened(op.key, room)));
    }
    if (reader.malformed() || count != record.count) {
      damage(offset,
             fmt::format("a record with a sound checksum holds no sound batch: {} of {} operations, {} bytes left",
                         count, record.count, reader.remaining_bytes()));
    }
  }

  void print_sums() {
    out_.field("record_count", records_, count_text(records_));
    out_.field("operation_count", operations_, count_text(operations_));
    if (records_ != 0)
      out_.field("sequences", Json::array({first_sequence_, last_sequence_}),
                 fmt::format("{}..{}", first_sequence_, last_sequence_));
    out_.field("used_bytes", gap_.offset, fmt::format("{} ({})", count_text(gap_.offset), bytes_text(gap_.offset)));
  }

  // Why what is at `offset` must have been there once; empty when nothing says so.
  std::string proof(std::uint64_t offset) const {
    if (durable_ > offset) return fmt::format("a later record says that bytes up to {} were durable", durable_);
    if (clean_end_ > offset)
      return fmt::format("the manifest's clean close says that the segment ends at {}", clean_end_);
    return {};
  }

  // As recovery does: damage where something proves that the bytes were durable, else the end of the log.
  void judge_gap(const Gap& gap) {
    const std::uint64_t behind = records_ - gap.records_before;
    const std::string what =
        fmt::format("{} bytes are no record ({}); {} sound records follow", gap.end - gap.offset, gap.reason, behind);
    if (const std::string why = proof(gap.offset); !why.empty()) return damage(gap.offset, what + "; " + why);
    if (cut_) return;
    cut_ = true;
    Json json{{"offset", gap.offset}, {"bytes", gap.end - gap.offset}, {"records_dropped", behind}};
    out_.field("recovery_cuts", json,
               fmt::format("byte {}: {}; nothing proves that they were durable, so the next open ends the log here",
                           gap.offset, what));
  }

  void judge_end() {
    if (budget_.exhausted()) damage(gap_.offset, "too much behind here looks like records to search it");
    for (const Gap& gap : gaps_) judge_gap(gap);
    const std::size_t last = file_.find_last_not_of('\0');
    const std::uint64_t used = last == Slice::npos ? 0 : last + 1;
    const std::uint64_t torn = used > gap_.offset ? used - gap_.offset : 0;
    if (const std::string why = proof(gap_.offset); !why.empty()) {
      damage(gap_.offset, fmt::format("records are missing from here on ({}); {}", gap_.reason, why));
    } else if (torn != 0) {
      out_.field("torn_bytes", torn,
                 fmt::format("{} from byte {} on ({}): a write that was not finished", count_text(torn), gap_.offset,
                             gap_.reason));
    }
  }

  const Source& source_;
  const Slice file_;
  const Depth depth_;
  Output& out_;
  std::uint64_t id_ = 0;
  std::uint64_t salt_ = 0;
  std::optional<std::uint32_t> chain_;  // Expected of the next record; absent where it cannot be known.
  std::uint64_t clean_end_ = 0;
  wal::SearchBudget budget_;
  std::string_view reason_;
  Gap gap_;                // The present or last one: the end of the records.
  std::vector<Gap> gaps_;  // With sound records behind.
  bool cut_ = false;       // Recovery ends the log at one of them.
  std::uint64_t records_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t durable_ = 0;
  Sequence first_sequence_ = 0;
  Sequence last_sequence_ = 0;
};

}  // namespace

void dump_log(const Source& source, Depth depth, Output& out) { LogDump(source, depth, out).run(); }

}  // namespace firn::tools
