// Tested in manifest_test.cc.
#include "lsm/manifest_state.h"

#include <algorithm>
#include <map>
#include <utility>

namespace firn::lsm {

namespace {

Status contradiction(const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "contradiction in the edit: " + what);
}

std::string name_table(std::uint64_t id, std::uint32_t family) {
  return "table " + std::to_string(id) + " of family " + std::to_string(family);
}

// Compares one edit with the state it is to change.
class EditCheck {
 public:
  EditCheck(const ManifestState& state, const VersionEdit& edit) : state_(state), edit_(edit) {}

  Status run() {
    if (Status status = check_segments(); !status.ok()) return status;
    if (Status status = check_created(); !status.ok()) return status;
    if (Status status = check_tables(); !status.ok()) return status;
    return check_families();
  }

 private:
  Status check_segments() {
    std::set<std::uint64_t> live = state_.log_segments;
    for (const std::uint64_t id : edit_.log_segments_removed) {
      if (live.erase(id) == 0) return contradiction("log segment " + std::to_string(id) + " is removed, not live");
    }
    for (const std::uint64_t id : edit_.log_segments_added) {
      if (!live.insert(id).second) return contradiction("log segment " + std::to_string(id) + " is added twice");
    }
    if (!edit_.clean_close.has_value()) return Status();
    const std::vector<wal::SegmentEnd>& ends = edit_.clean_close->segments;
    const bool complete = std::equal(ends.begin(), ends.end(), live.begin(), live.end(),
                                     [](const wal::SegmentEnd& end, std::uint64_t id) { return end.id == id; });
    return complete ? Status() : contradiction("a clean close that does not list the live log segments");
  }

  Status check_created() {
    for (const CreatedFamily& family : edit_.families_created) {
      if (family.id < state_.next_family_id || family.id == UINT32_MAX || !created_.insert(family.id).second) {
        return contradiction("family " + std::to_string(family.id) + " is created twice");
      }
    }
    return Status();
  }

  Status check_tables() {
    for (const RemovedTable& table : edit_.tables_removed) {
      const auto family = state_.families.find(table.family);
      if (family == state_.families.end() || !family->second.levels[table.level].contains(table.id) ||
          !removed_.insert({table.family, table.id}).second) {
        return contradiction(name_table(table.id, table.family) + " is removed, not there");
      }
    }
    std::set<std::uint64_t> added;
    if (Status status = check_values(added); !status.ok()) return status;
    for (const AddedTable& table : edit_.tables_added) {
      if (!known(table.family)) return contradiction(name_table(table.meta.id, table.family) + ": unknown family");
      if (holds(table.family, table.meta.id) || !added.insert(table.meta.id).second) {
        return contradiction(name_table(table.meta.id, table.family) + " is added twice");
      }
      for (const ValueUse& use : table.meta.values) {
        if (use_fits(table.family, use)) continue;
        return contradiction(name_table(table.meta.id, table.family) + " refers to what value file " +
                             std::to_string(use.file) + " does not have");
      }
    }
    return Status();
  }

  Status check_families() {
    for (const FlushedFamily& flushed : edit_.flushed) {
      if (!known(flushed.family)) return contradiction("family " + std::to_string(flushed.family) + " is unknown");
    }
    std::set<std::uint32_t> dropped;
    for (const std::uint32_t id : edit_.families_dropped) {
      if (!known(id) || !dropped.insert(id).second) {
        return contradiction("family " + std::to_string(id) + " is dropped, not there");
      }
    }
    return Status();
  }

  // `added`: ids of the edit, tables and value files.
  Status check_values(std::set<std::uint64_t>& added) {
    for (const AddedValueFile& values : edit_.values_added) {
      const std::string name = "value file " + std::to_string(values.meta.id);
      if (!known(values.family)) return contradiction(name + ": unknown family");
      const auto family = state_.families.find(values.family);
      const bool there = family != state_.families.end() && family->second.values.contains(values.meta.id);
      if (there || !added.insert(values.meta.id).second) return contradiction(name + " is added twice");
      values_.emplace(std::pair(values.family, values.meta.id), values.meta);
    }
    return Status();
  }

  // Whether the value file that `use` names is the family's and has so many records.
  bool use_fits(std::uint32_t family, const ValueUse& use) const {
    const auto fits = [&use](const ValueMeta& meta) {
      return use.records <= meta.records && use.bytes <= meta.record_bytes;
    };
    if (const auto added = values_.find({family, use.file}); added != values_.end()) return fits(added->second);
    const auto found = state_.families.find(family);
    if (found == state_.families.end()) return false;
    const auto live = found->second.values.find(use.file);
    return live != found->second.values.end() && fits(live->second.meta);
  }

  bool known(std::uint32_t family) const { return state_.families.contains(family) || created_.contains(family); }

  // Whether the family has the table when the edit's removals are done.
  bool holds(std::uint32_t family, std::uint64_t id) const {
    const auto found = state_.families.find(family);
    if (found == state_.families.end() || removed_.contains({family, id})) return false;
    return std::any_of(found->second.levels.begin(), found->second.levels.end(),
                       [id](const auto& level) { return level.contains(id); });
  }

  const ManifestState& state_;
  const VersionEdit& edit_;
  std::set<std::uint32_t> created_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, ValueMeta> values_;  // Added; by family and id.
  std::set<std::pair<std::uint32_t, std::uint64_t>> removed_;            // Family, table.
};

}  // namespace

Status ManifestState::check(const VersionEdit& edit) const { return EditCheck(*this, edit).run(); }

void ManifestState::apply(const VersionEdit& edit) {
  edit_number = edit.number;
  const auto used_file = [this](std::uint64_t id) { next_file_id = std::max(next_file_id, id + 1); };
  if (edit.next_file_id.has_value()) next_file_id = std::max(next_file_id, *edit.next_file_id);
  if (edit.next_family_id.has_value()) next_family_id = std::max(next_family_id, *edit.next_family_id);
  if (edit.last_sequence.has_value()) last_sequence = std::max(last_sequence, *edit.last_sequence);
  for (const std::uint64_t id : edit.log_segments_removed) log_segments.erase(id);
  for (const std::uint64_t id : edit.log_segments_added) {
    log_segments.insert(id);
    used_file(id);
  }
  if (edit.log_durable.has_value()) log_durable = edit.log_durable;
  if (log_durable.has_value() && !log_segments.contains(log_durable->id)) log_durable.reset();
  for (const CreatedFamily& created : edit.families_created) {
    FamilyRecord& family = families[created.id];
    family.name = created.name;
    family.options = created.options;
    next_family_id = std::max(next_family_id, created.id + 1);
  }
  for (const AddedValueFile& values : edit.values_added) {
    families[values.family].values.emplace(values.meta.id, LiveValueFile{values.meta});
    used_file(values.meta.id);
  }
  for (const RemovedTable& table : edit.tables_removed) {
    FamilyRecord& family = families[table.family];
    const auto found = family.levels[table.level].find(table.id);
    for (const ValueUse& use : found->second.values) {
      LiveValueFile& values = family.values[use.file];
      --values.tables;
      values.bytes -= use.bytes;
    }
    family.levels[table.level].erase(found);
  }
  for (const AddedTable& table : edit.tables_added) {
    FamilyRecord& family = families[table.family];
    family.levels[table.level].emplace(table.meta.id, table.meta);
    for (const ValueUse& use : table.meta.values) {
      LiveValueFile& values = family.values[use.file];
      ++values.tables;
      values.bytes += use.bytes;
    }
    last_sequence = std::max(last_sequence, table.meta.largest_sequence);
    used_file(table.meta.id);
  }
  for (const FlushedFamily& flushed : edit.flushed) {
    Sequence& sequence = families[flushed.family].flushed_sequence;
    sequence = std::max(sequence, flushed.sequence);
  }
  const auto unused = [](const auto& values) { return values.second.tables == 0; };
  std::set<std::uint32_t> lost_tables;
  for (const RemovedTable& table : edit.tables_removed) lost_tables.insert(table.family);
  for (const std::uint32_t id : lost_tables) std::erase_if(families[id].values, unused);
  for (const std::uint32_t id : edit.families_dropped) families.erase(id);
  if (edit.clean_close.has_value()) last_sequence = std::max(last_sequence, edit.clean_close->last_sequence);
  clean_close = edit.clean_close;
}

VersionEdit ManifestState::snapshot() const {
  VersionEdit edit;
  edit.number = edit_number;
  edit.next_file_id = next_file_id;
  edit.next_family_id = next_family_id;
  edit.last_sequence = last_sequence;
  edit.log_segments_added.assign(log_segments.begin(), log_segments.end());
  edit.log_durable = log_durable;
  edit.clean_close = clean_close;
  for (const auto& [id, family] : families) {
    edit.families_created.push_back({id, family.name, family.options});
    edit.flushed.push_back({id, family.flushed_sequence});
    for (const auto& [file, values] : family.values) edit.values_added.push_back({id, values.meta});
    for (std::uint32_t level = 0; level < kLevelCount; ++level) {
      for (const auto& [table_id, meta] : family.levels[level]) edit.tables_added.push_back({id, level, meta});
    }
  }
  return edit;
}

}  // namespace firn::lsm
