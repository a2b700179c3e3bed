// verify_files(). Tested in tests/faults/repair_test.cc.

#include <algorithm>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "firn/platform.h"
#include "firn/repair.h"
#include "lsm/file_names.h"
#include "lsm/log_salvage.h"
#include "lsm/salvage_cursor.h"
#include "lsm/salvaged_values.h"
#include "lsm/survey.h"
#include "platform/io.h"
#include "sstable/table.h"
#include "sstable/table_salvage.h"
#include "sstable/value_file.h"
#include "wal/replay.h"

namespace firn {

namespace lsm {

namespace {

class FileVerifier {
 public:
  FileVerifier(FileSystem& files, std::string directory, const std::function<void(const Damage&)>& report)
      : files_(files), directory_(std::move(directory)), report_(report), values_(files_, directory_) {}

  Status run() {
    const auto found = survey(files_, directory_);
    if (!found.ok()) return found.status();
    for (const Damage& damage : found->damage) add(damage);
    if (!found->manifest.has_value()) {
      check_unlisted(*found);
      return std::move(first_);
    }
    check_log(*found);
    for (const auto& [id, family] : found->manifest->state.families) {
      for (const auto& level : family.levels) {
        for (const auto& [table_id, meta] : level) check_table(family.name, meta);
      }
      for (const auto& [file_id, values] : family.values) check_values(family, values.meta);
    }
    return std::move(first_);
  }

 private:
  void add(const Damage& damage) {
    if (first_.ok()) first_ = damage.status;
    if (report_) report_(damage);
  }

  void add(const TableDamage& found, const std::string& path, const std::string& family, bool loses_keys) {
    Damage damage = damage_of(found.status);
    damage.file = path;
    damage.offset = found.offset;
    damage.bytes = found.bytes;
    damage.family = family;
    damage.loses_keys = loses_keys;
    damage.first_key = found.first_key;
    damage.last_key = found.last_key;
    add(damage);
  }

  void check_log(const Survey& found) {
    const LoadedManifest& manifest = *found.manifest;
    wal::ReplayRequest request = make_replay_request(directory_, found.contents, manifest.database, manifest.state,
                                                     {manifest.state.edit_number, manifest.path, manifest.end});
    const auto entries = files_.list(directory_);
    const Status sizes =
        entries.ok() ? check_segment_sizes(directory_, *entries, manifest.state) : Status(entries.status());
    if (!sizes.ok()) return add(damage_of(sizes));
    RecoveryReport ignored;
    const auto end = wal::replay(
        files_, request, [](const wal::Record&, const wal::RecordSource&) { return Status(); }, ignored);
    if (end.ok()) return;
    add(damage_of(end.status()));
    if (end.status().code() == StatusCode::kCorruption) check_segments(manifest, end.status());
  }

  // Replay stops at the first damage: what else is lost between sound records?
  void check_segments(const LoadedManifest& manifest, const Status& first) {
    const auto lose = [&](const Damage& damage, bool at_end) {
      const std::uint64_t at = first.offset().value_or(0);
      const bool known = damage.file == first.file() && at >= damage.offset && at <= damage.offset + damage.bytes;
      if (!at_end && !known) add(damage);
    };
    for (const std::uint64_t id : manifest.state.log_segments) {
      salvage_segment(files_, segment_path(directory_, id), id, manifest.database, {[](const wal::Record&) {}, lose});
    }
  }

  void check_table(const std::string& family, const TableMeta& meta) {
    const std::string path = table_path(directory_, meta.id);
    BlockCache cache(0);
    auto table = Table::open(files_, path, meta, cache, false);
    if (table.ok()) {
      const Status verdict = (*table)->verify([&](const TableDamage& found) {
        add(found, path, family, found.offset < (*table)->block_offset((*table)->blocks()));
      });
      if (!verdict.ok() && first_.ok()) first_ = verdict;
      return;
    }
    auto salvage = TableSalvage::open(files_, path, &meta);
    if (salvage.ok()) {
      check_blocks(**salvage, path, family);
      return;
    }
    Status status = salvage.status();
    if (status.is_not_found()) status = Status::corruption(path, 0, "the file is missing; the manifest lists it");
    // One past the largest key: a range without its end.
    add({status, 0, meta.file_bytes, meta.smallest_key, meta.largest_key + std::string(1, '\0')}, path, family, true);
  }

  void check_blocks(TableSalvage& table, const std::string& path, const std::string& family) {
    for (const TableDamage& found : table.metadata_damage()) add(found, path, family, false);
    for (std::uint32_t i = 0; i < table.blocks(); ++i) {
      auto block = table.block(i);
      if (!block.ok()) add(table.block_damage(i, block.status()), path, family, true);
    }
  }

  // A damaged record is reported for each key that is lost with it, or once if nobody refers to it any more.
  void check_values(const FamilyRecord& family, const ValueMeta& meta) {
    const std::string path = value_path(directory_, meta.id);
    std::vector<Status> records;
    const Status verdict = verify_value_file(files_, path, meta, [&](const ValueDamage& found) {
      if (found.is_record) return records.push_back(found.status);
      Damage damage = damage_of(found.status);
      damage.file = path;
      damage.offset = found.offset;
      damage.bytes = found.bytes;
      add(damage);
    });
    if (verdict.ok() || count_lost(family, meta.id) > 0) return;
    for (const Status& status : records) add(damage_of(status));
  }

  // Reports the values of a damaged file that the family's tables refer to and that cannot be read; how many.
  std::size_t count_lost(const FamilyRecord& family, std::uint64_t file) {
    std::size_t lost = 0;
    for (const auto& level : family.levels) {
      for (const auto& [id, meta] : level) {
        const auto refers = [file](const ValueUse& use) { return use.file == file; };
        if (std::any_of(meta.values.begin(), meta.values.end(), refers)) lost += count_lost(family.name, meta, file);
      }
    }
    return lost;
  }

  std::size_t count_lost(const std::string& family, const TableMeta& meta, std::uint64_t file) {
    auto salvage = TableSalvage::open(files_, table_path(directory_, meta.id), &meta);
    if (!salvage.ok()) return 0;  // Reported as the table's damage.
    std::size_t lost = 0;
    std::string value;
    SalvagedTable rows(std::move(salvage).value(), [](const TableDamage&) {});
    while (rows.next()) {
      ValueReference at;
      if (rows.kind() != EntryKind::kReference || !sstable::decode_reference(rows.value(), at) || at.file != file) {
        continue;
      }
      const Status status = values_.read(rows.value(), rows.key(), value);
      if (status.ok()) continue;
      add(values_.damage(rows.value(), rows.key(), family, status));
      ++lost;
    }
    return lost;
  }

  void check_unlisted(const Survey& found) {
    for (const std::uint64_t id : found.contents.tables) {
      const std::string path = table_path(directory_, id);
      auto table = TableSalvage::open(files_, path, nullptr);
      if (table.ok()) {
        check_blocks(**table, path, {});
      } else {
        add({table.status(), 0, 0, {}, {}}, path, {}, true);
      }
    }
  }

  FileSystem& files_;
  const std::string directory_;
  const std::function<void(const Damage&)>& report_;
  SalvagedValues values_;
  Status first_;
};

// A database in use changes while it is read, and that looks like damage. Nothing is written here: without a lock file
// nobody has it open, and what cannot be locked for another reason is read all the same.
Result<std::unique_ptr<FileLock>> lock_if_present(FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries.ok()) return entries.status();
  const std::string path = lock_path(directory);
  const bool present = std::any_of(entries->begin(), entries->end(), [&](const DirectoryEntry& entry) {
    return join_path(directory, entry.name) == path;
  });
  if (!present) return Status::not_found();
  return files.lock(path);
}

}  // namespace

}  // namespace lsm

Status verify_files(const std::string& path, const Options& options,
                    const std::function<void(const Damage&)>& report) try {
  const Platform& platform = options.platform != nullptr ? *options.platform : real_platform();
  const auto lock = lsm::lock_if_present(*platform.files, path);
  if (lock.status().code() == StatusCode::kBusy) return lock.status();
  return lsm::FileVerifier(*platform.files, path, report).run();
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

}  // namespace firn
