#include "firn/sim/file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/io.h"
#include "platform/sim/hash.h"
#include "platform/sim/state.h"
#include "platform/sim/tree.h"
#include "platform/sync.h"

namespace firn::sim {

using internal::as_directory;
using internal::as_file;
using internal::Consulted;
using internal::DirectoryNode;
using internal::FileNode;
using internal::Node;
using internal::Place;
using internal::SimState;

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

namespace {

std::uint64_t trace_of(const Operation& operation, const RunningTransfer* transfer) {
  std::uint64_t hash = hash_text(operation.path, static_cast<std::uint64_t>(operation.kind));
  hash = hash_mix(hash, hash_mix(operation.offset, operation.bytes));
  return transfer == nullptr ? hash : hash_bytes(transfer->bytes, hash);
}

}  // namespace

Consulted SimState::consult(Operation operation, RunningTransfer* transfer) {
  if (SchedulerHook* scheduler = firn::internal::scheduler_hook(); scheduler != nullptr) {
    scheduler->step(scheduler->traces() ? trace_of(operation, transfer) : 0);
  }
  operation.index = operation_count.fetch_add(1, std::memory_order_relaxed);
  Consulted consulted{operation.index + 1, std::nullopt};
  std::shared_ptr<const FaultHook> called;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (hook == nullptr) return consulted;
    called = hook;
    if (transfer != nullptr) {
      transfer->index = consulted.index;
      running.push_back(transfer);
    }
  }
  consulted.fault = (*called)(operation);
  if (transfer != nullptr) {
    const std::lock_guard<std::mutex> lock(mutex);
    std::erase(running, transfer);
  }
  if (consulted.is(FaultKind::kDelay)) {
    if (SchedulerHook* scheduler = firn::internal::scheduler_hook(); scheduler != nullptr) {
      scheduler->pause(consulted.fault->delay_ns);
    }
    consulted.fault.reset();
  }
  return consulted;
}

std::uint64_t SimState::writable_bytes(const FileNode& file, std::uint64_t offset, std::uint64_t bytes) const {
  const std::uint64_t free = used_bytes < capacity_bytes ? capacity_bytes - used_bytes : 0;
  const std::uint64_t end = file.charged_bytes + free;
  if (!file.linked) return bytes;
  return end <= offset ? 0 : std::min(bytes, end - offset);
}

void SimState::charge(FileNode& file) {
  const std::uint64_t now = file.linked ? std::max(file.contents().size(), file.allocated_bytes) : 0;
  used_bytes = used_bytes - file.charged_bytes + now;
  file.charged_bytes = now;
}

}  // namespace internal

SimFileSystem::SimFileSystem() : SimFileSystem(Options()) {}

SimFileSystem::SimFileSystem(Options options) : state_(std::make_unique<SimState>()) {
  state_->mappings = options.mappings;
}

SimFileSystem::SimFileSystem(std::unique_ptr<SimState> state) : state_(std::move(state)) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode, FileKind kind) {
  const bool create = mode == OpenMode::kCreate;
  const char* const operation = create ? "create" : "open";
  const Consulted asked = state_->consult({create ? OperationKind::kCreate : OperationKind::kOpen, path, kind});
  int error = asked.error();
  if (error != 0) return errno_status(operation, path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::shared_ptr<FileNode> node =
      create ? create_file(*state_, asked.index, path, kind, error) : find_file(*state_, path, error);
  if (node == nullptr) return errno_status(operation, path, error);
  return internal::make_file(*state_, path, std::move(node), mode != OpenMode::kRead);
}

Result<std::unique_ptr<LogFile>> SimFileSystem::create_log(const std::string& path, std::uint64_t capacity_bytes) {
  const Consulted asked = state_->consult({OperationKind::kCreate, path, FileKind::kLog, 0, 0, capacity_bytes});
  int error = asked.error();
  if (error != 0) return errno_status("create log", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->writable_bytes(FileNode(FileKind::kLog), 0, capacity_bytes) < capacity_bytes) {
    return errno_status("create log", path, ENOSPC);
  }
  std::shared_ptr<FileNode> node = create_file(*state_, asked.index, path, FileKind::kLog, error);
  if (node == nullptr) return errno_status("create log", path, error);
  node->truncate(asked.index, capacity_bytes);
  state_->charge(*node);
  return internal::make_log(*state_, path, std::move(node), capacity_bytes);
}

Status SimFileSystem::create_directory(const std::string& path) {
  const Consulted asked = state_->consult({OperationKind::kCreateDirectory, path});
  if (asked.error() != 0) return errno_status("create directory", path, asked.error());
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const Place place = find(*state_, path);
  if (place.error != 0) return errno_status("create directory", path, place.error);
  if (place.name.empty()) return Status();
  if (const Node* node = place.node(); node != nullptr) {
    return as_directory(*node) != nullptr ? Status() : errno_status("create directory", path, EEXIST);
  }
  place.directory->link(asked.index, place.name, std::make_shared<DirectoryNode>());
  return Status();
}

Status SimFileSystem::rename(const std::string& from, const std::string& to) {
  const Consulted asked = state_->consult({OperationKind::kRename, to});
  int error = asked.error();
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = rename_node(*state_, asked.index, from, to);
  }
  return error == 0 ? Status() : errno_status("rename " + from + " to", to, error);
}

Status SimFileSystem::remove(const std::string& path) {
  const Consulted asked = state_->consult({OperationKind::kRemove, path});
  int error = asked.error();
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = remove_file(*state_, asked.index, path);
  }
  return error == 0 ? Status() : errno_status("remove", path, error);
}

Status SimFileSystem::remove_directory(const std::string& path) {
  const Consulted asked = state_->consult({OperationKind::kRemoveDirectory, path});
  int error = asked.error();
  if (error == 0) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    error = remove_empty_directory(*state_, asked.index, path);
  }
  return error == 0 ? Status() : errno_status("remove directory", path, error);
}

Status SimFileSystem::sync_directory(const std::string& path) {
  const Consulted asked = state_->consult({OperationKind::kSyncDirectory, path});
  const std::lock_guard<std::mutex> lock(state_->mutex);
  int error = 0;
  const std::shared_ptr<DirectoryNode> directory = find_directory(*state_, path, error);
  if (directory != nullptr) {
    directory->sync(asked.error() == 0);
    if (asked.error() == 0) state_->commit_journal(directory->last_metadata);
  }
  if (asked.error() != 0) error = asked.error();
  return error == 0 ? Status() : errno_status("sync directory", path, error);
}

Result<std::vector<DirectoryEntry>> SimFileSystem::list(const std::string& path) {
  int error = state_->consult({OperationKind::kList, path}).error();
  if (error != 0) return errno_status("list directory", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const std::shared_ptr<DirectoryNode> directory = find_directory(*state_, path, error);
  if (directory == nullptr) return errno_status("list directory", path, error);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : directory->names()) {
    const std::shared_ptr<FileNode> file = as_file(node);
    entries.push_back({name, file == nullptr, file == nullptr ? 0 : file->contents().size()});
  }
  return entries;
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock(const std::string& path) {
  const Consulted asked = state_->consult({OperationKind::kLock, path, FileKind::kLock});
  int error = asked.error();
  if (error != 0) return errno_status("lock", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::shared_ptr<FileNode> node = find_file(*state_, path, error);
  if (error == ENOENT) node = create_file(*state_, asked.index, path, FileKind::kLock, error);
  if (node == nullptr) return errno_status("lock", path, error);
  if (state_->locked.contains(node.get())) return Status(StatusCode::kBusy, "lock " + path + ": already held");
  return internal::make_lock(*state_, std::move(node));
}

std::uint64_t SimFileSystem::mapping_budget_bytes() { return state_->mappings ? UINT64_MAX / 2 : 0; }

Result<SpaceInfo> SimFileSystem::space(const std::string& path) {
  int error = state_->consult({OperationKind::kSpace, path}).error();
  if (error != 0) return errno_status("get the free space of", path, error);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (find_directory(*state_, path, error) == nullptr) return errno_status("get the free space of", path, error);
  const std::uint64_t used = std::min(state_->used_bytes, state_->capacity_bytes);
  return SpaceInfo{state_->capacity_bytes - used, state_->capacity_bytes};
}

void SimFileSystem::set_fault_hook(FaultHook hook) {
  auto shared = hook == nullptr ? nullptr : std::make_shared<const FaultHook>(std::move(hook));
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->hook.swap(shared);
}

void SimFileSystem::set_capacity(std::uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->capacity_bytes = bytes;
}

std::uint64_t SimFileSystem::operation_count() const { return state_->operation_count.load(std::memory_order_relaxed); }

namespace {

std::uint64_t hash_tree(const DirectoryNode& directory, std::uint64_t seed) {
  std::uint64_t hash = hash_mix(seed, directory.names().size());
  for (const auto& [name, node] : directory.names()) {
    hash = hash_text(name, hash);
    const std::shared_ptr<FileNode> file = as_file(node);
    hash = file == nullptr ? hash_tree(*as_directory(node), hash) : hash_mix(hash, file->contents().hash());
  }
  return hash;
}

}  // namespace

std::uint64_t SimFileSystem::content_hash() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return hash_tree(*state_->root, 0);
}

}  // namespace firn::sim
