// Reads one segment of the log: record by record up to the first thing that is none, then, when asked, everything
// behind it for what it proves. Judging a segment's end takes the whole log: wal/replay.h. Format: wal/log_format.h.
//
// Memory: a window of 1 MiB, or the longest record. Any bytes are safe to read.
// Thread safety: one thread at a time. Lifetime: the file system outlives the reader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "firn/file_system.h"
#include "firn/status.h"
#include "wal/log_format.h"

namespace firn::wal {

// What lies behind the point where reading ended.
struct TailScan {
  std::uint64_t used_end = 0;  // After the last byte that is not zero; where reading ended if there is none.
  std::uint64_t records = 0;   // Valid ones.
  // The largest stamps in them: proof of what had been on the device.
  DurableStamp durable;
  bool complete = true;  // False: gave up, the bytes look like records everywhere and are none.
};

class SegmentReader {
 public:
  // Reads the header. Errors: kNotFound, kIo, kNewerFormat, kCorruption for a sound header that belongs elsewhere.
  static Result<std::unique_ptr<SegmentReader>> open(FileSystem& files, const std::string& path, std::uint64_t id,
                                                     const DatabaseId& database);
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  std::uint64_t id() const { return id_; }
  const std::string& path() const { return file_->path(); }
  std::uint64_t file_bytes() const { return file_bytes_; }
  // Absent: the segment was never used, its header was torn or damaged. There are no records then.
  const std::optional<SegmentHeader>& header() const { return header_; }

  // Moves to the next record, never beyond byte `limit`. False at the end; end_offset() and end_reason() tell more.
  // Errors: kIo; kNewerFormat; kCorruption for what no crash can leave: a sound record out of order or across `limit`.
  Result<bool> next(std::uint64_t limit = UINT64_MAX);
  // The record moved to last, which lives until the next call of a function that can fail.
  const Record& record() const { return record_; }
  std::uint64_t record_offset() const { return record_offset_; }

  // After the last valid record (the header counts), 0 without a valid header; and the chain value there.
  SegmentEnd end() const { return {id_, end_offset_, chain_}; }
  Sequence last_sequence() const { return last_sequence_; }  // 0 before the first record.
  // Why there is no record at the end: "end of the used part", "checksum mismatch", ...
  std::string_view end_reason() const { return end_reason_; }

  // Looks at everything behind end(). Errors: kIo.
  Result<TailScan> scan_tail();

 private:
  SegmentReader(std::unique_ptr<File> file, std::uint64_t file_bytes, std::uint64_t id, const DatabaseId& database);

  Status read_header();
  // The file from `offset` on as far as it is in memory; valid until the next call of fetch().
  Slice in_memory(std::uint64_t offset) const {
    if (offset < window_offset_ || offset > window_offset_ + window_bytes_) return Slice();
    const std::uint64_t at = offset - window_offset_;
    return Slice(window_.get() + at, static_cast<std::size_t>(window_bytes_ - at));
  }
  // The same after seeing to it that `bytes` bytes are, which the file has.
  Result<Slice> fetch(std::uint64_t offset, std::uint64_t bytes);

  // What is at one place, whatever the chain says.
  struct Attempt {
    std::optional<DecodedRecord> found;
    std::uint64_t hashed_bytes = 0;
    std::string_view reason;  // Why nothing was found.
  };
  Result<Attempt> try_record(std::uint64_t offset);
  Result<bool> accept(const DecodedRecord& decoded, std::uint64_t limit);
  Status contradiction(const DecodedRecord& decoded, std::uint64_t limit) const;

  const std::unique_ptr<File> file_;
  const std::uint64_t file_bytes_;
  const std::uint64_t id_;
  const DatabaseId database_;
  const std::uint64_t salt_;
  std::optional<SegmentHeader> header_;

  std::unique_ptr<char[]> window_;
  std::uint64_t window_capacity_ = 0;
  std::uint64_t window_offset_ = 0;
  std::uint64_t window_bytes_ = 0;

  Record record_;
  std::uint64_t record_offset_ = 0;
  std::uint64_t end_offset_ = 0;
  std::uint32_t chain_ = 0;
  Sequence last_sequence_ = 0;
  std::string_view end_reason_;
};

}  // namespace firn::wal
