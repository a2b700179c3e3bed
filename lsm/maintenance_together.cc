// Maintenance: all memtables into tables at once, recorded together with the end of the log. How a database is closed,
// how recovery ends, and how service goes on after the log failed: the one edit decides what of the log counts.

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"

namespace firn::lsm {

// One family's share.
struct Maintenance::Together {
  Work* work = nullptr;
  ReadView::MemTables memtables;  // Newest first, as in the view.
  std::vector<TableMeta> tables;
};

Status Maintenance::flush_together(const std::vector<std::uint64_t>& ended_segments, bool closing) {
  std::vector<Together> families;
  for (FamilyState* family : core_.families.live()) {
    const ViewRef view = family->pin();
    MutexLock lock(mutex_);
    families.push_back({&work_of(*family), view->immutables(), {}});
  }
  if (Status status = write_together(families); !status.ok()) return status;
  return install_together(families, ended_segments, closing);
}

bool Maintenance::hold_flushes(bool wait) {
  MutexLock lock(mutex_);
  while (flushes_running_ != 0) {
    if (!wait) return false;
    changed_.wait(mutex_);
  }
  ++flushes_running_;
  for (auto& [id, work] : works_) work->flushing = true;
  return true;
}

void Maintenance::let_flushes_go() {
  MutexLock lock(mutex_);
  --flushes_running_;
  for (auto& [id, work] : works_) work->flushing = false;
  for (auto& [id, work] : works_) reconsider(*work);
}

Status Maintenance::write_together(std::vector<Together>& families) {
  Status status;
  std::vector<std::uint64_t> created;
  for (Together& family : families) {
    for (auto memtable = family.memtables.rbegin(); status.ok() && memtable != family.memtables.rend(); ++memtable) {
      auto outcome = write_tables(*family.work->family, **memtable);
      status = outcome.status();
      if (!status.ok()) break;
      family.tables.insert(family.tables.end(), outcome->tables.begin(), outcome->tables.end());
      created.insert(created.end(), outcome->created.begin(), outcome->created.end());
      core_.counters.flushes.fetch_add(1, std::memory_order_relaxed);
      core_.counters.flush_bytes_written.fetch_add(outcome->counts.bytes_written, std::memory_order_relaxed);
    }
  }
  if (status.ok() && !created.empty()) status = sync_table_names();
  if (!status.ok()) remove_outputs(created);
  return status;
}

Status Maintenance::install_together(const std::vector<Together>& families,
                                     const std::vector<std::uint64_t>& ended_segments, bool closing) {
  std::vector<const ReadView*> retired;
  {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    std::vector<std::string> new_files;
    edit.last_sequence = core_.visible_sequence.load(std::memory_order_acquire);
    if (closing) edit.clean_close = CleanClose{{}, *edit.last_sequence};
    for (const Together& family : families) {
      const std::uint32_t id = family.work->family->id();
      for (const TableMeta& meta : family.tables) new_files.push_back(table_path(core_.directory, meta.id));
      if (family.work->family->dropped()) continue;
      for (const TableMeta& meta : family.tables) edit.tables_added.push_back({id, 0, meta});
      if (!family.memtables.empty()) edit.flushed.push_back({id, family.memtables.front()->largest_sequence()});
    }
    if (ended_segments.empty() && is_recorded(edit)) return {};
    if (Status status = record_end(std::move(edit), ended_segments, new_files); !status.ok()) return status;
    for (const Together& family : families) adopt_tables(family, retired);
  }
  for (const ReadView* view : retired) retire_view(view);
  return {};
}

// manifest_mutex_ held. A manifest that is settled and says the same needs no edit: a database that was closed properly
// is opened, and closed again if nothing was written, without a sync. Ids count too: none is used a second time.
bool Maintenance::is_recorded(const VersionEdit& edit) const {
  const ManifestState& state = manifest_->state();
  if (!manifest_->settled() || !leaving_segments_.empty()) return false;
  if (!edit.tables_added.empty() || !edit.flushed.empty()) return false;
  if (edit.clean_close.has_value() && !state.clean_close.has_value()) return false;
  return state.last_sequence == *edit.last_sequence &&
         state.next_file_id == core_.next_file_id.load(std::memory_order_relaxed);
}

void Maintenance::adopt_tables(const Together& family, std::vector<const ReadView*>& retired) {
  const bool dropped = family.work->family->dropped();
  VersionChange change;
  for (const TableMeta& meta : family.tables) {
    change.added.push_back({0, std::make_shared<TableFile>(core_.store, meta)});
    if (dropped) change.added.back().table->mark_obsolete();
  }
  MutexLock lock(mutex_);
  family.work->flush_error = Status();
  if (dropped || family.memtables.empty()) return;
  const ReadView& now = *family.work->family->view();
  ReadView::MemTables immutables = now.immutables();
  immutables.resize(immutables.size() - family.memtables.size());
  install(*family.work, new ReadView(now.active(), std::move(immutables), next_version(*now.version(), change)),
          retired);
}

}  // namespace firn::lsm
