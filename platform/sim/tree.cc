#include "platform/sim/tree.h"

#include <algorithm>
#include <cerrno>

namespace firn::sim::internal {

const Node* Place::node() const {
  const auto found = directory->names().find(name);
  return found == directory->names().end() ? nullptr : &found->second;
}

Place find(const SimState& state, std::string_view path) {
  Place place{0, state.root, {}};
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!place.name.empty()) {
      const Node* node = place.node();
      if (node == nullptr) return {ENOENT, nullptr, {}};
      place.directory = as_directory(*node);
      if (place.directory == nullptr) return {ENOTDIR, nullptr, {}};
    }
    place.name = part;
  }
  return place;
}

std::shared_ptr<DirectoryNode> find_directory(const SimState& state, const std::string& path, int& error) {
  const Place place = find(state, path);
  error = place.error;
  if (error != 0) return nullptr;
  if (place.name.empty()) return place.directory;
  const Node* node = place.node();
  if (node == nullptr) {
    error = ENOENT;
    return nullptr;
  }
  std::shared_ptr<DirectoryNode> directory = as_directory(*node);
  if (directory == nullptr) error = ENOTDIR;
  return directory;
}

std::shared_ptr<FileNode> find_file(const SimState& state, const std::string& path, int& error) {
  const Place place = find(state, path);
  error = place.error;
  if (error != 0) return nullptr;
  const Node* node = place.name.empty() ? nullptr : place.node();
  if (node == nullptr) {
    error = place.name.empty() ? EISDIR : ENOENT;
    return nullptr;
  }
  std::shared_ptr<FileNode> file = as_file(*node);
  if (file == nullptr) error = EISDIR;
  return file;
}

std::shared_ptr<FileNode> create_file(const SimState& state, std::uint64_t index, const std::string& path,
                                      FileKind kind, int& error) {
  const Place place = find(state, path);
  error = place.error;
  if (error == 0 && (place.name.empty() || place.node() != nullptr)) error = EEXIST;
  if (error != 0) return nullptr;
  auto file = std::make_shared<FileNode>(kind);
  place.directory->link(index, place.name, file);
  return file;
}

namespace {

// Forgets one name of `node`: files have no other, for there are no hard links.
void release(SimState& state, const Node& node) {
  if (const std::shared_ptr<FileNode> file = as_file(node); file != nullptr) {
    file->linked = false;
    state.charge(*file);
  }
}

}  // namespace

int remove_file(SimState& state, std::uint64_t index, const std::string& path) {
  int error = 0;
  const std::shared_ptr<FileNode> file = find_file(state, path, error);
  if (error != 0) return error;
  const Place place = find(state, path);
  place.directory->unlink(index, place.name);
  release(state, file);
  return 0;
}

int remove_empty_directory(const SimState& state, std::uint64_t index, const std::string& path) {
  int error = 0;
  const std::shared_ptr<DirectoryNode> directory = find_directory(state, path, error);
  if (error != 0) return error;
  const Place place = find(state, path);
  if (place.name.empty()) return EBUSY;
  if (!directory->names().empty()) return ENOTEMPTY;
  place.directory->unlink(index, place.name);
  return 0;
}

int rename_node(SimState& state, std::uint64_t index, const std::string& from, const std::string& to) {
  const Place source = find(state, from);
  const Place target = find(state, to);
  if (source.error != 0 || target.error != 0) return source.error != 0 ? source.error : target.error;
  if (source.name.empty() || target.name.empty()) return EBUSY;
  const Node* found = source.node();
  if (found == nullptr) return ENOENT;
  if (to.starts_with(from + "/")) return EINVAL;  // A directory cannot move into itself.
  const Node node = *found;
  if (const Node* replaced = target.node(); replaced != nullptr) {
    if (*replaced == node) return 0;
    if (as_directory(*replaced) != nullptr) return EISDIR;
    if (as_directory(node) != nullptr) return ENOTDIR;
    release(state, *replaced);
  }
  if (source.directory == target.directory) {
    source.directory->rename(index, source.name, target.name);
  } else {
    target.directory->link(index, target.name, node);
    source.directory->unlink(index, source.name);
  }
  return 0;
}

}  // namespace firn::sim::internal
