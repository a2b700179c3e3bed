// What the in-memory file system and the files opened from it share. Internal to platform.
//
// Thread safety: `mutex` guards the tree of nodes and all other members but the count; consult() takes it itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "platform/memory_file_system.h"
#include "platform/memory_node.h"

namespace firn::internal {

struct MemoryState {
  // Counts the operation and asks the hook about it. Precondition: `mutex` is not held, for the hook may come back.
  std::optional<Fault> consult(OperationKind kind, const std::string& path, FileKind file_kind = FileKind::kOther,
                               std::uint64_t offset = 0, std::uint64_t bytes = 0);
  // The same for operations that do all or nothing: the errno value to fail with, or 0.
  int consult_error(OperationKind kind, const std::string& path, FileKind file_kind = FileKind::kOther,
                    std::uint64_t bytes = 0);

  // How many of `bytes` at `offset` find space.
  std::uint64_t writable_bytes(const FileNode& file, std::uint64_t offset, std::uint64_t bytes) const;
  // Brings what `file` is charged up to date after it changed.
  void charge(FileNode& file);

  // A plain std::mutex: never held over a wait or a hook, so no schedule depends on it.
  std::mutex mutex;
  std::shared_ptr<DirectoryNode> root = std::make_shared<DirectoryNode>();
  std::set<const FileNode*> locked;  // By lock().
  std::shared_ptr<const FaultHook> hook;
  std::uint64_t capacity_bytes = std::uint64_t{1} << 63;
  std::uint64_t used_bytes = 0;
  bool mappings = false;
  std::atomic<std::uint64_t> operation_count{0};
};

// Handles on an open file. Each keeps `node` alive, also after it lost its name.
std::unique_ptr<File> make_memory_file(MemoryState& state, std::string path, std::shared_ptr<FileNode> node,
                                       bool writable);
std::unique_ptr<LogFile> make_memory_log(MemoryState& state, std::string path, std::shared_ptr<FileNode> node,
                                         std::uint64_t capacity_bytes);
// Marks `node` as locked; `state.mutex` is held.
std::unique_ptr<FileLock> make_memory_lock(MemoryState& state, std::shared_ptr<FileNode> node);

}  // namespace firn::internal
