// A file system at one moment, as a CrashPoint keeps it: the state that is certain, the steps from there to what
// programs saw, and the units that the steps come apart in. Internal to platform.
//
// Thread safety: constant once made; layout() makes the units when first asked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "firn/sim/crash.h"
#include "platform/sim/state.h"

namespace firn::sim::internal {

// A file or directory, by its place in FrozenState.
struct FrozenNode {
  bool is_file = false;
  std::uint32_t number = 0;
};
using FrozenNames = std::map<std::string, FrozenNode>;

struct FrozenFile {
  FileKind kind = FileKind::kOther;
  std::string path;  // One of its names.
  PagedBytes base;
  const FileNode* node = nullptr;  // In FrozenState::tree.
};

struct FrozenDirectory {
  std::string path;
  FrozenNames base;
};

struct FrozenNameChange {
  NameOperation::Kind kind = NameOperation::Kind::kLink;
  std::string name;
  std::string from;  // kRename.
  FrozenNode node;   // kLink, kRename.
};

// One operation since the base: a change of names if `change` is there, else one of the file's.
struct FrozenStep {
  std::uint64_t index = 0;
  std::uint32_t node = 0;  // The file, or the directory of the change.
  bool settled = false;    // Certain; but it lies over steps that are not.
  bool sync_failed = false;
  bool running = false;
  FileOperation operation;
  std::shared_ptr<const FrozenNameChange> change;
};

// Which units a step owns: pieces of its bytes first, then its size.
struct StepUnits {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t journal = 0;  // Its place among the changes of the journal, from 1; 0: not one of them.
};

struct Layout {
  std::vector<CrashUnit> units;
  std::vector<StepUnits> steps;
  std::uint32_t journal_unit = 0;
};

struct FrozenState {
  const Layout& layout() const;

  CrashProfile profile = CrashProfile::kStrict;
  CrashGrain grain;
  bool mappings = false;
  std::vector<FrozenFile> files;
  std::vector<FrozenDirectory> directories;  // The root first.
  std::vector<FrozenStep> steps;             // In order of time.

  // kProcessKill only: all nodes, for what was not durable still is not, and what else the machine goes on with.
  std::shared_ptr<const DirectoryNode> tree;
  std::uint64_t used_bytes = 0;
  std::uint64_t journal_committed = 0;
  std::uint64_t operation_count = 0;

 private:
  mutable std::once_flag layout_made_;
  mutable Layout layout_;
};

// `state.mutex` is held.
std::shared_ptr<const FrozenState> freeze(const SimState& state, CrashProfile profile, CrashGrain grain);

}  // namespace firn::sim::internal
