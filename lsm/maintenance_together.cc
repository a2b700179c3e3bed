// Maintenance: all memtables into tables at once, recorded together with the end of the log. How a database is closed,
// how recovery ends, and how service goes on after the log failed: the one edit decides what of the log counts.

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"

namespace firn::lsm {

Status Maintenance::flush_together(const std::vector<std::uint64_t>& ended_segments, bool closing) {
  const DirectoryNames::Mark before = mark_names();
  std::vector<NewTables> families;
  for (FamilyState* family : core_.families.live()) {
    auto tables = write_memtables(*family);
    if (!tables.ok()) {
      remove_tables(families);
      return tables.status();
    }
    families.push_back(std::move(tables).value());
  }
  return install_together(families, before, ended_segments, closing);
}

Result<Maintenance::NewTables> Maintenance::write_memtables(FamilyState& family) {
  const ReadView::MemTables memtables = family.pin()->immutables();  // Newest first.
  NewTables written;
  written.family = &family;
  written.memtables = memtables.size();
  for (auto memtable = memtables.rbegin(); memtable != memtables.rend(); ++memtable) {
    auto outcome = write_tables(family, (*memtable)->cursor(), (*memtable)->entries());
    if (!outcome.ok()) {
      remove_tables({written});
      return outcome.status();
    }
    written.add(outcome->tables, outcome->values.files, (*memtable)->largest_sequence());
  }
  return written;
}

void Maintenance::remove_tables(const std::vector<NewTables>& families) {
  for (const NewTables& family : families) {
    for (const TableMeta& table : family.tables) core_.store->remove(table_path(core_.directory, table.id));
    for (const ValueMeta& values : family.values) core_.store->remove(value_path(core_.directory, values.id));
  }
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

Status Maintenance::install_together(const std::vector<NewTables>& families, DirectoryNames::Mark made_after,
                                     const std::vector<std::uint64_t>& ended_segments, bool closing) {
  const bool none = std::all_of(families.begin(), families.end(), [](const auto& of) { return of.tables.empty(); });
  if (Status status = none ? Status() : sync_table_names(made_after); !status.ok()) {
    remove_tables(families);
    return status;
  }
  std::vector<const ReadView*> retired;
  EndedLog ended;
  {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    std::vector<std::string> new_files;
    edit.last_sequence = core_.visible_sequence.load(std::memory_order_acquire);
    if (closing) edit.clean_close = CleanClose{{}, *edit.last_sequence};
    std::vector<std::pair<VersionChange, NewFiles>> adopted;  // As `families`.
    for (const NewTables& of : families) {
      const bool dropped = of.family->dropped();
      VersionEdit ignored;
      auto& [change, files] = adopted.emplace_back();
      files = adopt_outputs(*of.family, 0, of.tables, of.values, dropped ? ignored : edit, change);
      new_files.insert(new_files.end(), files.paths.begin(), files.paths.end());
      if (!dropped && of.flushed != 0) edit.flushed.push_back({of.family->id(), of.flushed});
    }
    if (ended_segments.empty() && is_recorded(edit)) return {};
    if (Status status = record_end(std::move(edit), ended_segments, new_files, ended); !status.ok()) return status;
    for (std::size_t i = 0; i < families.size(); ++i) {
      const auto& [change, files] = adopted[i];
      if (families[i].family->dropped()) abandon(change, files);
      adopt_tables(families[i], change, retired);
    }
  }
  remove_segments(ended);
  for (const ReadView* view : retired) retire_view(view);
  return {};
}

// manifest_mutex_ held. A manifest that is settled and says the same needs no edit: a database that was closed properly
// is opened, and closed again if nothing was written, without a sync. Ids count too: none is used a second time.
bool Maintenance::is_recorded(const VersionEdit& edit) const {
  const ManifestState& state = manifest_->state();
  if (!manifest_->settled()) return false;
  if (!edit.tables_added.empty() || !edit.flushed.empty()) return false;
  if (edit.clean_close.has_value() && !state.clean_close.has_value()) return false;
  return state.last_sequence == *edit.last_sequence &&
         state.next_file_id == core_.next_file_id.load(std::memory_order_relaxed);
}

void Maintenance::adopt_tables(const NewTables& of, const VersionChange& change,
                               std::vector<const ReadView*>& retired) {
  MutexLock lock(mutex_);
  Work& work = work_of(*of.family);
  work.flush_error = Status();
  if (of.family->dropped() || of.flushed == 0) return;
  const ReadView& now = *of.family->view();
  ReadView::MemTables immutables = now.immutables();
  immutables.resize(immutables.size() - of.memtables);
  install(work, new ReadView(now.active(), std::move(immutables), next_version(*now.version(), change)), retired);
}

}  // namespace firn::lsm
