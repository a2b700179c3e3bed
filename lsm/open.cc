// DbImpl: from a directory to an open database.

#include <algorithm>
#include <compare>
#include <new>
#include <utility>

#include "codec/batch_format.h"
#include "lsm/db_impl.h"
#include "lsm/file_names.h"
#include "lsm/log_tables.h"
#include "lsm/manifest_reader.h"
#include "platform/io.h"
#include "platform/planted_bug.h"
#include "wal/replay.h"

namespace firn {

Result<std::unique_ptr<DB>> DB::open(const std::string& path, const Options& options) try {
  if (Status status = options.validate(); !status.ok()) return status;
  auto db = std::make_unique<lsm::DbImpl>(path, options);
  if (Status status = db->open(); !status.ok()) return status;
  return std::unique_ptr<DB>(std::move(db));
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

namespace lsm {

namespace {

// What the log has done in the background may all be going on at once: pages made ready, the next segment, a sync. And
// files are removed, which those may not wait for.
constexpr std::uint32_t kLogThreads = 4;

bool holds_firn_files(const std::vector<DirectoryEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const DirectoryEntry& entry) {
    const auto name = parse_file_name(entry.name);
    return name && name->kind != NameKind::kLock && name->kind != NameKind::kTemporary;
  });
}

bool holds_other_files(const std::vector<DirectoryEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(),
                     [](const DirectoryEntry& entry) { return !parse_file_name(entry.name); });
}

bool holds_rows(const FileName& name) { return name.kind == NameKind::kTable || name.kind == NameKind::kValues; }

// A table or value file in the directory.
struct RowFile {
  NameKind kind = NameKind::kTable;
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  friend auto operator<=>(const RowFile&, const RowFile&) = default;
};

// In order.
std::vector<RowFile> row_files(const std::vector<DirectoryEntry>& entries) {
  std::vector<RowFile> files;
  for (const DirectoryEntry& entry : entries) {
    const auto name = parse_file_name(entry.name);
    if (name && holds_rows(*name)) files.push_back({name->kind, name->number, entry.bytes});
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status not_a_database(const std::string& path, const char* why) {
  return Status(StatusCode::kNotADatabase, path + ": " + why);
}

wal::DatabaseId draw_database_id(Random& random) { return {random.next(), random.next()}; }

VersionEdit first_edit(const Options& options) {
  VersionEdit edit;
  edit.next_file_id = 1;
  edit.next_family_id = 1;
  edit.last_sequence = 0;
  edit.families_created.push_back({kDefaultFamily.id, "default", options.default_family});
  return edit;
}

}  // namespace

Status DbImpl::open() {
  const std::uint64_t start_ns = core_.platform.clock->monotonic_ns();
  bool is_new = false;
  if (Status status = find_database(is_new); !status.ok()) return status;
  if (!core_.options.read_only) {
    auto lock = core_.files.lock(lock_path(core_.directory));
    if (!lock.ok()) return lock.status();
    lock_ = std::move(lock).value();
  }
  // Once: with many tables a listing takes longer than everything else here.
  auto entries = core_.files.list(core_.directory);
  if (!entries.ok()) return entries.status();
  auto manifest = Manifest::recover(core_.files, core_.directory, database_contents(*entries));
  if (!manifest.ok() && manifest.status().code() == StatusCode::kNotADatabase) {
    if (!core_.options.create_if_missing || core_.options.read_only) return manifest.status();
    manifest = Manifest::create(core_.files, core_.directory, draw_database_id(*core_.platform.random),
                                first_edit(core_.options));
    is_new = true;
    entries = core_.files.list(core_.directory);
    if (!entries.ok()) return entries.status();
  }
  if (!manifest.ok()) return manifest.status();
  if (core_.options.error_if_exists && !is_new) {
    return Status(StatusCode::kInvalidArgument,
                  core_.directory + ": a database exists here and error_if_exists is set");
  }
  if (!core_.options.read_only && !is_new && !(*manifest)->settled()) {
    // The process before may have been killed between a rename and its sync: the names that this one saw must outlive
    // those that it makes.
    if (Status status = core_.files.sync_directory(core_.directory); !status.ok()) return status;
  }
  if (Status status = start_threads(); !status.ok()) return status;
  if (Status status = adopt(std::move(manifest).value(), *entries); !status.ok()) return status;
  recovery_.elapsed_ns = core_.platform.clock->monotonic_ns() - start_ns;
  start_work();
  closed_.store(false, std::memory_order_release);
  return {};
}

// Refuses what must not be touched, before the first change; makes the directory of a new database.
Status DbImpl::find_database(bool& is_new) {
  // Nobody needs the other names then, of which there may be many.
  if (core_.files.open(current_path(core_.directory), OpenMode::kRead, FileKind::kCurrent).ok()) return {};
  const bool may_create = core_.options.create_if_missing && !core_.options.read_only;
  auto entries = core_.files.list(core_.directory);
  if (entries.ok() && holds_firn_files(*entries)) return {};
  if (entries.ok() && holds_other_files(*entries)) {
    return not_a_database(core_.directory, "holds files that are not Firn's (give an empty or a new directory)");
  }
  if (!entries.ok() && entries.status().code() != StatusCode::kNotFound) return entries.status();
  if (!may_create) {
    return not_a_database(core_.directory, entries.ok() ? "holds no database (create_if_missing would make one)"
                                                        : "does not exist (create_if_missing would make it)");
  }
  is_new = true;
  const std::string parent = parent_directory(core_.directory);
  if (entries.ok()) {
    // Whoever made the directory may have stopped before its name was durable; the parent may be barred to us.
    static_cast<void>(core_.files.sync_directory(parent));
    return {};
  }
  if (Status status = core_.files.create_directory(core_.directory); !status.ok()) return status;
  Status status = core_.files.sync_directory(parent);
  if (!status.ok()) static_cast<void>(core_.files.remove_directory(core_.directory));
  return status;
}

// `entries`: of the directory, since when nothing has changed there.
Status DbImpl::adopt(std::unique_ptr<Manifest> manifest, const std::vector<DirectoryEntry>& entries) {
  const wal::ReplayRequest request = manifest->replay_request(database_contents(entries));
  const ManifestState& state = manifest->state();  // Does not change before the log is replayed.
  if (Status status = check_tables(state, entries); !status.ok()) return status;
  if (Status status = check_segment_sizes(core_.directory, entries, state); !status.ok()) return status;

  std::uint64_t next_id = state.next_file_id;
  for (const DirectoryEntry& entry : entries) {
    if (FIRN_PLANTED_BUG(file_id_reused)) break;
    const auto name = parse_file_name(entry.name);
    // Manifests are numbered by themselves.
    if (name && name->kind != NameKind::kManifest) next_id = std::max(next_id, name->number + 1);
  }
  core_.next_file_id.store(next_id, std::memory_order_relaxed);
  const wal::DatabaseId database = manifest->database();
  maintenance_ = std::make_unique<Maintenance>(core_, std::move(manifest), gate_);
  for (const auto& [id, record] : state.families) maintenance_->adopt_family(id, record);
  LogSet::Callbacks callbacks;
  callbacks.prepare = [this](std::size_t count, std::uint64_t bytes) {
    return maintenance_->prepare_segments(count, bytes);
  };
  callbacks.manifest_edit = [this] { return maintenance_->manifest_edit(); };
  callbacks.submit = [this](std::function<void()> task) {
    if (core_.log_executor == nullptr) return task();  // While opening and closing.
    core_.log_executor->submit(TaskPriority::kHigh, std::move(task));
  };
  callbacks.failed = [this](const Status& failure) { log_failed(failure); };
  log_ = std::make_unique<LogSet>(core_, database, std::move(callbacks));
  committer_ = std::make_unique<Committer>(core_, *log_, *maintenance_, gate_);
  committer_->set_last_sequence(state.last_sequence);
  recovery_.clean = state.clean_close.has_value() || state.log_segments.empty();
  if (Status status = replay_log(state, request); !status.ok()) return status;
  if (!core_.options.read_only) remove_orphans(entries);
  return {};
}

Status DbImpl::check_tables(const ManifestState& state, const std::vector<DirectoryEntry>& entries) const {
  const std::vector<RowFile> there = row_files(entries);
  const auto check = [&](NameKind kind, std::uint64_t id, std::uint64_t file_bytes) -> Status {
    const auto found = std::lower_bound(there.begin(), there.end(), RowFile{kind, id, 0});
    const bool missing = found == there.end() || found->kind != kind || found->id != id;
    if (!missing && found->bytes == file_bytes) return {};
    const std::string path =
        kind == NameKind::kTable ? table_path(core_.directory, id) : value_path(core_.directory, id);
    if (missing) {
      return Status::corruption(path, 0, "the file is missing; the manifest lists it (restore it from a copy)");
    }
    return Status::corruption(
        path, std::min(found->bytes, file_bytes),
        "the file has " + std::to_string(found->bytes) + " bytes, expected " + std::to_string(file_bytes));
  };
  for (const auto& [family_id, family] : state.families) {
    for (const auto& level : family.levels) {
      for (const auto& [id, meta] : level) {
        if (Status s = check(NameKind::kTable, id, meta.file_bytes); !s.ok()) return s;
      }
    }
    for (const auto& [id, values] : family.values) {
      if (Status s = check(NameKind::kValues, id, values.meta.file_bytes); !s.ok()) return s;
    }
  }
  return {};
}

Status DbImpl::replay_log(const ManifestState& state, const wal::ReplayRequest& request) {
  std::unique_ptr<LogTables> tables;
  if (!core_.options.read_only) tables = std::make_unique<LogTables>(core_, *maintenance_, *executor_);
  const auto take = [&](FamilyState& family, Sequence sequence, const BatchOperation& op) {
    return tables != nullptr ? tables->add(family, sequence, op) : committer_->replay(sequence, op, family);
  };
  auto end = wal::replay(
      core_.files, request,
      [&](const wal::Record& record, const wal::RecordSource& source) {
        return replay_record(state, record, source, take);
      },
      recovery_);
  if (!end.ok()) return end.status();
  const Sequence last = std::max(
      {state.last_sequence, end->last_sequence, state.clean_close ? state.clean_close->last_sequence : Sequence{0}});
  committer_->set_last_sequence(FIRN_PLANTED_BUG(sequence_reused) ? state.last_sequence : last);
  if (recovery_.clean) log_->mark_durable(last);
  if (core_.options.read_only) return {};
  // From here on everything is in tables and the log starts anew: what was cut from its end can never come back.
  const std::vector<std::uint64_t> ended(state.log_segments.begin(), state.log_segments.end());
  if (Status status = tables->finish(ended); !status.ok()) return status;
  log_->mark_durable(last);
  return {};
}

Status DbImpl::replay_record(const ManifestState& state, const wal::Record& record, const wal::RecordSource& source,
                             const ReplayVisitor& take) {
  BatchReader reader(record.payload);
  BatchOperation op;
  std::uint32_t count = 0;
  for (; reader.next(op); ++count) {
    const auto known = state.families.find(op.family);
    if (known == state.families.end()) continue;  // Dropped since.
    const Sequence sequence = record.first_sequence + count;
    if (sequence <= known->second.flushed_sequence) continue;
    if (Status status = take(*core_.families.find(op.family), sequence, op); !status.ok()) return status;
  }
  if (reader.malformed() || count != record.count) {
    return Status::corruption(source.path, source.offset,
                              "a record with a valid checksum holds no valid batch (written by a faulty program)");
  }
  return {};
}

void DbImpl::remove_orphans(const std::vector<DirectoryEntry>& entries) {
  std::vector<std::uint64_t> live;  // Tables and value files share their ids.
  for (const FamilyState* family : core_.families.live()) {
    const ViewRef view = family->pin();
    for (int level = 0; level < kLevelCount; ++level) {
      for (const auto& table : view->version()->level(level)) {
        live.push_back(table->meta().id);
        for (const auto& values : table->values()) live.push_back(values->meta().id);
      }
    }
  }
  std::sort(live.begin(), live.end());
  for (const DirectoryEntry& entry : entries) {
    const auto name = parse_file_name(entry.name);
    if (!name) continue;
    const bool orphan = (holds_rows(*name) && !std::binary_search(live.begin(), live.end(), name->number)) ||
                        name->kind == NameKind::kLog || name->kind == NameKind::kTemporary;
    // Live log segments went with the replay; a name that is already gone is no news.
    if (orphan) core_.store->remove(join_path(core_.directory, entry.name));
  }
  recovery_.files_removed = core_.store->files_removed();
}

Status DbImpl::start_threads() {
  if (core_.options.read_only) return {};
  executor_ = core_.platform.make_executor(core_.options.background_threads);
  log_executor_ = core_.platform.make_executor(kLogThreads);
  if (executor_ != nullptr && log_executor_ != nullptr) return {};
  return Status(StatusCode::kIo, core_.directory + ": no background thread can be started (raise ulimit -u)");
}

void DbImpl::start_work() {
  if (core_.options.read_only) return;
  core_.executor = executor_.get();
  core_.log_executor = log_executor_.get();
  core_.store->remove_in_background(log_executor_.get());
  core_.chunks->make_ahead_by(log_executor_.get());
  maintenance_->attach_log(*log_);
  maintenance_->start(*executor_);
}

}  // namespace lsm
}  // namespace firn
