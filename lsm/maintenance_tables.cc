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

Status Maintenance::sync_table_names() {
  return FIRN_PLANTED_BUG(table_name_not_synced) ? Status() : core_.files.sync_directory(core_.directory);
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

Result<PreparedSegment> Maintenance::prepare_segment(std::uint64_t capacity_bytes) {
  if (Status status = settle_manifest(); !status.ok()) return status;
  const std::uint64_t id = core_.take_file_id();
  const std::string path = segment_path(core_.directory, id);
  auto file = core_.files.create_log(path, capacity_bytes);
  if (!file.ok()) return file.status();
  // Its size too: a shorter file is damage from then on.
  Status status = (*file)->sync();
  if (status.ok() && !FIRN_PLANTED_BUG(log_name_not_synced)) status = core_.files.sync_directory(core_.directory);
  if (!status.ok()) {
    core_.store->remove(path);
    return status;
  }
  {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    edit.log_segments_added.push_back(id);
    status = record(std::move(edit), {path});
  }
  if (!status.ok()) return status;
  watch_space();
  return PreparedSegment{id, std::move(file).value()};
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
  MutexLock turn(manifest_mutex_);
  // Read first: a record that is visible is in a memtable below, one that is not is newer than this.
  Sequence needed = core_.visible_sequence.load(std::memory_order_acquire) + 1;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, work] : works_) {
      if (FIRN_PLANTED_BUG(log_deleted_early)) break;
      if (!work->family->dropped()) needed = std::min(needed, work->family->view()->oldest_unflushed());
    }
  }
  // In the order of the log, also after a failure: a segment must not be listed whose successor no longer is.
  const std::vector<std::uint64_t> released = log_->releasable(needed);
  if (released.empty()) return {};
  if (FIRN_PLANTED_BUG(log_forgotten_early)) log_->forget(released);
  if (Status status = record_end({}, released, {}); !status.ok()) return status;
  log_->forget(released);
  return {};
}

Status Maintenance::record_end(VersionEdit edit, const std::vector<std::uint64_t>& ended_segments,
                               const std::vector<std::string>& new_files) {
  std::vector<std::uint64_t> gone;  // Some may be gone already, by another thread that released the log.
  for (const std::uint64_t id : ended_segments) {
    if (manifest_->state().log_segments.contains(id)) gone.push_back(id);
  }
  const auto remove_files = [&] {
    for (const std::uint64_t id : gone) core_.store->remove(segment_path(core_.directory, id));
  };
  if (FIRN_PLANTED_BUG(log_deleted_before_edit)) remove_files();
  edit.log_segments_removed = gone;
  if (Status status = record(std::move(edit), new_files); !status.ok()) return status;
  remove_files();
  return {};
}

}  // namespace firn::lsm
