#include "wal/segment_reader.h"

#include <algorithm>
#include <utility>

#include "platform/io.h"
#include "wal/search_budget.h"

namespace firn::wal {

namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{1} << 20;

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text.push_back(kDigits[value >> shift & 0xF]);
  return text;
}

std::string format_id(const DatabaseId& id) { return hex(id.high) + hex(id.low); }

}  // namespace

SegmentReader::SegmentReader(std::unique_ptr<File> file, std::uint64_t file_bytes, std::uint64_t id,
                             const DatabaseId& database)
    : file_(std::move(file)), file_bytes_(file_bytes), id_(id), database_(database), salt_(file_salt(database, id)) {}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(FileSystem& files, const std::string& path, std::uint64_t id,
                                                           const DatabaseId& database) {
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kRead, FileKind::kLog);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> bytes = (*file)->size();
  if (!bytes.ok()) return bytes.status();
  std::unique_ptr<SegmentReader> reader(new SegmentReader(*std::move(file), *bytes, id, database));
  if (Status status = reader->read_header(); !status.ok()) return status;
  return reader;
}

Status SegmentReader::read_header() {
  end_reason_ = "no header";
  if (file_bytes_ < kSegmentSectorBytes) return Status();
  // Only the sector: most segments are asked for their header alone first.
  char sector[kSegmentSectorBytes];
  if (Status status = read_exactly(*file_, 0, std::as_writable_bytes(std::span(sector))); !status.ok()) return status;
  const std::optional<DecodedSegmentHeader> decoded = decode_segment_header(sector);
  if (!decoded.has_value()) return Status();
  const SegmentHeader& header = decoded->header;
  if (header.version > kLogFormatVersion) {
    return Status(StatusCode::kNewerFormat, path() + ": log format version " + std::to_string(header.version) +
                                                ", this Firn reads up to " + std::to_string(kLogFormatVersion));
  }
  if (header.database != database_) {
    return Status::corruption(
        path(), 0, "belongs to database " + format_id(header.database) + ", expected " + format_id(database_));
  }
  if (header.id != id_) {
    return Status::corruption(
        path(), 0, "is segment " + std::to_string(header.id) + " under another name, expected " + std::to_string(id_));
  }
  if (file_bytes_ < header.capacity_bytes) {
    return Status::corruption(path(), file_bytes_,
                              "the file ends here; it had " + std::to_string(header.capacity_bytes) + " bytes");
  }
  header_ = header;
  chain_ = decoded->chain;
  end_offset_ = kSegmentHeaderBytes;
  return Status();
}

Result<Slice> SegmentReader::fetch(std::uint64_t offset, std::uint64_t bytes) {
  if (const Slice present = in_memory(offset); present.size() >= bytes) return present;
  const std::uint64_t wanted = std::min(std::max(bytes, kWindowBytes), file_bytes_ - offset);
  window_bytes_ = 0;
  if (wanted > window_capacity_) {
    window_.reset(new char[static_cast<std::size_t>(wanted)]);
    window_capacity_ = wanted;
  }
  const std::span<char> into(window_.get(), static_cast<std::size_t>(wanted));
  if (Status status = read_exactly(*file_, offset, std::as_writable_bytes(into)); !status.ok()) return status;
  window_offset_ = offset;
  window_bytes_ = wanted;
  return in_memory(offset);
}

Result<SegmentReader::Attempt> SegmentReader::try_record(std::uint64_t offset) {
  Attempt attempt;
  attempt.reason = "end of the used part";
  if (offset >= file_bytes_) return attempt;
  const Result<Slice> head = fetch(offset, std::min<std::uint64_t>(kRecordHeaderBytesMax, file_bytes_ - offset));
  if (!head.ok()) return head.status();
  const auto header = decode_record_header(*head, {salt_, offset}, file_bytes_);
  if (!header.has_value()) {
    const Slice bytes = head->substr(0, kRecordHeaderBytesMax);
    if (bytes.find_first_not_of('\0') != Slice::npos) attempt.reason = "no record header";
    return attempt;
  }
  const Result<Slice> bytes = fetch(offset, header->record_bytes());
  if (!bytes.ok()) return bytes.status();
  attempt.found = decode_record(bytes->data(), {salt_, offset}, *header);
  attempt.hashed_bytes = header->record_bytes();
  attempt.reason = "checksum mismatch";
  return attempt;
}

Result<bool> SegmentReader::next(std::uint64_t limit) {
  if (end_offset_ == limit) {
    end_reason_ = "end named by the next segment";
    return false;
  }
  if (!header_.has_value()) return false;
  // Nearly always the record is in memory and sound.
  const Slice present = in_memory(end_offset_);
  if (present.size() >= kRecordHeaderBytesMax) {
    const auto header = decode_record_header(present, {salt_, end_offset_}, file_bytes_);
    if (header.has_value() && header->record_bytes() <= present.size()) {
      const auto decoded = decode_record(present.data(), {salt_, end_offset_}, *header);
      if (decoded.has_value()) return accept(*decoded, limit);
    }
  }
  const Result<Attempt> attempt = try_record(end_offset_);
  if (!attempt.ok()) return attempt.status();
  if (attempt->found.has_value()) return accept(*attempt->found, limit);
  end_reason_ = attempt->reason;
  return false;
}

Result<bool> SegmentReader::accept(const DecodedRecord& decoded, std::uint64_t limit) {
  const std::uint64_t bytes = decoded.header.record_bytes();
  const Record& record = decoded.record;
  const bool in_order = decoded.header.chain == chain_ && decoded.header.unknown_flags == 0 &&
                        record.first_sequence > last_sequence_ && record.first_sequence >= header_->first_sequence &&
                        record.last_sequence() <= kSequenceMax && end_offset_ + bytes <= limit;
  if (!in_order) return contradiction(decoded, limit);
  record_ = record;
  record_offset_ = end_offset_;
  end_offset_ += bytes;
  chain_ = decoded.next_chain;
  last_sequence_ = record.last_sequence();
  return true;
}

// A record with a sound checksum was written by Firn at this place: what contradicts it is no torn write.
Status SegmentReader::contradiction(const DecodedRecord& decoded, std::uint64_t limit) const {
  if (decoded.header.unknown_flags != 0) {
    return Status(StatusCode::kNewerFormat, path() + ": offset " + std::to_string(end_offset_) + ": record flags " +
                                                std::to_string(decoded.header.unknown_flags) +
                                                " are unknown to log format version " +
                                                std::to_string(kLogFormatVersion));
  }
  if (decoded.header.chain != chain_) {
    return Status::corruption(path(), end_offset_,
                              "record follows another one than the one before it: expected chain " + hex(chain_) +
                                  ", found " + hex(decoded.header.chain));
  }
  if (end_offset_ + decoded.header.record_bytes() > limit) {
    return Status::corruption(path(), end_offset_,
                              "record crosses byte " + std::to_string(limit) + ", where the segment was said to end");
  }
  return Status::corruption(path(), end_offset_,
                            "record with sequence " + std::to_string(decoded.record.first_sequence) + " after " +
                                std::to_string(std::max(last_sequence_, header_->first_sequence - 1)));
}

Result<TailScan> SegmentReader::scan_tail() {
  TailScan scan;
  scan.used_end = end_offset_;
  SearchBudget budget(file_bytes_);
  std::uint64_t offset = end_offset_;
  while (offset < file_bytes_) {
    const Result<Slice> bytes = fetch(offset, std::min<std::uint64_t>(kRecordHeaderBytesMax, file_bytes_ - offset));
    if (!bytes.ok()) return bytes.status();
    if (const std::size_t skipped = bytes_without_record(*bytes); skipped != 0) {
      offset += skipped;
      continue;
    }
    const bool zero = bytes->front() == '\0';
    const Result<Attempt> attempt = try_record(offset);
    if (!attempt.ok()) return attempt.status();
    if (const auto& found = attempt->found; found.has_value()) {
      ++scan.records;
      scan.durable.bytes = std::max(scan.durable.bytes, found->header.durable.bytes);
      scan.durable.earlier_segments |= found->header.durable.earlier_segments;
      offset += attempt->hashed_bytes;
    } else {
      scan.complete = budget.spend(attempt->hashed_bytes);
      if (!scan.complete) return scan;
      ++offset;
      if (zero) continue;
    }
    scan.used_end = offset;
  }
  return scan;
}

}  // namespace firn::wal
