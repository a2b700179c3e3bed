// The write-ahead log of an open database: a chain of segments, the last of which takes records. The next two segments
// are made ready while this one fills, so that changing over costs a writer no more than a header.
//
// Thread safety: reserve, commit, append_group and last_sequence by the committing thread (under Committer's mutex);
// everything else by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "firn/platform.h"
#include "lsm/core.h"
#include "platform/sync.h"
#include "wal/segment_writer.h"

namespace firn::lsm {

// A segment's file: created, durably named, known to the manifest, not yet written.
struct PreparedSegment {
  std::uint64_t id = 0;
  std::unique_ptr<LogFile> file;
};

class LogSet {
 public:
  struct Callbacks {
    // Makes the files of so many segments, in id order. May wait for the disk.
    std::function<Result<std::vector<PreparedSegment>>(std::size_t count, std::uint64_t capacity_bytes)> prepare;
    // The newest durable manifest edit.
    std::function<std::uint64_t()> manifest_edit;
    // Runs a task in the background.
    std::function<void(std::function<void()>)> submit;
    // The log failed; called once until restart(), under no lock of the log.
    std::function<void(const Status&)> failed;
  };

  LogSet(Core& core, const wal::DatabaseId& database, Callbacks callbacks);

  // Room for one payload, at most kBatchBytesMax bytes and a little; begins a new segment where the present one is
  // full. `first_sequence` and `count` are those of the record to come. Errors: kNoSpace and kIo from making a segment
  // (nothing is lost, the next call tries again); after a failed write or sync always that failure.
  Result<char*> reserve(Sequence first_sequence, std::uint32_t count, std::size_t payload_bytes);
  // The payload in the last reservation becomes a record.
  Status commit();
  // Records of several batches at once, cheapest when sync() follows.
  Status append_group(std::span<const wal::Record> records);

  // The present segment takes no more records; the next one begins with the next record. For when its records are all
  // in memtables that are being flushed: it can go with them, and until something is written there is no log.
  void end_segment();

  // Every record appended before the call is on the device when Ok.
  Status sync();
  // Whether a write or sync has failed. Nothing is appended any more then, until restart(); failure() says why.
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  Status failure() const;
  // Segments begun so far; grows at each change of segment.
  std::uint64_t segments_begun() const { return segments_begun_; }
  Sequence durable_sequence() const { return durable_sequence_.load(std::memory_order_acquire); }
  // How far the log itself is on the device, for a manifest edit to say so: it then proves what must be there. Absent:
  // nothing that the manifest lists is.
  std::optional<wal::DurableEnd> durable_end() const;
  // Everything up to `sequence` is on the device, in the log or in tables.
  void mark_durable(Sequence sequence);
  // Segments that can go because every record in them is older than `oldest_needed`; never the one in use. The caller
  // tells the manifest. Until it may forget() them they are synced like the others: a power loss that finds them listed
  // and torn would take all that follows (LOGSET-3).
  std::vector<std::uint64_t> releasable(Sequence oldest_needed) const;
  // No manifest lists these segments any more, for certain. The last of them close when the answer is destroyed: where
  // nobody waits, as that frees what a segment had of the page cache.
  [[nodiscard]] std::vector<std::shared_ptr<wal::SegmentWriter>> forget(const std::vector<std::uint64_t>& ids);
  // What its segments hold, flushed records included.
  std::uint64_t occupied_bytes() const;
  // Every segment that holds, or was made to hold, records, for the edit that ends the log. Nothing is appended any
  // more, before restart().
  std::vector<std::uint64_t> all_segments();
  // As if a write had failed with `status`: for trouble beside the log after which no write may be acknowledged.
  void stop(Status status) { static_cast<void>(fail(std::move(status))); }
  // Begins anew after a failure: no manifest counts all_segments() any more, and everything that they held is on the
  // device by other means. By the committing thread.
  void restart();

 private:
  using Segment = std::shared_ptr<wal::SegmentWriter>;

  Status make_room(Sequence first_sequence, std::uint64_t record_bytes);
  Status change_over(Sequence first_sequence, std::uint64_t record_bytes);
  void note_appended(std::uint64_t begin, bool in_place);
  wal::PreviousSegment previous_end();
  Status fail(Status status);
  Result<PreparedSegment> take_prepared(std::uint64_t capacity_bytes);
  void prepare_ahead();
  void prepare_missing(std::size_t at_once, bool populate);
  // Of the record that was appended last.
  void look_ahead(std::uint64_t record_bytes);
  std::uint64_t ahead_bytes(std::uint64_t record_bytes) const;

  Core& core_;
  const wal::DatabaseId database_;
  const Callbacks callbacks_;

  // The committing thread's.
  Segment writer_;                     // Null before the first record and after end_segment().
  wal::PreviousSegment previous_;      // The segment before the next one, as it was when it ended.
  bool stored_in_place_ = false;       // The last record was stored in mapped memory.
  std::uint64_t look_ahead_from_ = 0;  // When the end passes it, see look_ahead().

  std::uint64_t segments_begun_ = 0;

  std::atomic<bool> failed_{false};
  std::atomic<Sequence> durable_sequence_{0};
  Mutex sync_mutex_;  // Held while syncing: segments become durable in order.
  mutable Mutex mutex_;
  // Guarded by mutex_. Invariant LOGSET-1: in id order; only the last one may be in use.
  std::deque<Segment> segments_;
  bool in_use_ = false;                   // The last one takes records.
  std::deque<PreparedSegment> prepared_;  // In id order.
  bool preparation_due_ = false;          // A task that makes more of them was submitted.
  bool preparing_ = false;                // Some are being made, by that task or by the writer.
  CondVar prepared_some_;                 // Or none: preparing_ has become false.
  std::vector<std::uint64_t> unused_;     // Prepared in vain: they go with the next ones.
  Status failure_;
};

}  // namespace firn::lsm
