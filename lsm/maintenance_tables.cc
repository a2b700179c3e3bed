// Maintenance: table files, log segments and the manifest.

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"
#include "lsm/space.h"
#include "platform/planted_bug.h"
#include "wal/replay.h"

namespace firn::lsm {

Result<compaction::OutputTable> Maintenance::create_table(const FamilyState& family, int level) {
  const std::uint64_t id = core_.take_file_id();
  auto file = core_.files.open(table_path(core_.directory, id), OpenMode::kCreate, FileKind::kTable);
  if (!file.ok()) return file.status();
  const Compression codec = core_.compression_of(family)[static_cast<std::size_t>(level)];
  TableOptions options;
  options.block_bytes = static_cast<std::uint32_t>(block_bytes_for(core_.options, core_.sizes, codec));
  options.filter_bits_per_key = family.options().filter_bits_per_key;
  options.compression = codec;
  auto builder = std::make_unique<TableBuilder>(**file, id, options);
  return compaction::OutputTable{id, std::move(file).value(), std::move(builder)};
}

Status Maintenance::sync_table_names(DirectoryNames::Mark made_after) {
  return FIRN_PLANTED_BUG(table_name_not_synced) ? Status() : manifest_->names().sync(made_after);
}

Status Maintenance::record(VersionEdit edit, const std::vector<std::string>& new_files) {
  edit.next_file_id = core_.next_file_id.load(std::memory_order_relaxed);
  if (log_ != nullptr) edit.log_durable = log_->durable_end();
  if (edit.log_durable == manifest_->state().log_durable) edit.log_durable.reset();
  Status status = manifest_->append(std::move(edit));
  const bool failed_before = std::exchange(manifest_failed_, !status.ok());
  if (status.ok()) {
    // What failed before is undone for good.
    for (const std::string& path : std::exchange(doubtful_files_, {})) core_.store->remove(path);
  } else {
    doubtful_files_.insert(doubtful_files_.end(), new_files.begin(), new_files.end());
  }
  if (status.ok() && !failed_before) return status;
  MutexLock lock(mutex_);
  manifest_error_ = status;
  if (!status.ok() && executor_ != nullptr && !stopping_) {
    executor_->submit_after(kRetryNs, [this] { static_cast<void>(settle_manifest()); });
  }
  return status;
}

Status Maintenance::settle_manifest() {
  MutexLock turn(manifest_mutex_);
  return manifest_failed_ && !stopping_ ? record({}) : Status();
}

void Maintenance::watch_space() {
  const Status space = check_space(core_.files, core_.directory, core_.sizes);
  MutexLock lock(mutex_);
  space_ = space;
  set_pace();
  if (space.ok() || watching_space_ || stopping_ || executor_ == nullptr) return;
  watching_space_ = true;
  executor_->submit_after(kRetryNs, [this] {
    {
      MutexLock retry(mutex_);
      watching_space_ = false;
    }
    watch_space();
  });
}

Result<std::vector<PreparedSegment>> Maintenance::prepare_segments(std::size_t count, std::uint64_t capacity_bytes) {
  if (Status status = settle_manifest(); !status.ok()) return status;
  const DirectoryNames::Mark before = mark_names();
  std::vector<PreparedSegment> segments;
  std::vector<std::string> paths;
  Status status;
  while (segments.size() < count) {
    const std::uint64_t id = core_.take_file_id();
    auto file = core_.files.create_log(segment_path(core_.directory, id), capacity_bytes);
    if (!file.ok() && segments.empty()) return file.status();
    if (!file.ok()) break;  // There is space for some of them.
    paths.push_back((*file)->path());
    segments.push_back({id, std::move(file).value()});
  }
  // Their sizes too: a shorter file is damage from then on.
  for (std::size_t i = 0; status.ok() && i < segments.size(); ++i) status = segments[i].file->sync();
  if (status.ok() && !FIRN_PLANTED_BUG(log_name_not_synced)) status = manifest_->names().sync(before);
  if (!status.ok()) {
    for (const std::string& path : paths) core_.store->remove(path);
    return status;
  }
  {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    for (const PreparedSegment& segment : segments) edit.log_segments_added.push_back(segment.id);
    status = record(std::move(edit), paths);
  }
  if (!status.ok()) return status;
  watch_space();
  return segments;
}

Status Maintenance::verify_metadata() {
  MutexLock turn(manifest_mutex_);
  auto manifest = Manifest::recover(core_.files, core_.directory);
  if (!manifest.ok()) return manifest.status();
  auto request = (*manifest)->replay_request();
  if (!request.ok()) return request.status();
  RecoveryReport ignored;
  return wal::replay(
      core_.files, *request, [](const wal::Record&, const wal::RecordSource&) { return Status(); }, ignored);
}

Status Maintenance::release_log() {
  if (log_ == nullptr) return {};
  EndedLog ended;
  {
    MutexLock turn(manifest_mutex_);
    const std::vector<std::uint64_t> released = releasable_log(nullptr);
    if (released.empty()) return {};
    if (Status status = record_end({}, released, {}, ended); !status.ok()) return status;
    ended.closing = log_->forget(released);
  }
  remove_segments(ended);
  return {};
}

// manifest_mutex_ held. Segments whose records are all in tables when `flushed` is, the oldest memtable of its family
// (or null).
std::vector<std::uint64_t> Maintenance::releasable_log(const MemTable* flushed) const {
  if (log_ == nullptr) return {};
  // Read first: a record that is visible is in a memtable below, one that is not is newer than this.
  Sequence needed = core_.visible_sequence.load(std::memory_order_acquire) + 1;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, work] : works_) {
      if (FIRN_PLANTED_BUG(log_deleted_early)) break;
      if (!work->family->dropped()) needed = std::min(needed, work->family->view()->oldest_unflushed(flushed));
    }
  }
  // In the order of the log, also after a failure: a segment must not be listed whose successor no longer is.
  std::vector<std::uint64_t> released = log_->releasable(needed);
  if (FIRN_PLANTED_BUG(log_forgotten_early)) static_cast<void>(log_->forget(released));
  return released;
}

Status Maintenance::record_end(VersionEdit edit, const std::vector<std::uint64_t>& ended_segments,
                               const std::vector<std::string>& new_files, EndedLog& ended) {
  for (const std::uint64_t id : ended_segments) {
    // Some may be gone already, by another thread that released the log.
    if (manifest_->state().log_segments.contains(id)) ended.ids.push_back(id);
  }
  if (FIRN_PLANTED_BUG(log_deleted_before_edit)) {
    for (const std::uint64_t id : ended.ids) static_cast<void>(core_.files.remove(segment_path(core_.directory, id)));
  }
  edit.log_segments_removed = ended.ids;
  return record(std::move(edit), new_files);
}

void Maintenance::remove_segments(EndedLog& ended) {
  // First, for whoever closes a file that is removed waits for the device as its remover would.
  ended.closing.clear();
  for (const std::uint64_t id : ended.ids) core_.store->remove(segment_path(core_.directory, id));
}

}  // namespace firn::lsm
