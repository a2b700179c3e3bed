// Keeps the tree in shape behind the writers: turns full memtables into tables, merges tables, records every change in
// the manifest and then lets go of what it replaced; and tells writers how fast they may be.
//
// Order on the device (RELIABILITY F4): a table's bytes, then its name, then the manifest edit that lists it, then the
// removal of what the edit dropped.
//
// Thread safety: any thread, except rotate() (Committer's mutex held) and recovery's calls before start().
// Background errors: a failed flush is retried (its memtable stays readable); a failed compaction leaves its inputs as
// they are and is not tried again with a table that is damaged; a failed manifest is begun anew. Where space runs out,
// the last of it is kept for this work, and writers that add data are refused (lsm/space.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compaction/flush.h"
#include "compaction/job.h"
#include "compaction/picker.h"
#include "firn/health.h"
#include "lsm/core.h"
#include "lsm/log_set.h"
#include "lsm/manifest.h"
#include "lsm/write_gate.h"
#include "platform/sync.h"

namespace firn::lsm {

// The tables of a compaction's plan with their levels, in the plan's order.
using PlanTables = std::vector<std::pair<int, std::shared_ptr<TableFile>>>;

class Maintenance {
 public:
  static constexpr std::uint64_t kRetryNs = 1'000'000'000;  // After an error that may go away, such as a full disk.

  Maintenance(Core& core, std::unique_ptr<Manifest> manifest, WriteGate& gate);
  ~Maintenance();

  // Who holds records that were never logged, or not yet durable: asked before a flush is recorded.
  void attach_log(LogSet& log) { log_ = &log; }

  // --- Families.
  // Makes the state of a family that the manifest knows, with its tables, and adds it to the set.
  void adopt_family(std::uint32_t id, const FamilyRecord& record);
  Result<Family> create_family(const std::string& name, const FamilyOptions& options);
  Status drop_family(FamilyState& family);

  // --- Memtables. Committer's mutex is held.
  // Makes the active memtable immutable, gives the family a new one and sees to its flush.
  void rotate(FamilyState& family);
  // Sets the pace of writers by how full memtables are now. Not where another thread has the lock, for which a writer
  // does not wait: the next time is not far.
  void renew_pace();
  // The family with most in its active memtable; null when all are empty.
  FamilyState* fullest_family() const;
  // Whether a family beside `family` has anything in its active memtable.
  bool others_unflushed(const FamilyState& family) const;
  // The family whose unflushed data is oldest; null when there is none.
  FamilyState* oldest_family() const;

  // --- Log segments, for LogSet.
  Result<std::vector<PreparedSegment>> prepare_segments(std::size_t count, std::uint64_t capacity_bytes);
  std::uint64_t manifest_edit() const { return manifest_->edit_number(); }

  // --- Work on demand. All wait; none under a lock.
  // Until every immutable memtable of `family` is in tables. The first error of a flush is the answer.
  Status wait_flushed(FamilyState& family);
  // Who wrote to `family` has come to an end, it seems: somebody asked for a flush, and that is done.
  void note_rest(FamilyState& family);
  Status compact_range(FamilyState& family, Slice from, Slice to);
  Status wait_idle();
  // Reads of `family` ask for a merge.
  void hear_reads(const FamilyState& family);

  // Lets background work begin.
  void start(Executor& executor);
  // Ends background work: compactions are cut short, a running flush finishes.
  void stop();
  // Now: to be asked for before tables are made.
  DirectoryNames::Mark mark_names() const { return manifest_->names().mark(); }
  // Writes every immutable memtable to tables on this thread, recorded by one edit that ends the log too: all families
  // are in tables and `ended_segments` are gone, or nothing has changed. `closing`: the edit says too that the database
  // was closed properly. No edit is written where it would say nothing new. Precondition: no write and no flush runs.
  Status flush_together(const std::vector<std::uint64_t>& ended_segments, bool closing);
  // Its halves, for recovery, which has its entries elsewhere than in memtables.
  // Any thread. Tables of L0 with all `count` entries of a run, not yet part of anything; none after an error.
  Result<compaction::CompactionOutcome> write_tables(const FamilyState& family, std::unique_ptr<Cursor> entries,
                                                     std::uint64_t count);
  struct NewTables {
    FamilyState* family = nullptr;
    std::vector<TableMeta> tables;
    std::vector<ValueMeta> values;  // Value files made with them.
    Sequence flushed = 0;           // Up to here the family is in tables; 0: as it was.
    std::size_t memtables = 0;      // So many of the immutable ones, the oldest, are in them.

    // What was written after it; its last entry has sequence `up_to`.
    void add(const std::vector<TableMeta>& new_tables, const std::vector<ValueMeta>& new_values, Sequence up_to);
  };
  // Precondition: the tables were made after `made_after`. After an error they are removed, once it is certain that
  // they do not count.
  Status install_together(const std::vector<NewTables>& families, DirectoryNames::Mark made_after,
                          const std::vector<std::uint64_t>& ended_segments, bool closing);
  void remove_tables(const std::vector<NewTables>& families);
  // No flush begins until let_flushes_go(). False when one runs and `wait` is not set.
  bool hold_flushes(bool wait);
  void let_flushes_go();
  // Tries at once what failed, and waits for the flushes of it.
  Status retry();
  // Makes the edit of a flush_together() that closed the database one that must be there at the next open.
  Status vouch_for_close();

  // Reads manifest and log again and checks every checksum.
  Status verify_metadata();

  FamilyProperties properties(const FamilyState& family) const;
  // The worst error of background work that has not been made good.
  Health health() const;

 private:
  // What is going on in one family.
  struct Work {
    FamilyState* family = nullptr;
    bool flushing = false;
    bool queued = false;                    // In compaction_queue_.
    bool writers_ended = false;             // Somebody asked for a flush, and no memtable became immutable since.
    Sequence written_since = kSequenceMax;  // As in compaction::FamilyShape. At first: nothing was.
    std::uint64_t debt_bytes = 0;
    std::uint64_t l0_tables = 0;             // As many as full memtables would have made.
    double replaced_share = 0;               // As in compaction::FamilyShape,
    Sequence share_known_at = 0;             // when this was the newest entry.
    double meanwhile = 0.75;                 // As in compaction::full_memtable_bytes(); at first a guess.
    std::set<std::uint64_t> busy_tables;     // Inputs of running compactions.
    std::set<std::uint64_t> damaged_tables;  // Left alone: a compaction met damage in them.
    std::set<std::uint64_t> damaged_values;  // Likewise.
    std::vector<compaction::RunningCompaction> running;
    Status flush_error;       // Of the last attempt.
    Status compaction_error;  // Likewise.
    Status damage;            // The first that a compaction met.
  };

  // maintenance.cc; mutex_ held
  Work& work_of(const FamilyState& family);
  const Work& work_of(const FamilyState& family) const;
  compaction::FamilyShape shape_of(const Work& work, const Version& version) const;
  void reconsider(Work& work);  // After any change of the family's shape: schedules and sets the pace.
  void schedule_compactions();
  void set_pace();
  bool idle() const;
  Status trouble() const;
  // Adds to `retired` what is not to be seen any more; to be retired without the lock.
  void install(Work& work, const ReadView* view, std::vector<const ReadView*>& retired);

  // maintenance_tables.cc
  Result<compaction::OutputTable> create_table(const FamilyState& family, int level);
  // manifest_mutex_ held. `new_files`: those that `edit` adds; removed if it fails, once that is certain.
  Status record(VersionEdit edit, const std::vector<std::string>& new_files = {});
  // Segments of the log that leave with an edit. Their files are closed and removed when manifest_mutex_ is free again:
  // that takes a device its time, and the next flush or a writer that needs a segment may wait for the lock.
  struct EndedLog {
    std::vector<std::uint64_t> ids;
    std::vector<std::shared_ptr<wal::SegmentWriter>> closing;
  };
  // As record(), for an edit that ends log segments too; `ended` gets the ids of those that it ends.
  Status record_end(VersionEdit edit, const std::vector<std::uint64_t>& ended_segments,
                    const std::vector<std::string>& new_files, EndedLog& ended);
  void remove_segments(EndedLog& ended);
  Status sync_table_names(DirectoryNames::Mark made_after);
  // Begins a new manifest where the last edit failed, so that its outcome is known.
  Status settle_manifest();
  Status release_log();
  std::vector<std::uint64_t> releasable_log(const MemTable* flushed) const;
  // Looks how much space there is and sets the pace of writers accordingly; again later while there is too little.
  void watch_space();

  // maintenance_values.cc
  // What adopt_outputs() made: value files are held here until tables hold them.
  struct NewFiles {
    std::vector<std::string> paths;
    std::vector<std::shared_ptr<ValueHolder>> values;
  };
  // `emptied`: value files whose live values are to be moved.
  compaction::ValueTask value_task(const FamilyState& family, std::vector<std::uint64_t> emptied);
  // Of a job that failed before its edit was tried.
  void remove_outputs(const compaction::CompactionOutcome& outcome);
  // Adds what a job has written to `edit` and `change`.
  NewFiles adopt_outputs(const FamilyState& family, int level, const std::vector<TableMeta>& tables,
                         const std::vector<ValueMeta>& values, VersionEdit& edit, VersionChange& change);
  // Their family was dropped meanwhile.
  static void abandon(const VersionChange& change, const NewFiles& files);
  // manifest_mutex_ held; the edit that removed `tables` is recorded: value files that left with them go when the last
  // reader has gone.
  void retire_values(const FamilyState& family, const std::vector<std::shared_ptr<TableFile>>& tables);

  // maintenance_flush.cc
  std::unique_ptr<MemTable> make_memtable(const Work& work) const;
  void retire_rotated_views();
  void submit_flush(Work& work);
  void start_waiting_flush();
  void background_flush(Work& work);
  Status flush_oldest(Work& work);
  Status sync_log_before(const FamilyState& family);
  void release_chunks_when_idle();
  void note_meanwhile(Work& work, const MemTable& flushed) const;
  Status install_flush(Work& work, std::shared_ptr<MemTable> memtable, const compaction::CompactionOutcome& outcome);

  // maintenance_together.cc
  Result<NewTables> write_memtables(FamilyState& family);
  bool is_recorded(const VersionEdit& edit) const;
  void adopt_tables(const NewTables& of, const VersionChange& change, std::vector<const ReadView*>& retired);

  // maintenance_compaction.cc
  void background_compaction(Work& work);
  std::optional<compaction::CompactionPlan> pick(Work& work, MutexLock& lock);
  void begin(Work& work, const compaction::CompactionPlan& plan);
  void finish(Work& work, const compaction::CompactionPlan& plan, const Status& status);
  Status run_plan(Work& work, const compaction::CompactionPlan& plan);
  Status install_compaction(Work& work, VersionEdit edit, const VersionChange& change, const NewFiles& new_files,
                            const std::vector<std::shared_ptr<TableFile>>& replaced);

  // maintenance_merge.cc
  struct Merge;
  Result<compaction::CompactionOutcome> merge(const FamilyState& family, const compaction::CompactionPlan& plan,
                                              const PlanTables& tables);
  std::size_t parts_of(const compaction::CompactionPlan& plan) const;
  void ask_for_help(const std::shared_ptr<Merge>& merge);
  enum class Helper : std::uint8_t { kNone, kThread, kFlushThread };
  void work_on(const std::shared_ptr<Merge>& merge, Helper who);
  compaction::CompactionOutcome merge_part(Merge& merge, std::size_t part, bool on_flush_thread);
  void let_flushes_write();

  // User bytes a second of a job that began at `start_ns`.
  std::uint64_t rate(std::uint64_t bytes, std::uint64_t start_ns) const;

  Core& core_;
  WriteGate& gate_;
  LogSet* log_ = nullptr;
  Executor* executor_ = nullptr;

  // Held over manifest writes: versions change one at a time, in the order of the edits.
  Mutex manifest_mutex_;
  const std::unique_ptr<Manifest> manifest_;
  std::vector<std::string> doubtful_files_;  // Added by edits that failed: they count, or not, until one succeeds.
  bool manifest_failed_ = false;             // The last edit did.

  mutable Mutex mutex_;
  CondVar changed_;  // A job ended, or work was stopped.
  // Guarded by mutex_:
  std::map<std::uint32_t, std::unique_ptr<Work>> works_;  // By family id.
  std::deque<Work*> compaction_queue_;
  std::uint32_t compactions_running_ = 0;          // In the background.
  Sequence sequence_at_last_part_ = kSequenceMax;  // What was visible when a part of a merge was taken last.
  std::vector<const ReadView*> rotated_views_;     // Replaced by rotate(), not yet retired.
  std::uint32_t flushes_running_ = 0;              // Submitted or running.
  std::deque<Work*> flush_queue_;                  // Submitted.
  std::atomic<bool> flush_waiting_{false};         // Whether there are any: written under mutex_, read without.
  std::atomic<std::uint32_t> flushes_writing_{0};  // Their tables: written under mutex_; merges ask without.
  bool merges_press_ = false;                      // Writers will soon be slowed for want of them.
  std::atomic<bool> stopping_{false};              // Written under mutex_; compactions ask without.
  Status manifest_error_;                          // Of the last edit.
  Status space_;                                   // kNoSpace while too little is free.
  bool watching_space_ = false;
  std::uint64_t flush_bytes_per_second_ = 0;
  std::uint64_t compaction_bytes_per_second_ = 0;
};

}  // namespace firn::lsm
