// Paths and names of the simulated file system: where a path leads, and what changes names. Errors are errno values.
// Internal to platform. Tested in tests/sim/file_system_test.cc.
//
// Thread safety: none; SimState::mutex is held.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "platform/sim/state.h"

namespace firn::sim::internal {

// Where a path leads: `directory` is the parent, `name` the last component (empty for the root itself).
struct Place {
  int error = 0;  // ENOENT or ENOTDIR when the parent is not there.
  std::shared_ptr<DirectoryNode> directory;
  std::string name;

  // What the name means; null when nothing.
  const Node* node() const;
};

Place find(const SimState& state, std::string_view path);
// Null, and `error` set, when the path leads to none.
std::shared_ptr<DirectoryNode> find_directory(const SimState& state, const std::string& path, int& error);
std::shared_ptr<FileNode> find_file(const SimState& state, const std::string& path, int& error);

// `index` is the operation's.
std::shared_ptr<FileNode> create_file(const SimState& state, std::uint64_t index, const std::string& path,
                                      FileKind kind, int& error);
int remove_file(SimState& state, std::uint64_t index, const std::string& path);
int remove_empty_directory(const SimState& state, std::uint64_t index, const std::string& path);
int rename_node(SimState& state, std::uint64_t index, const std::string& from, const std::string& to);

}  // namespace firn::sim::internal
