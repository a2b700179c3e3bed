// What the simulated file system and the files opened from it share. Internal to platform.
//
// Thread safety: `mutex` guards the tree of nodes and all other members but the count; consult() takes it itself.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "platform/sim/node.h"

namespace firn::sim::internal {

// A transfer that asked its hook and has not been carried out yet. Of its bytes any number may be there in a crash.
struct RunningTransfer {
  const FileNode* node = nullptr;
  FileOperation::Kind kind = FileOperation::Kind::kWrite;
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  std::span<const std::byte> bytes;
};

// An operation that was counted and asked about: its number from 1, and how it is to fail.
struct Consulted {
  std::uint64_t index = 0;
  std::optional<Fault> fault;

  bool is(FaultKind kind) const { return fault.has_value() && fault->kind == kind; }
  // Whether the device lies: nobody is told of an error.
  bool lies() const { return fault.has_value() && fault->kind > FaultKind::kDroppedSync; }
  // For operations that do all or nothing: the errno value to fail with, or 0.
  int error() const { return fault.has_value() && !lies() ? fault->error : 0; }
};

struct SimState {
  // Counts the operation and asks the hook about it, `running` being shown to crash points meanwhile. Precondition:
  // `mutex` is not held, for the hook may come back.
  Consulted consult(Operation operation, RunningTransfer* running = nullptr);

  // How many of `bytes` at `offset` find space.
  std::uint64_t writable_bytes(const FileNode& file, std::uint64_t offset, std::uint64_t bytes) const;
  // Brings what `file` is charged up to date after it changed.
  void charge(FileNode& file);
  // Its metadata, and all before it, is on a journalled device now.
  void commit_journal(std::uint64_t index) { journal_committed = std::max(journal_committed, index); }

  // A plain std::mutex: never held over a wait or a hook, so no schedule depends on it.
  std::mutex mutex;
  std::shared_ptr<DirectoryNode> root = std::make_shared<DirectoryNode>();
  std::set<const FileNode*> locked;  // By lock().
  std::vector<const RunningTransfer*> running;
  std::shared_ptr<const FaultHook> hook;
  std::uint64_t capacity_bytes = std::uint64_t{1} << 63;
  std::uint64_t used_bytes = 0;
  std::uint64_t journal_committed = 0;  // CrashProfile::kOrdered: operations up to it are.
  bool mappings = false;
  std::atomic<std::uint64_t> operation_count{0};
};

// Handles on an open file. Each keeps `node` alive, also after it lost its name.
std::unique_ptr<File> make_file(SimState& state, std::string path, std::shared_ptr<FileNode> node, bool writable);
std::unique_ptr<LogFile> make_log(SimState& state, std::string path, std::shared_ptr<FileNode> node,
                                  std::uint64_t capacity_bytes);
// Marks `node` as locked; `state.mutex` is held.
std::unique_ptr<FileLock> make_lock(SimState& state, std::shared_ptr<FileNode> node);

}  // namespace firn::sim::internal
