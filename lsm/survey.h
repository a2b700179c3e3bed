// What of a damaged database can be found: the newest manifest that says anything, and what is wrong with the files
// that lead to it. The beginning of verify_files() and repair(). Writes nothing.
//
// Thread safety: free functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firn/file_system.h"
#include "firn/repair.h"
#include "lsm/manifest_reader.h"

namespace firn::lsm {

struct Survey {
  DirectoryContents contents;
  std::optional<LoadedManifest> manifest;  // Up to its first damage; absent when none can be read.
  bool complete = false;                   // It is the one in force, whole.
  std::vector<Damage> damage;              // Of CURRENT and the manifests.
};

// Errors: kNotADatabase, kNewerFormat, kIo.
Result<Survey> survey(FileSystem& files, const std::string& directory);

// `status` as the damage of a file that loses no keys by itself.
Damage damage_of(const Status& status);

}  // namespace firn::lsm
