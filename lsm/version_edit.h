// One step in the life of a database's shape: families, tables and log segments that came and went. The manifest is a
// list of these. Encoding: docs/formats.md, section "Manifest".
//
// Thread safety: as for any value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firn/options.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "sstable/table_meta.h"
#include "sstable/value_format.h"
#include "wal/log_format.h"

namespace firn::lsm {

inline constexpr std::uint32_t kManifestFormatVersion = 1;

// Written as the last edit of a clean close; void as soon as another edit follows.
struct CleanClose {
  std::vector<wal::SegmentEnd> segments;  // One for each live segment, by id.
  Sequence last_sequence = 0;
  friend bool operator==(const CleanClose&, const CleanClose&) = default;
};

struct CreatedFamily {
  std::uint32_t id = 0;
  std::string name;
  FamilyOptions options;
};

struct AddedValueFile {
  std::uint32_t family = 0;
  ValueMeta meta;
};

struct AddedTable {
  std::uint32_t family = 0;
  std::uint32_t level = 0;  // 0..kLevelCount - 1.
  TableMeta meta;
};

struct RemovedTable {
  std::uint32_t family = 0;
  std::uint32_t level = 0;
  std::uint64_t id = 0;
};

// Everything of `family` up to `sequence` is in tables: older log records of it need not be replayed.
struct FlushedFamily {
  std::uint32_t family = 0;
  Sequence sequence = 0;
};

// All fields may be absent. Applied in the order of the fields; a table that moves is removed and added. A value file
// leaves with the last table that refers to it, which no field says.
struct VersionEdit {
  std::uint64_t number = 0;  // 1, 2, ... over all manifests of a database; Manifest::append sets it.
  std::optional<std::uint64_t>
      next_file_id;  // Tables, value files and segments; no file of the edit has this or a greater id.
  std::optional<std::uint32_t> next_family_id;
  std::optional<Sequence> last_sequence;  // No table or durable log record has a greater one.
  std::vector<std::uint64_t> log_segments_removed;
  std::vector<std::uint64_t> log_segments_added;
  std::optional<wal::DurableEnd> log_durable;  // As it was when the edit was written.
  std::vector<CreatedFamily> families_created;
  std::vector<AddedValueFile> values_added;
  std::vector<RemovedTable> tables_removed;
  std::vector<AddedTable> tables_added;
  std::vector<FlushedFamily> flushed;
  std::vector<std::uint32_t> families_dropped;  // With all their tables.
  std::optional<CleanClose> clean_close;
};

// The fields, without the number (which the record that carries the edit has).
std::string encode_version_edit(const VersionEdit& edit);
// Any bytes are safe. Errors: kNewerFormat for a field this version does not know, kInvalidArgument saying what is
// malformed and at which byte of `bytes` (the reader of the file makes it a corruption with a place).
Result<VersionEdit> decode_version_edit(Slice bytes);

}  // namespace firn::lsm
