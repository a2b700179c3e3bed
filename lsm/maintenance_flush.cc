// Maintenance: memtables, from empty ones to tables of L0.

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

constexpr std::uint64_t kChunksKeptNs = 2'000'000'000;

}  // namespace

std::unique_ptr<MemTable> Maintenance::make_memtable(const Work& work) const {
  // Keys of one family tend to go on sharing what they share now.
  const ReadView* view = work.family->view();
  std::string prefix = view == nullptr ? std::string() : view->active()->common_prefix_sample();
  const std::uint64_t full = compaction::full_memtable_bytes(core_.sizes.memtable_bytes, work.meanwhile);
  return std::make_unique<MemTable>(full, std::move(prefix), core_.chunks);
}

void Maintenance::rotate(FamilyState& family) {
  std::vector<const ReadView*> retired;
  {
    MutexLock lock(mutex_);
    const ReadView& now = *family.view();
    Work& work = work_of(family);
    if (std::exchange(work.writers_ended, false) || work.written_since == kSequenceMax) {
      work.written_since = now.active()->smallest_sequence();
    }
    std::shared_ptr<MemTable> fresh = make_memtable(work);
    ReadView::MemTables immutables{now.active()};
    immutables.insert(immutables.end(), now.immutables().begin(), now.immutables().end());
    family.set_writer_memtable(fresh.get());
    install(work, new ReadView(std::move(fresh), std::move(immutables), now.version()), retired);
    submit_flush(work);
    set_pace();
    if (executor_ != nullptr && !stopping_) {
      // Not by the writer: with a view that others retired the last holder of a table may go, and its file. By whoever
      // comes first: a flush that lets go of its memtable must not leave it to a view that waits for a thread.
      rotated_views_.swap(retired);
      executor_->submit(TaskPriority::kHigh, [this] { retire_rotated_views(); });
      return;
    }
  }
  for (const ReadView* view : retired) retire_view(view);
}

void Maintenance::retire_rotated_views() {
  std::vector<const ReadView*> retired;
  {
    MutexLock lock(mutex_);
    retired.swap(rotated_views_);
  }
  for (const ReadView* view : retired) retire_view(view);
}

void Maintenance::submit_flush(Work& work) {
  if (executor_ == nullptr || stopping_ || work.flushing || work.family->view()->immutables().empty()) return;
  work.flushing = true;
  ++flushes_running_;
  flush_queue_.push_back(&work);
  flush_waiting_.store(true, std::memory_order_relaxed);
  executor_->submit(TaskPriority::kHigh, [this] { start_waiting_flush(); });
}

// On a thread of its own, or between two rows of a compaction that has the thread kept for flushes.
void Maintenance::start_waiting_flush() {
  Work* work = nullptr;
  {
    MutexLock lock(mutex_);
    if (flush_queue_.empty()) return;
    work = flush_queue_.front();
    flush_queue_.pop_front();
    flush_waiting_.store(!flush_queue_.empty(), std::memory_order_relaxed);
  }
  background_flush(*work);
}

void Maintenance::background_flush(Work& work) {
  const Status status = flush_oldest(work);
  watch_space();
  MutexLock lock(mutex_);
  work.flushing = false;
  --flushes_running_;
  work.flush_error = status;
  if (status.ok()) {
    reconsider(work);
    if (!stopping_) release_chunks_when_idle();
    return;
  }
  set_pace();
  changed_.notify_all();
  if (stopping_) return;
  executor_->submit_after(kRetryNs, [this, &work] {
    MutexLock retry(mutex_);
    submit_flush(work);
  });
}

// mutex_ held. Memory waits for the next memtable only while one follows the other.
void Maintenance::release_chunks_when_idle() {
  executor_->submit_after(kChunksKeptNs, [this, flushes = core_.counters.flushes.load(std::memory_order_relaxed)] {
    if (core_.counters.flushes.load(std::memory_order_relaxed) == flushes) core_.chunks->keep(0);
  });
}

Result<compaction::CompactionOutcome> Maintenance::write_tables(const FamilyState& family,
                                                                std::unique_ptr<Cursor> entries, std::uint64_t count) {
  compaction::FlushTask task;
  task.memtable = std::move(entries);
  task.snapshots = core_.snapshots->sequences();
  task.expected_entries = count;
  task.values = value_task(family, {});
  task.create_table = [&] { return create_table(family, 0); };
  task.should_stop = [] { return false; };  // Bounded by a memtable; close needs it done in any case.
  compaction::CompactionOutcome outcome = compaction::run_flush(std::move(task));
  if (!outcome.status.ok()) {
    remove_outputs(outcome);
    return std::move(outcome.status);
  }
  core_.counters.flushes.fetch_add(1, std::memory_order_relaxed);
  core_.counters.flush_bytes_written.fetch_add(outcome.counts.bytes_written, std::memory_order_relaxed);
  return outcome;
}

Status Maintenance::flush_oldest(Work& work) {
  FamilyState& family = *work.family;
  std::shared_ptr<MemTable> memtable;
  {
    const ViewRef view = family.pin();
    if (view->immutables().empty()) return {};
    memtable = view->immutables().back();
  }
  if (Status status = settle_manifest(); !status.ok()) return status;
  const std::uint64_t start = core_.platform.clock->monotonic_ns();
  const DirectoryNames::Mark before = mark_names();
  {
    MutexLock lock(mutex_);
    ++flushes_writing_;
  }
  auto outcome = write_tables(family, memtable->cursor(), memtable->entries());
  {
    MutexLock lock(mutex_);
    --flushes_writing_;
    changed_.notify_all();
  }
  if (!outcome.ok()) return outcome.status();
  Status status = sync_table_names(before);
  if (status.ok()) status = sync_log_before(family);
  if (!status.ok()) {
    remove_outputs(*outcome);
    return status;
  }
  if (status = install_flush(work, std::move(memtable), *outcome); !status.ok()) return status;
  {
    MutexLock lock(mutex_);
    flush_bytes_per_second_ = rate(outcome->counts.bytes_read, start);
  }
  return {};
}

Status Maintenance::sync_log_before(const FamilyState& family) {
  // The table will outlive a power loss. So must what was written before it to other families, and the other halves of
  // batches, or recovery would not give a prefix of the commit order (contract A2, A3). The other half of the newest
  // batch may be newer than all of the table, so anything that another family has in memory only is reason enough.
  if (log_ == nullptr || FIRN_PLANTED_BUG(flush_before_log)) return {};
  bool others = false;
  {
    MutexLock lock(mutex_);
    others = std::any_of(works_.begin(), works_.end(), [&](const auto& item) {
      const FamilyState& other = *item.second->family;
      return &other != &family && !other.dropped() && other.view()->oldest_unflushed() != kSequenceMax;
    });
  }
  return others ? log_->sync() : Status();
}

// mutex_ held.
void Maintenance::note_meanwhile(Work& work, const MemTable& flushed) const {
  const ReadView& now = *work.family->view();
  std::uint64_t bytes = now.active()->memory_bytes();
  for (const auto& memtable : now.immutables()) bytes += memtable.get() == &flushed ? 0 : memtable->memory_bytes();
  // What it gives back the present memtable and the next will need, if the present one has begun to fill. All of it is
  // in memory now, so keeping it makes no peak.
  core_.chunks->keep(std::min(flushed.memory_bytes(), 4 * bytes));
  // More than before counts at once, less only by and by: one slow flush is followed by others.
  const double meanwhile = static_cast<double>(bytes) / static_cast<double>(flushed.memory_bytes());
  work.meanwhile = std::max(meanwhile, (work.meanwhile + meanwhile) / 2);
}

// Lets go of `memtable`, which is much memory, before it removes files.
Status Maintenance::install_flush(Work& work, std::shared_ptr<MemTable> memtable,
                                  const compaction::CompactionOutcome& outcome) {
  FamilyState& family = *work.family;
  std::vector<const ReadView*> retired;
  EndedLog ended;
  {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    VersionChange change;
    const NewFiles new_files = adopt_outputs(family, 0, outcome.tables, outcome.values.files, edit, change);
    if (family.dropped()) {
      abandon(change, new_files);
      return {};
    }
    edit.flushed.push_back({family.id(), memtable->largest_sequence()});
    edit.last_sequence = std::max(manifest_->state().last_sequence, memtable->largest_sequence());
    // The records that were needed for this memtable's sake alone go with the same edit.
    const std::vector<std::uint64_t> released = releasable_log(memtable.get());
    if (Status status = record_end(std::move(edit), released, new_files.paths, ended); !status.ok()) return status;
    if (log_ != nullptr) ended.closing = log_->forget(released);
    MutexLock lock(mutex_);
    const ReadView& now = *family.view();
    note_meanwhile(work, *memtable);
    ReadView::MemTables immutables = now.immutables();
    immutables.pop_back();
    install(work, new ReadView(now.active(), std::move(immutables), next_version(*now.version(), change)), retired);
  }
  memtable.reset();
  for (const ReadView* view : retired) retire_view(view);
  remove_segments(ended);
  return {};
}

}  // namespace firn::lsm
