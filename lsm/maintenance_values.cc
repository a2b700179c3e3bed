// Maintenance: value files. One is named by the edit that adds the tables which refer to it; it leaves the manifest
// with the last of them, and the directory when no reader holds such a table any more.

#include <algorithm>
#include <map>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// Opens the value files of a compaction's inputs when they are needed; for one thread.
class InputValues {
 public:
  InputValues(FileSystem& files, const std::string& directory) : files_(files), directory_(directory) {}

  Status read(const ValueReference& at, Slice key, std::string& value) {
    std::unique_ptr<File>& file = open_[at.file];
    if (file == nullptr) {
      auto opened = files_.open(value_path(directory_, at.file), OpenMode::kRead, FileKind::kValues);
      if (!opened.ok()) return opened.status();
      file = std::move(opened).value();
    }
    return read_value_record(*file, at, key, scratch_, value);
  }

 private:
  FileSystem& files_;
  const std::string directory_;
  std::map<std::uint64_t, std::unique_ptr<File>> open_;
  std::string scratch_;
};

}  // namespace

compaction::ValueTask Maintenance::value_task(const FamilyState& family, std::vector<std::uint64_t> emptied) {
  compaction::ValueTask task;
  task.separate_bytes = family.options().separate_value_bytes;
  task.emptied = std::move(emptied);
  task.file_bytes = core_.sizes.table_bytes;
  task.create_file = [this, &family]() -> Result<compaction::OutputValues> {
    const std::uint64_t id = core_.take_file_id();
    auto file = core_.files.open(value_path(core_.directory, id), OpenMode::kCreate, FileKind::kValues);
    if (!file.ok()) return file.status();
    // Values stay where they are while their tables go down: what counts is where they end.
    auto builder = std::make_unique<ValueBuilder>(**file, id, core_.compression_of(family).back());
    return compaction::OutputValues{id, std::move(file).value(), std::move(builder)};
  };
  const auto inputs = std::make_shared<InputValues>(core_.files, core_.directory);
  task.read = [inputs](const ValueReference& at, Slice key, std::string& value) {
    return inputs->read(at, key, value);
  };
  return task;
}

void Maintenance::remove_outputs(const compaction::CompactionOutcome& outcome) {
  for (const std::uint64_t id : outcome.created) core_.store->remove(table_path(core_.directory, id));
  for (const std::uint64_t id : outcome.values.created) core_.store->remove(value_path(core_.directory, id));
}

Maintenance::NewFiles Maintenance::adopt_outputs(const FamilyState& family, int level,
                                                 const std::vector<TableMeta>& tables,
                                                 const std::vector<ValueMeta>& values, VersionEdit& edit,
                                                 VersionChange& change) {
  NewFiles files;
  for (const ValueMeta& meta : values) {
    files.paths.push_back(value_path(core_.directory, meta.id));
    files.values.push_back(core_.store->values(meta));
    edit.values_added.push_back({family.id(), meta});
  }
  for (const TableMeta& meta : tables) {
    files.paths.push_back(table_path(core_.directory, meta.id));
    edit.tables_added.push_back({family.id(), static_cast<std::uint32_t>(level), meta});
    change.added.push_back({level, std::make_shared<TableFile>(core_.store, meta)});
  }
  return files;
}

void Maintenance::NewTables::add(const std::vector<TableMeta>& new_tables, const std::vector<ValueMeta>& new_values,
                                 Sequence up_to) {
  tables.insert(tables.end(), new_tables.begin(), new_tables.end());
  values.insert(values.end(), new_values.begin(), new_values.end());
  flushed = up_to;
}

void Maintenance::abandon(const VersionChange& change, const NewFiles& files) {
  for (const auto& [level, table] : change.added) table->mark_obsolete();
  for (const auto& values : files.values) values->mark_obsolete();
}

void Maintenance::retire_values(const FamilyState& family, const std::vector<std::shared_ptr<TableFile>>& tables) {
  const auto& families = manifest_->state().families;
  const auto record = families.find(family.id());
  for (const auto& table : tables) {
    for (const auto& values : table->values()) {
      if (record == families.end() || !record->second.values.contains(values->meta().id)) values->mark_obsolete();
    }
  }
}

}  // namespace firn::lsm
