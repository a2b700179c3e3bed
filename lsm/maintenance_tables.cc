// Maintenance: table files, log segments and the manifest.

#include "lsm/file_names.h"
#include "lsm/maintenance.h"
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

void Maintenance::remove_outputs(const std::vector<std::uint64_t>& ids) {
  for (const std::uint64_t id : ids) core_.store->remove(table_path(core_.directory, id));
}

Status Maintenance::record(VersionEdit edit) {
  edit.next_file_id = core_.next_file_id.load(std::memory_order_relaxed);
  return manifest_->append(std::move(edit));
}

Result<PreparedSegment> Maintenance::prepare_segment(std::uint64_t capacity_bytes) {
  const std::uint64_t id = core_.take_file_id();
  const std::string path = segment_path(core_.directory, id);
  auto file = core_.files.create_log(path, capacity_bytes);
  if (!file.ok()) return file.status();
  Status status = FIRN_PLANTED_BUG(log_name_not_synced) ? Status() : core_.files.sync_directory(core_.directory);
  if (status.ok()) {
    MutexLock turn(manifest_mutex_);
    VersionEdit edit;
    edit.log_segments_added.push_back(id);
    status = record(std::move(edit));
  }
  // After an error the manifest may or may not list the segment: the file stays, the next open sorts it out.
  if (!status.ok()) return status;
  return PreparedSegment{id, std::move(file).value()};
}

Status Maintenance::remove_segments(const std::vector<std::uint64_t>& ids) {
  MutexLock turn(manifest_mutex_);
  return forget_segments(ids);
}

Status Maintenance::forget_segments(const std::vector<std::uint64_t>& ids) {
  // In the order of the log, also after a failure: a segment must not be listed whose successor no longer is.
  leaving_segments_.insert(leaving_segments_.end(), ids.begin(), ids.end());
  if (leaving_segments_.empty()) return {};
  const auto remove_files = [this] {
    for (const std::uint64_t id : leaving_segments_) core_.store->remove(segment_path(core_.directory, id));
  };
  if (FIRN_PLANTED_BUG(log_deleted_before_edit)) remove_files();
  VersionEdit edit;
  edit.log_segments_removed = leaving_segments_;
  if (Status status = record(std::move(edit)); !status.ok()) return status;
  remove_files();
  leaving_segments_.clear();
  return {};
}

Status Maintenance::verify_metadata() {
  MutexLock turn(manifest_mutex_);
  auto manifest = Manifest::recover(core_.files, core_.directory);
  if (!manifest.ok()) return manifest.status();
  auto request = (*manifest)->replay_request();
  if (!request.ok()) return request.status();
  request->sync = false;
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
  return forget_segments(log_->release(needed));
}

}  // namespace firn::lsm
