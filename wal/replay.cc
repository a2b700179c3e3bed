#include "wal/replay.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "platform/planted_bug.h"
#include "wal/segment_reader.h"

namespace firn::wal {

namespace {

using Reader = std::unique_ptr<SegmentReader>;

// A log file that is not of this database, or gone by now: it proves nothing.
bool is_foreign(const Status& status) {
  return status.is_not_found() || status.code() == StatusCode::kCorruption || status.code() == StatusCode::kNewerFormat;
}

// One replay. The steps are called in the order of their declaration.
class Replay {
 public:
  Replay(FileSystem& files, const ReplayRequest& request, const RecordVisitor& visitor, RecoveryReport& report)
      : files_(files), request_(request), visitor_(visitor), report_(report) {}

  Status open_segments();
  Status check_manifest() const;
  Status link_segments();
  Status read_segments();
  Status judge_end();
  LogEnd end() const;

 private:
  // What the segments from the end of the log on say of each other.
  struct Proof {
    std::vector<TailScan> scans;         // By position in chain_, from last_ on.
    std::vector<std::uint64_t> durable;  // Likewise: bytes that were on the device.
    std::size_t all_durable_before = 0;  // Position: segments before it were on the device completely.
  };

  // `reader` says that it follows `previous`, which is not the last segment in chain_.
  Status broken_chain(const SegmentReader& reader, std::uint64_t previous) const;
  Status visit_records(SegmentReader& segment, std::uint64_t limit);
  // Where the clean close says that segment `id` ends.
  SegmentEnd clean_end(std::uint64_t id) const;
  // Where segment `i` has to end, if anything says so.
  std::optional<SegmentEnd> required_end(std::size_t i) const;
  Status check_successor(std::size_t i) const;
  Result<Proof> collect_proof();
  Status check_proof(const Proof& proof) const;
  void report_dropped(const Proof& proof);
  const SegmentHeader* header(std::size_t i) const {
    return chain_[i]->header().has_value() ? &*chain_[i]->header() : nullptr;
  }

  FileSystem& files_;
  const ReplayRequest& request_;
  const RecordVisitor& visitor_;
  RecoveryReport& report_;

  std::vector<Reader> live_;
  std::vector<Reader> others_;
  std::vector<SegmentReader*> chain_;  // Live segments, without those that were never used.
  std::size_t last_ = 0;               // Position in chain_ of the segment in which the log ends; none if it is empty.
  Sequence last_sequence_ = 0;
};

Status Replay::open_segments() {
  for (const SegmentFile& file : request_.live) {
    Result<Reader> reader = SegmentReader::open(files_, file.path, file.id, request_.database);
    if (reader.status().is_not_found()) {
      return Status::corruption(file.path, 0, "log segment is missing; the manifest says that it is needed");
    }
    if (!reader.ok()) return reader.status();
    live_.push_back(*std::move(reader));
  }
  for (const SegmentFile& file : request_.others) {
    Result<Reader> reader = SegmentReader::open(files_, file.path, file.id, request_.database);
    if (reader.ok()) {
      others_.push_back(*std::move(reader));
    } else if (!is_foreign(reader.status())) {
      return reader.status();
    }
  }
  return Status();
}

Status Replay::check_manifest() const {
  for (const std::vector<Reader>* readers : {&live_, &others_}) {
    for (const Reader& reader : *readers) {
      if (!reader->header().has_value() || reader->header()->manifest_edit <= request_.manifest.edit) continue;
      return Status::corruption(request_.manifest.path, request_.manifest.offset,
                                "ends after edit " + std::to_string(request_.manifest.edit) + "; edit " +
                                    std::to_string(reader->header()->manifest_edit) + " was durable when " +
                                    reader->path() + " was begun");
    }
  }
  return Status();
}

// Orders the live segments into the chain that their headers name. A segment without records that the next header does
// not name is void: it was made in advance and never used, or its header could not be written and another was taken.
// Its id may be greater than that of the one named, or smaller: then a segment overtook it while it was being made, and
// may have left the manifest before it.
Status Replay::link_segments() {
  for (const Reader& reader : live_) {
    if (request_.clean_close.has_value() && clean_end(reader->id()).length == 0) continue;
    if (reader->header().has_value()) {
      const std::uint64_t previous = reader->header()->previous.end.id;
      for (; !chain_.empty() && chain_.back()->id() != previous; chain_.pop_back()) {
        const Result<bool> used = chain_.back()->next();
        if (!used.ok()) return used.status();
        if (*used) return broken_chain(*reader, previous);
      }
    }
    chain_.push_back(reader.get());
  }
  return Status();
}

Status Replay::broken_chain(const SegmentReader& reader, std::uint64_t previous) const {
  return Status::corruption(reader.path(), 0,
                            "names segment " + std::to_string(previous) + " as its predecessor, expected " +
                                std::to_string(chain_.back()->id()));
}

SegmentEnd Replay::clean_end(std::uint64_t id) const {
  for (const SegmentEnd& end : *request_.clean_close) {
    if (end.id == id) return end;
  }
  return {id, 0, 0};
}

std::optional<SegmentEnd> Replay::required_end(std::size_t i) const {
  if (request_.clean_close.has_value()) return clean_end(chain_[i]->id());
  if (i + 1 < chain_.size() && header(i + 1) != nullptr) return header(i + 1)->previous.end;
  return std::nullopt;
}

Status Replay::read_segments() {
  for (last_ = 0; last_ < chain_.size(); ++last_) {
    SegmentReader& segment = *chain_[last_];
    const std::optional<SegmentEnd> required = required_end(last_);
    if (Status status = visit_records(segment, required.has_value() ? required->length : UINT64_MAX); !status.ok()) {
      return status;
    }
    if (FIRN_PLANTED_BUG(replay_skips_gap)) continue;
    if (!required.has_value() || segment.end().length < required->length) return Status();
    if (segment.end() != *required) {
      return Status::corruption(segment.path(), segment.end().length,
                                "the records up to here are not those that this segment was closed with");
    }
    if (Status status = check_successor(last_); !status.ok()) return status;
  }
  if (last_ > 0) --last_;
  return Status();
}

Status Replay::visit_records(SegmentReader& segment, std::uint64_t limit) {
  ++report_.segments;
  for (;;) {
    const Result<bool> more = segment.next(limit);
    if (!more.ok()) return more.status();
    if (!*more) break;
    const Record& record = segment.record();
    ++report_.batches;
    report_.entries += record.count;
    last_sequence_ = record.last_sequence();
    if (Status status = visitor_(record, {segment.path(), segment.record_offset()}); !status.ok()) return status;
  }
  report_.bytes += segment.end().length;
  return Status();
}

Status Replay::check_successor(std::size_t i) const {
  if (i + 1 == chain_.size() || header(i + 1) == nullptr) return Status();
  const SegmentHeader& next = *header(i + 1);
  if (next.previous.end == chain_[i]->end() && (last_sequence_ == 0 || next.first_sequence > last_sequence_))
    return Status();
  return Status::corruption(chain_[i + 1]->path(), 0,
                            "does not continue " + chain_[i]->path() + ", which ends at " +
                                std::to_string(chain_[i]->end().length) + " with sequence " +
                                std::to_string(last_sequence_));
}

Status Replay::judge_end() {
  if (chain_.empty()) return Status();
  if (request_.clean_close.has_value()) {
    const SegmentReader& segment = *chain_[last_];
    const SegmentEnd required = *required_end(last_);
    if (segment.end().length >= required.length) return Status();
    return Status::corruption(segment.path(), segment.end().length,
                              std::string(segment.end_reason()) + "; the segment was closed cleanly at byte " +
                                  std::to_string(required.length));
  }
  const Result<Proof> proof = collect_proof();
  if (!proof.ok()) return proof.status();
  if (Status status = check_proof(*proof); !status.ok()) return status;
  report_dropped(*proof);
  return Status();
}

Result<Replay::Proof> Replay::collect_proof() {
  Proof proof;
  proof.durable.resize(chain_.size() - last_);
  for (std::size_t i = last_; i < chain_.size(); ++i) {
    const Result<TailScan> scan = chain_[i]->scan_tail();
    if (!scan.ok()) return scan.status();
    if (!scan->complete) {
      return Status::corruption(chain_[i]->path(), chain_[i]->end().length,
                                "too much behind here looks like records to tell a torn tail from damage");
    }
    proof.scans.push_back(*scan);
    proof.durable[i - last_] = std::max(proof.durable[i - last_], scan->durable.bytes);
    if (scan->durable.earlier_segments) proof.all_durable_before = std::max(proof.all_durable_before, i);
    if (request_.durable.has_value() && request_.durable->id == chain_[i]->id()) {
      proof.durable[i - last_] = std::max(proof.durable[i - last_], request_.durable->bytes);
      proof.all_durable_before = std::max(proof.all_durable_before, i);
    }
    if (i == last_ || header(i) == nullptr) continue;
    const PreviousSegment& previous = header(i)->previous;
    proof.durable[i - 1 - last_] = std::max(proof.durable[i - 1 - last_], previous.durable_bytes);
    if (previous.earlier_durable) proof.all_durable_before = std::max(proof.all_durable_before, i - 1);
  }
  return proof;
}

Status Replay::check_proof(const Proof& proof) const {
  const SegmentReader& end = *chain_[last_];
  const bool length_known = last_ + 1 < chain_.size() && header(last_ + 1) != nullptr;
  std::uint64_t durable = proof.durable[0];
  if (length_known && last_ < proof.all_durable_before) durable = header(last_ + 1)->previous.end.length;
  if (end.end().length < durable) {
    return Status::corruption(
        end.path(), end.end().length,
        std::string(end.end_reason()) + "; bytes up to " + std::to_string(durable) + " were durable");
  }
  for (std::size_t i = last_; i < chain_.size(); ++i) {
    if (header(i) != nullptr) continue;
    // Never used, or torn by the crash; unless something in it was durable, or all of it and it was used.
    const bool used = proof.scans[i - last_].used_end > 0 || (i + 1 < chain_.size() && header(i + 1) != nullptr);
    if (proof.durable[i - last_] == 0 && !(used && i < proof.all_durable_before)) continue;
    return Status::corruption(chain_[i]->path(), 0, "no sound header in a segment that was durable");
  }
  return Status();
}

void Replay::report_dropped(const Proof& proof) {
  std::uint64_t records = 0;
  for (std::size_t i = last_; i < chain_.size(); ++i) {
    const TailScan& scan = proof.scans[i - last_];
    const std::uint64_t kept = i == last_ ? chain_[i]->end().length : 0;
    // A header with nothing behind it drops nothing.
    if (i > last_ && header(i) != nullptr && scan.used_end == kSegmentHeaderBytes) continue;
    report_.dropped_bytes += scan.used_end - kept;
    records += scan.records;
  }
  if (report_.dropped_bytes == 0) return;
  const SegmentReader& end = *chain_[last_];
  report_.dropped_reason = end.path() + ": offset " + std::to_string(end.end().length) + ": " +
                           std::string(end.end_reason()) + ", nothing behind it was known to be durable; " +
                           std::to_string(records) + " records behind it dropped";
}

LogEnd Replay::end() const {
  LogEnd end;
  end.last_sequence = last_sequence_;
  std::uint64_t last_id = 0;
  if (!chain_.empty() && chain_[last_]->header().has_value()) {
    end.previous.end = chain_[last_]->end();
    last_id = end.previous.end.id;
  }
  for (const Reader& reader : live_) {
    const bool kept = reader->id() <= last_id && std::count(chain_.begin(), chain_.end(), reader.get()) != 0;
    if (!kept) end.obsolete.push_back(reader->id());
  }
  return end;
}

}  // namespace

Result<LogEnd> replay(FileSystem& files, const ReplayRequest& request, const RecordVisitor& visitor,
                      RecoveryReport& report) {
  Replay run(files, request, visitor, report);
  if (Status status = run.open_segments(); !status.ok()) return status;
  if (Status status = run.check_manifest(); !status.ok()) return status;
  if (Status status = run.link_segments(); !status.ok()) return status;
  if (Status status = run.read_segments(); !status.ok()) return status;
  if (Status status = run.judge_end(); !status.ok()) return status;
  report.clean = request.clean_close.has_value();
  return run.end();
}

}  // namespace firn::wal
