#include "platform/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "platform/io.h"
#include "platform/memory_node.h"
#include "platform/memory_state.h"

namespace firn {

using internal::as_directory;
using internal::as_file;
using internal::DirectoryNode;
using internal::FileNode;
using internal::MemoryState;
using internal::Node;

std::string_view operation_kind_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kOpen: return "open";
    case OperationKind::kCreate: return "create";
    case OperationKind::kRead: return "read";
    case OperationKind::kWrite: return "write";
    case OperationKind::kPublish: return "publish";
    case OperationKind::kSync: return "sync";
    case OperationKind::kSize: return "size";
    case OperationKind::kTruncate: return "truncate";
    case OperationKind::kAllocate: return "allocate";
    case OperationKind::kMap: return "map";
    case OperationKind::kCreateDirectory: return "create_directory";
    case OperationKind::kRename: return "rename";
    case OperationKind::kRemove: return "remove";
    case OperationKind::kRemoveDirectory: return "remove_directory";
    case OperationKind::kSyncDirectory: return "sync_directory";
    case OperationKind::kList: return "list";
    case OperationKind::kLock: return "lock";
    case OperationKind::kSpace: return "space";
  }
  return "unknown";
}

namespace internal {

std::optional<Fault> MemoryState::consult(OperationKind kind, const std::string& path, FileKind file_kind,
                                          std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t index = operation_count.fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<const FaultHook> called;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    called = hook;
  }
  if (called == nullptr) return std::nullopt;
  return (*called)(Operation{kind, path, file_kind, index, offset, bytes});
}

int MemoryState::consult_error(OperationKind kind, const std::string& path, FileKind file_kind, std::uint64_t bytes) {
  const std::optional<Fault> fault = consult(kind, path, file_kind, 0, bytes);
  return fault.has_value() ? fault->error : 0;
}

std::uint64_t MemoryState::writable_bytes(const FileNode& file, std::uint64_t offset, std::uint64_t bytes) const {
  const std::uint64_t free = used_bytes < capacity_bytes ? capacity_bytes - used_bytes : 0;
  const std::uint64_t end = file.charged_bytes + free;
  if (!file.linked) return bytes;
  return end <= offset ? 0 : std::min(bytes, end - offset);
}

void MemoryState::charge(FileNode& file) {
  const std::uint64_t now = file.linked ? std::max(file.contents().size(), file.allocated_bytes) : 0;
  used_bytes = used_bytes - file.charged_bytes + now;
  file.charged_bytes = now;
}

namespace {

// Where a path leads: `directory` is the parent, `name` the last component (empty for the root itself).
struct Place {
  int error = 0;  // ENOENT or ENOTDIR when the parent is not there.
  std::shared_ptr<DirectoryNode> directory;
  std::string name;

  // What the name means; null when nothing.
  const Node* node() const {
    const auto found = directory->names().find(name);
    return found == directory->names().end() ? nullptr : &found->second;
  }
};

Place find(const MemoryState& state, std::string_view path) {
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

std::shared_ptr<DirectoryNode> find_directory(const MemoryState& state, const std::string& path, int& error) {
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

std::shared_ptr<FileNode> find_file(const MemoryState& state, const std::string& path, int& error) {
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

std::shared_ptr<FileNode> create_file(const MemoryState& state, const std::string& path, FileKind kind, int& error) {
  const Place place = find(state, path);
  error = place.error;
  if (error == 0 && (place.name.empty() || place.node() != nullptr)) error = EEXIST;
  if (error != 0) return nullptr;
  auto file = std::make_shared<FileNode>(kind);
  place.directory->link(place.name, file);
  return file;
}

// Forgets one name of `node`: files have no other, for there are no hard links.
void release(MemoryState& state, const Node& node) {
  if (const std::shared_ptr<FileNode> file = as_file(node); file != nullptr) {
    file->linked = false;
    state.charge(*file);
  }
}

int remove_file(MemoryState& state, const std::string& path) {
  int error = 0;
  const std::shared_ptr<FileNode> file = find_file(state, path, error);
  if (error != 0) return error;
  const Place place = find(state, path);
  place.directory->unlink(place.name);
  release(state, file);
  return 0;
}

int remove_empty_directory(const MemoryState& state, const std::string& path) {
  int error = 0;
  const std::shared_ptr<DirectoryNode> directory = find_directory(state, path, error);
  if (error != 0) return error;
  const Place place = find(state, path);
  if (place.name.empty()) return EBUSY;
  if (!directory->names().empty()) return ENOTEMPTY;
  place.directory->unlink(place.name);
  return 0;
}

int rename_node(MemoryState& state, const std::string& from, const std::string& to) {
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
    source.directory->rename(source.name, target.name);
  } else {
    target.directory->link(target.name, node);
    source.directory->unlink(source.name);
  }
  return 0;
}

}  // namespace

}  // namespace internal

MemoryFileSystem::MemoryFileSystem() : MemoryFileSystem(Options()) {}

MemoryFileSystem::MemoryFileSystem(Options options) : state_(std::make_unique<MemoryState>()) {
  state_->mappings = options.mappings;
}

MemoryFileSystem::MemoryFileSystem(std::unique_ptr<MemoryState> state) : state_(std::move(state)) {}

MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode, FileKind kind) {
  const bool create = mode == OpenMode::kCreate;
  const char* const operation = create ? "create" : "open";
  int error = state_->consult_error(create ? OperationKind::kCreate : OperationKind::kOpen, path, kind);
  if (error != 0) return errno_status(operation, path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::shared_ptr<FileNode> node =
      create ? internal::create_file(*state_, path, kind, error) : internal::find_file(*state_, path, error);
  if (node == nullptr) return errno_status(operation, path, error);
  return internal::make_memory_file(*state_, path, std::move(node), mode != OpenMode::kRead);
}

Result<std::unique_ptr<LogFile>> MemoryFileSystem::create_log(const std::string& path, std::uint64_t capacity_bytes) {
  int error = state_->consult_error(OperationKind::kCreate, path, FileKind::kLog, capacity_bytes);
  if (error != 0) return errno_status("create log", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->writable_bytes(FileNode(FileKind::kLog), 0, capacity_bytes) < capacity_bytes) {
    return errno_status("create log", path, ENOSPC);
  }
  std::shared_ptr<FileNode> node = internal::create_file(*state_, path, FileKind::kLog, error);
  if (node == nullptr) return errno_status("create log", path, error);
  node->truncate(capacity_bytes);
  state_->charge(*node);
  return internal::make_memory_log(*state_, path, std::move(node), capacity_bytes);
}

Status MemoryFileSystem::create_directory(const std::string& path) {
  int error = state_->consult_error(OperationKind::kCreateDirectory, path);
  if (error != 0) return errno_status("create directory", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const internal::Place place = internal::find(*state_, path);
  if (place.error != 0) return errno_status("create directory", path, place.error);
  if (place.name.empty()) return Status();
  if (const Node* node = place.node(); node != nullptr) {
    return as_directory(*node) != nullptr ? Status() : errno_status("create directory", path, EEXIST);
  }
  place.directory->link(place.name, std::make_shared<DirectoryNode>());
  return Status();
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  int error = state_->consult_error(OperationKind::kRename, to);
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = internal::rename_node(*state_, from, to);
  }
  return error == 0 ? Status() : errno_status("rename " + from + " to", to, error);
}

Status MemoryFileSystem::remove(const std::string& path) {
  int error = state_->consult_error(OperationKind::kRemove, path);
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = internal::remove_file(*state_, path);
  }
  return error == 0 ? Status() : errno_status("remove", path, error);
}

Status MemoryFileSystem::remove_directory(const std::string& path) {
  int error = state_->consult_error(OperationKind::kRemoveDirectory, path);
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = internal::remove_empty_directory(*state_, path);
  }
  return error == 0 ? Status() : errno_status("remove directory", path, error);
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  const int fault = state_->consult_error(OperationKind::kSyncDirectory, path);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  int error = 0;
  const std::shared_ptr<DirectoryNode> directory = internal::find_directory(*state_, path, error);
  if (directory != nullptr) directory->sync(fault == 0);
  if (fault != 0) error = fault;
  return error == 0 ? Status() : errno_status("sync directory", path, error);
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const std::string& path) {
  int error = state_->consult_error(OperationKind::kList, path);
  if (error != 0) return errno_status("list directory", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const std::shared_ptr<DirectoryNode> directory = internal::find_directory(*state_, path, error);
  if (directory == nullptr) return errno_status("list directory", path, error);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : directory->names()) {
    const std::shared_ptr<FileNode> file = as_file(node);
    entries.push_back({name, file == nullptr, file == nullptr ? 0 : file->contents().size()});
  }
  return entries;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  int error = state_->consult_error(OperationKind::kLock, path, FileKind::kLock);
  if (error != 0) return errno_status("lock", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::shared_ptr<FileNode> node = internal::find_file(*state_, path, error);
  if (error == ENOENT) node = internal::create_file(*state_, path, FileKind::kLock, error);
  if (node == nullptr) return errno_status("lock", path, error);
  if (state_->locked.contains(node.get())) return Status(StatusCode::kBusy, "lock " + path + ": already held");
  return internal::make_memory_lock(*state_, std::move(node));
}

Result<SpaceInfo> MemoryFileSystem::space(const std::string& path) {
  int error = state_->consult_error(OperationKind::kSpace, path);
  if (error != 0) return errno_status("get the free space of", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (internal::find_directory(*state_, path, error) == nullptr) {
    return errno_status("get the free space of", path, error);
  }
  const std::uint64_t used = std::min(state_->used_bytes, state_->capacity_bytes);
  return SpaceInfo{state_->capacity_bytes - used, state_->capacity_bytes};
}

void MemoryFileSystem::set_fault_hook(FaultHook hook) {
  auto shared = hook == nullptr ? nullptr : std::make_shared<const FaultHook>(std::move(hook));
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->hook.swap(shared);
}

void MemoryFileSystem::set_capacity(std::uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->capacity_bytes = bytes;
}

std::uint64_t MemoryFileSystem::operation_count() const {
  return state_->operation_count.load(std::memory_order_relaxed);
}

}  // namespace firn
