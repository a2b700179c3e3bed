// repair(). Tested in tests/faults/repair_test.cc.
#include "firn/repair.h"

#include <algorithm>
#include <new>
#include <set>
#include <utility>

#include "codec/batch_format.h"
#include "firn/db.h"
#include "lsm/file_names.h"
#include "lsm/log_salvage.h"
#include "lsm/salvage_cursor.h"
#include "lsm/salvaged_values.h"
#include "lsm/survey.h"
#include "platform/io.h"
#include "wal/log_format.h"

namespace firn {

namespace lsm {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20;

// One family of the source on its way into the destination.
struct Rescued {
  FamilyRecord record;
  SalvagedLog* log = nullptr;  // In `runs`.
  std::vector<std::unique_ptr<SalvageRun>> runs;
};

class Repair {
 public:
  Repair(FileSystem& files, std::string source) : files_(files), source_(std::move(source)), values_(files_, source_) {}

  Result<RepairReport> run(const std::string& destination, Options options) {
    auto found = survey(files_, source_);
    if (!found.ok()) return found.status();
    survey_ = std::move(found).value();
    report_.manifest_complete = survey_.complete;
    report_.damage = survey_.damage;
    find_families();
    read_log();
    open_tables();
    options.create_if_missing = true;
    options.error_if_exists = true;
    options.read_only = false;
    options.default_family = families_[kDefaultFamily.id].record.options;
    if (Status status = write(destination, options); !status.ok()) return status;
    return std::move(report_);
  }

 private:
  const ManifestState* state() const { return survey_.manifest ? &survey_.manifest->state : nullptr; }

  void find_families() {
    families_[kDefaultFamily.id].record.name = "default";
    if (state() == nullptr) return;
    for (const auto& [id, record] : state()->families) families_[id].record = record;
  }

  // --- The log: every record that verifies, also behind damage.
  void read_log() {
    std::vector<std::uint64_t> ids = survey_.contents.segments;
    if (survey_.complete) ids.assign(state()->log_segments.begin(), state()->log_segments.end());
    for (auto& [id, family] : families_) add_log_run(family);
    for (const std::uint64_t id : ids) read_segment(id);
  }

  static void add_log_run(Rescued& family) {
    auto run = std::make_unique<SalvagedLog>();
    family.log = run.get();
    family.runs.push_back(std::move(run));
  }

  void read_segment(std::uint64_t id) {
    const auto database =
        survey_.manifest ? std::optional(survey_.manifest->database) : std::optional<wal::DatabaseId>();
    salvage_segment(files_, segment_path(source_, id), id, database,
                    {[this](const wal::Record& record) { take(record); },
                     [this](const Damage& damage, bool) { report_.damage.push_back(damage); }});
  }

  void take(const wal::Record& record) {
    ++report_.log_records;
    BatchReader reader(record.payload);
    BatchOperation op;
    for (Sequence sequence = record.first_sequence; reader.next(op); ++sequence) {
      auto family = families_.find(op.family);
      if (family == families_.end()) {
        if (survey_.complete) continue;  // Dropped since.
        family = families_.emplace(op.family, Rescued()).first;
        family->second.record.name = "family-" + std::to_string(op.family);
        add_log_run(family->second);
      }
      if (sequence > family->second.record.flushed_sequence) family->second.log->add(op, sequence);
    }
  }

  // --- Tables.
  void open_tables() {
    std::set<std::uint64_t> listed;
    for (auto& [id, family] : families_) {
      for (const auto& level : family.record.levels) {
        // The greater id is the newer table, for versions whose sequence is no longer told apart.
        for (auto table = level.rbegin(); table != level.rend(); ++table) {
          listed.insert(table->first);
          open_table(table->first, &table->second, family);
        }
      }
    }
    if (survey_.complete) return;
    for (auto id = survey_.contents.tables.rbegin(); id != survey_.contents.tables.rend(); ++id) {
      if (listed.contains(*id)) continue;
      ++report_.tables_guessed;
      open_table(*id, nullptr, families_[kDefaultFamily.id]);
    }
  }

  void open_table(std::uint64_t id, const TableMeta* meta, Rescued& family) {
    const std::string path = table_path(source_, id);
    auto table = TableSalvage::open(files_, path, meta);
    const std::string name = family.record.name;
    if (!table.ok()) {
      Status status = table.status();
      if (status.is_not_found()) status = Status::corruption(path, 0, "the file is missing; the manifest lists it");
      ++report_.tables_lost;
      TableDamage all{status, status.offset().value_or(0), 0, {}, {}};
      if (meta != nullptr) {
        all.bytes = meta->file_bytes;
        all.first_key = meta->smallest_key;
        all.last_key = meta->largest_key + std::string(1, '\0');
      }
      lose(all, path, name, true);
      return;
    }
    ++report_.tables_read;
    for (const TableDamage& found : (*table)->metadata_damage()) lose(found, path, name, false);
    family.runs.push_back(
        std::make_unique<SalvagedTable>(std::move(table).value(), [this, path, name](TableDamage found) {
          ++report_.blocks_lost;
          lose(found, path, name, true);
        }));
  }

  void lose(const TableDamage& found, const std::string& path, const std::string& family, bool loses_keys) {
    report_.damage.push_back({found.status, path, found.offset, found.bytes, loses_keys ? family : std::string(),
                              loses_keys, found.first_key, found.last_key});
  }

  // --- The new database.
  Status write(const std::string& destination, const Options& options) {
    auto opened = DB::open(destination, options);
    if (!opened.ok()) return opened.status();
    DB& db = **opened;
    for (auto& [id, family] : families_) {
      Result<Family> into = id == kDefaultFamily.id ? Result<Family>(kDefaultFamily)
                                                    : db.create_family(family.record.name, family.record.options);
      if (!into.ok()) return into.status();
      if (Status status = write_rows(db, *into, family.record.name, std::move(family.runs)); !status.ok())
        return status;
    }
    return db.close();
  }

  Status write_rows(DB& db, Family family, const std::string& name, std::vector<std::unique_ptr<SalvageRun>> runs) {
    WriteBatch batch;
    std::string value;
    const auto write_batch = [&]() -> Status {
      Status status = db.write(batch, {Durability::kNone});  // Closing makes it durable.
      batch.clear();
      return status;
    };
    Status status = merge_newest(std::move(runs), [&](const SalvageRun& row) -> Status {
      if (row.kind() == EntryKind::kTombstone) return {};
      const bool separated = row.kind() == EntryKind::kReference;
      // A value that is lost takes its row with it: an older version of the row would be a wrong answer.
      if (Status read = separated ? values_.read(row.value(), row.key(), value) : Status(); !read.ok()) {
        report_.damage.push_back(values_.damage(row.value(), row.key(), name, read));
        return {};
      }
      ++report_.rows;
      batch.put(family, row.key(), separated ? Slice(value) : row.value());
      return batch.bytes() < kBatchBytes ? Status() : write_batch();
    });
    return status.ok() ? write_batch() : status;
  }

  FileSystem& files_;
  const std::string source_;
  SalvagedValues values_;
  Survey survey_;
  std::map<std::uint32_t, Rescued> families_;
  RepairReport report_;
};

Status check_destination(FileSystem& files, const std::string& destination) {
  auto entries = files.list(destination);
  if (entries.status().is_not_found() || (entries.ok() && entries->empty())) return {};
  if (!entries.ok()) return entries.status();
  return Status(StatusCode::kInvalidArgument, destination + ": is not empty (give a new directory to repair into)");
}

}  // namespace

}  // namespace lsm

Result<RepairReport> repair(const std::string& source, const std::string& destination, const Options& options) try {
  if (Status status = options.validate(); !status.ok()) return status;
  FileSystem& files = *(options.platform != nullptr ? *options.platform : real_platform()).files;
  if (Status status = lsm::check_destination(files, destination); !status.ok()) return status;
  // Only where it exists: taking it would make it.
  std::unique_ptr<FileLock> lock;
  auto entries = files.list(source);
  if (entries.ok() && std::any_of(entries->begin(), entries->end(),
                                  [](const DirectoryEntry& entry) { return entry.name == lsm::kLockName; })) {
    auto taken = files.lock(lsm::lock_path(source));
    if (taken.status().code() == StatusCode::kBusy) return taken.status();
    if (taken.ok()) lock = std::move(taken).value();  // A read-only source cannot be locked, and need not be.
  }
  return lsm::Repair(files, source).run(destination, options);
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

}  // namespace firn
