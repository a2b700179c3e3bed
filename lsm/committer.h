// The way of a write: one order for all families. A write gets the next sequence numbers, goes to the log, then to the
// memtables, and is published last, so that readers see all of it or nothing.
//
// One writer at a time under a plain mutex (measured as good as combining on two cores); writes that ask for kSync
// gather into groups that share one device flush, waiting a bounded moment for as many writers as there were lately.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/batch_format.h"
#include "firn/options.h"
#include "firn/status.h"
#include "firn/write_batch.h"
#include "lsm/core.h"
#include "lsm/log_set.h"
#include "lsm/maintenance.h"
#include "lsm/write_gate.h"
#include "platform/event_count.h"
#include "platform/sync.h"

namespace firn::lsm {

class Committer {
 public:
  Committer(Core& core, LogSet& log, Maintenance& maintenance, WriteGate& gate);

  // One operation. Key and value are within their limits.
  Result<Sequence> write(const BatchOperation& op, Durability durability);
  Result<Sequence> write(const WriteBatch& batch, Durability durability);
  // Everything acknowledged is on the device when Ok.
  Status sync();

  // Turns the active memtable of `family` into an immutable one, if it holds anything.
  void rotate(FamilyState& family);
  void rotate_all();
  // Runs `change` while no write is under way.
  template <class Change>
  auto exclusively(Change change) {
    MutexLock lock(mutex_);
    return change();
  }
  // No write is accepted any more.
  void close();

  // For recovery: the sequence after which writes go on, and replayed operations.
  void set_last_sequence(Sequence sequence);
  Status replay(Sequence sequence, const BatchOperation& op, FamilyState& family);

 private:
  struct GroupMember;
  // What one family's memtable must have room for.
  struct Need {
    FamilyState* family = nullptr;
    std::size_t entries = 0;
    std::size_t bytes = 0;
  };

  Status pass_gate(std::uint64_t bytes, bool grows);
  Status pass_gate(Slice payload);
  Result<Sequence> write_synced(Slice payload, std::uint32_t count);
  void lead_group(const std::vector<GroupMember*>& group);
  std::vector<GroupMember*> take_group();
  void commit_group(const std::vector<GroupMember*>& group);

  // The pace of writers is renewed so many times while a memtable fills.
  static constexpr std::uint64_t kPaceSteps = 32;

  // mutex_ held.
  Status admit() const;
  Status collect(Slice payload, std::vector<Need>& needs) const;
  static Status reserve(const std::vector<Need>& needs);
  Status append(Sequence first, std::uint32_t count, Slice payload);
  std::uint64_t apply(Sequence first, Slice payload);
  void insert(Sequence sequence, const BatchOperation& op, std::uint64_t hash, FamilyState& family);
  void publish(Sequence last, std::uint64_t batches, std::uint64_t user_bytes);
  void schedule_sync();
  void bound_memory();
  bool pace_due() const { return memtable_bytes_ > paced_bytes_ + core_.sizes.memtable_bytes / kPaceSteps; }
  void renew_pace();
  // Many families share what two full memtables may hold.
  std::uint64_t memtables_bytes_max() const { return 2 * core_.sizes.memtable_bytes; }
  void make_immutable(FamilyState& family);

  Core& core_;
  LogSet& log_;
  Maintenance& maintenance_;
  WriteGate& gate_;

  mutable Mutex mutex_;
  // Guarded by mutex_:
  Sequence last_sequence_ = 0;
  std::uint64_t memtable_bytes_ = 0;  // Of all active memtables.
  bool memory_due_ = false;           // Some memtable has become full, or all of them together.
  std::uint64_t paced_bytes_ = 0;     // memtable_bytes_ when the pace was renewed last.
  std::uint64_t segments_seen_ = 0;   // LogSet::segments_begun when the log's size was last looked at.
  bool closed_ = false;
  bool sync_due_ = false;    // A background sync is scheduled.
  std::vector<Need> needs_;  // Of the batch at hand; a member to keep its memory.

  Mutex group_mutex_;
  EventCount group_done_;  // Waited for and advanced without the mutex.
  // Guarded by group_mutex_:
  std::vector<GroupMember*> waiting_;
  bool leading_ = false;  // Somebody commits a group.
  // When the last group ended: its members, who may come back, and those who waited already.
  std::size_t expected_ = 1;
  std::uint64_t gather_until_ns_ = 0;  // The next group is not waited for any longer.
};

}  // namespace firn::lsm
