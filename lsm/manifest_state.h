// What all edits of a manifest add up to: the shape of a database in memory.
//
// Thread safety: as for any value.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "firn/options.h"
#include "firn/status.h"
#include "lsm/version_edit.h"

namespace firn::lsm {

// A value file and what the family's tables refer to in it.
struct LiveValueFile {
  ValueMeta meta;
  std::uint64_t tables = 0;  // At least 1.
  std::uint64_t bytes = 0;   // Of the records.
};

struct FamilyRecord {
  std::string name;
  FamilyOptions options;
  Sequence flushed_sequence = 0;
  // By level, then by table id.
  std::array<std::map<std::uint64_t, TableMeta>, kLevelCount> levels;
  std::map<std::uint64_t, LiveValueFile> values;  // By id.
};

struct ManifestState {
  std::uint64_t edit_number = 0;
  std::uint64_t next_file_id = 1;    // Greater than the id of every table, value file and segment ever named.
  std::uint32_t next_family_id = 0;  // Greater than the id of every family ever created.
  Sequence last_sequence = 0;
  std::map<std::uint32_t, FamilyRecord> families;  // By id.
  std::set<std::uint64_t> log_segments;            // Live: each file is there and may hold records that count.
  std::optional<wal::DurableEnd> log_durable;      // The last that an edit named, while its segment is live.
  std::optional<CleanClose> clean_close;           // Only if the last edit was one.

  // kInvalidArgument naming the contradiction between `edit` and this state: an unknown family or table, an id twice.
  Status check(const VersionEdit& edit) const;
  // Precondition: check(edit).ok().
  void apply(const VersionEdit& edit);
  // The one edit that, applied to an empty state, gives this one.
  VersionEdit snapshot() const;
};

}  // namespace firn::lsm
