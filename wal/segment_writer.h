// Writes one segment of the log. Format: wal/log_format.h.
//
// Two ways to append, which may be mixed: reserve + commit encodes a record straight into the file's mapped memory, no
// copy and no system call (for writes that need not be durable at once); append_group writes the records of several
// batches with one system call (cheaper when sync() follows, because no mapped page becomes dirty).
//
// Order that makes the log recoverable (F4): create the LogFile, sync its directory, add the segment's id to the
// manifest (VersionEdit::log_segments_added); only then make the SegmentWriter. sync() the predecessor before anything
// in this segment is acknowledged as durable, then call mark_earlier_durable().
//
// Errors: the first failure is kept. After it nothing is written to this segment any more and every call answers it.
// What was not durable then is unknown on the device: flush every family from memory to tables, remove the segment (and
// those before it) from the manifest, and go on in a new segment with no predecessor.
//
// Thread safety: reserve, commit, append_group, end and seal by one thread at a time. sync, populate and all getters
// from any thread, beside that one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "firn/file_system.h"
#include "firn/status.h"
#include "platform/planted_bug.h"
#include "platform/sync.h"
#include "wal/log_format.h"

namespace firn::wal {

class SegmentWriter {
 public:
  // `file` is fresh and has room for the header and a record. Invariant LOG-2: ids grow along the chain; a segment that
  // was made in advance and passed over is never used. The header is with the operating system afterwards, on
  // the device after the first sync(). Errors: kIo, kNoSpace.
  static Result<std::unique_ptr<SegmentWriter>> create(std::unique_ptr<LogFile> file, const SegmentHeader& header);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  std::uint64_t id() const { return header_.id; }
  const std::string& path() const { return file_->path(); }
  std::uint64_t capacity_bytes() const { return capacity_bytes_; }

  // Whether records of so many bytes in all (wal::record_bytes_max each) still fit: into the segment, and on the disk.
  // By the writing thread.
  bool fits(std::uint64_t bytes) {
    const std::uint64_t end = end_offset() + bytes;
    return end <= room_end_ || make_room(end);
  }

  // Room for the payload of a record, `payload_bytes` with `count` operations; the caller writes it there and commits,
  // or forgets about it. Precondition: count > 0, first_sequence above last_sequence().
  // Null: the segment is full, or it failed (status() tells). Valid until the next call of a writing function.
  char* reserve(Sequence first_sequence, std::uint32_t count, std::size_t payload_bytes);
  // Appends the record of the last reservation. With the operating system when Ok.
  Status commit();
  // Appends all of `records`, in order, or fails. Precondition: fits(); as for reserve.
  Status append_group(std::span<const Record> records);

  // Everything appended before the call is on the device when Ok. Concurrent calls take turns.
  Status sync();
  // Makes appending up to `bytes` ahead of the end cheap, and lets go of the memory of what lies before it; for a
  // background thread.
  void populate(std::uint64_t bytes);

  // All segments before this one are on the device completely: later records carry it as proof.
  void mark_earlier_durable() { earlier_durable_.store(true, std::memory_order_release); }
  bool earlier_durable() const { return earlier_durable_.load(std::memory_order_acquire); }

  std::uint64_t end_offset() const { return end_.load(std::memory_order_acquire); }
  std::uint64_t durable_offset() const { return durable_.load(std::memory_order_acquire); }
  // Of the last record appended, and of the last one that sync() made durable; 0 for none in this segment.
  // The log is durable up to durable_sequence() only if earlier_durable().
  Sequence last_sequence() const { return last_sequence_.load(std::memory_order_acquire); }
  Sequence durable_sequence() const { return durable_sequence_.load(std::memory_order_acquire); }
  bool all_durable() const { return durable_offset() == end_offset(); }

  // Where the segment ends now, for one who reads it while it is written. By the writing thread.
  SegmentEnd end() const { return {header_.id, end_offset(), chain_}; }

  // The first failure, or Ok.
  Status status() const;

  // Ends the segment: nothing is appended any more, sync() still works. What the successor's header says of it.
  // May be called again after a later sync().
  PreviousSegment seal();

 private:
  SegmentWriter(std::unique_ptr<LogFile> file, const SegmentHeader& header);

  Status write_header();
  bool make_room(std::uint64_t end);
  Status append_one_by_one(std::span<const Record> records);
  void check(Sequence first, std::uint32_t count, std::size_t payload_bytes, Sequence last) const;
  DurableStamp stamp() const {
    return {FIRN_PLANTED_BUG(durable_stamp_too_high) ? end_offset() : durable_offset(), earlier_durable()};
  }
  void advance(std::uint64_t bytes, Sequence last, std::uint32_t chain);
  Status fail(Status status);
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  const std::unique_ptr<LogFile> file_;
  const SegmentHeader header_;
  const std::uint64_t salt_;
  const std::uint64_t capacity_bytes_;

  // The writing thread's.
  char* reserved_ = nullptr;  // The record under reservation, header included.
  RecordHeader reserved_header_;
  std::uint64_t room_end_ = 0;  // Up to here the file has said that there is room.
  std::uint32_t chain_ = 0;
  bool sealed_ = false;
  std::string staging_;

  // Invariant LOG-1: durable_ <= end_ <= capacity_bytes_, growing only.
  std::atomic<std::uint64_t> end_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<Sequence> last_sequence_{0};
  std::atomic<Sequence> durable_sequence_{0};
  std::atomic<bool> earlier_durable_;
  std::atomic<bool> failed_{false};  // Whether failure_ is set: one load on the way of every record.

  // Syncs take turns: the device reports a lost write to one of two concurrent callers only.
  Mutex sync_mutex_;
  mutable Mutex status_mutex_;
  Status failure_ FIRN_GUARDED_BY(status_mutex_);
};

}  // namespace firn::wal
