// Finds and reads the manifest in force, and judges what it finds: a torn last edit is cut, damage of what was durable
// is an error. Writes nothing. Format: lsm/manifest_format.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firn/file_system.h"
#include "firn/status.h"
#include "lsm/manifest_state.h"
#include "wal/log_format.h"
#include "wal/replay.h"

namespace firn::lsm {

struct LoadedManifest {
  std::uint64_t number = 0;
  std::string path;
  wal::DatabaseId database;
  ManifestState state;
  std::uint64_t base_end = 0;       // Offset after the first edit,
  std::uint64_t end = 0;            // and after the last one.
  std::uint32_t chain = 0;          // For an edit there.
  std::uint64_t dropped_bytes = 0;  // Of a torn edit behind it.
  bool settled = false;             // load_current_manifest: all of it, and that CURRENT names it, is on the device.
};

// One manifest. Errors: kNotFound, kIo, kCorruption, kNewerFormat.
Result<LoadedManifest> load_manifest(FileSystem& files, const std::string& directory, std::uint64_t number);

// The edits of a manifest up to the first that is damaged; `damage` says which. Errors: as load_manifest, kCorruption
// when not even the first edit is sound.
Result<LoadedManifest> load_sound_edits(FileSystem& files, const std::string& directory, std::uint64_t number,
                                        Status& damage);

// Firn's files in a directory, by number.
struct DirectoryContents {
  std::vector<std::uint64_t> manifests;
  std::vector<std::uint64_t> segments;
  std::vector<std::uint64_t> tables;
  bool has_current = false;
};
DirectoryContents database_contents(const std::vector<DirectoryEntry>& entries);
// Errors: kNotFound for a missing directory, kIo.
Result<DirectoryContents> list_database(FileSystem& files, const std::string& directory);

// The manifest in force. Errors: kNotADatabase, kIo, kCorruption, kNewerFormat.
Result<LoadedManifest> load_current_manifest(FileSystem& files, const std::string& directory,
                                             const DirectoryContents& contents);

// kCorruption naming a listed log segment that is too short to have been one: its size was durable before it was listed
// (LOG-3). A missing one is for the replay to report.
Status check_segment_sizes(const std::string& directory, const std::vector<DirectoryEntry>& entries,
                           const ManifestState& state);

// What the log of a database with this manifest is to be read with.
wal::ReplayRequest make_replay_request(const std::string& directory, const DirectoryContents& contents,
                                       const wal::DatabaseId& database, const ManifestState& state,
                                       const wal::ManifestEnd& end);

}  // namespace firn::lsm
