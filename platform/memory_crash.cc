// What a crash leaves of an in-memory file system. Tested in memory_file_system_test.cc.
#include <map>
#include <utility>

#include "platform/io.h"
#include "platform/memory_file_system.h"
#include "platform/memory_state.h"
#include "platform/random.h"

namespace firn {

namespace internal {

namespace {

class Never final : public CrashChoice {
 public:
  bool keep() override { return false; }
};

class Seeded final : public CrashChoice {
 public:
  Seeded(std::uint64_t seed, std::uint32_t keep_percent) : random_(seed), keep_percent_(keep_percent) {}
  bool keep() override { return random_.next() % 100 < keep_percent_; }

 private:
  SplitMix64 random_;
  const std::uint32_t keep_percent_;
};

// Builds the crash state of a tree, in the order of names, so that equal histories meet equal choices.
class TreeCrash {
 public:
  TreeCrash(CrashMode mode, CrashChoice& choice, MemoryState& result) : mode_(mode), choice_(choice), result_(result) {}

  std::shared_ptr<DirectoryNode> directory(const DirectoryNode& source) {
    Names names = mode_ == CrashMode::kKeepAll ? source.names() : source.crash(choice_);
    for (auto& [name, node] : names) {
      if (const std::shared_ptr<DirectoryNode> child = as_directory(node); child != nullptr) {
        node = directory(*child);
      } else {
        node = file(as_file(node));
      }
    }
    return std::make_shared<DirectoryNode>(names);
  }

 private:
  // One file may have two names now, if of a rename between directories only half was kept.
  std::shared_ptr<FileNode> file(const std::shared_ptr<FileNode>& source) {
    std::shared_ptr<FileNode>& copy = copies_[source.get()];
    if (copy != nullptr) return copy;
    // A process that dies takes nothing along: what is in doubt on the device is still seen by everybody.
    copy = std::make_shared<FileNode>(source->kind(),
                                      mode_ == CrashMode::kKeepAll ? source->contents() : source->crash(choice_));
    result_.charge(*copy);
    return copy;
  }

  const CrashMode mode_;
  CrashChoice& choice_;
  MemoryState& result_;
  std::map<const FileNode*, std::shared_ptr<FileNode>> copies_;
};

void append_pending(const FileNode& file, const std::string& path, std::vector<PendingOperation>& pending) {
  for (const FileOperation& operation : file.operations()) {
    if (operation.fate == Fate::kDurable) continue;
    const bool write = operation.kind == FileOperation::Kind::kWrite;
    pending.push_back({write ? PendingOperation::Kind::kWrite : PendingOperation::Kind::kTruncate, path,
                       operation.offset, write ? operation.bytes.size() : operation.size,
                       operation.fate == Fate::kInDoubt});
  }
}

PendingOperation::Kind pending_kind(NameOperation::Kind kind) {
  switch (kind) {
    case NameOperation::Kind::kLink: return PendingOperation::Kind::kLink;
    case NameOperation::Kind::kUnlink: return PendingOperation::Kind::kUnlink;
    case NameOperation::Kind::kRename: break;
  }
  return PendingOperation::Kind::kRename;
}

void append_pending(const DirectoryNode& directory, const std::string& path, std::vector<PendingOperation>& pending) {
  for (const NameOperation& operation : directory.operations()) {
    if (operation.fate == Fate::kDurable) continue;
    pending.push_back(
        {pending_kind(operation.kind), join_path(path, operation.name), 0, 0, operation.fate == Fate::kInDoubt});
  }
  for (const auto& [name, node] : directory.names()) {
    if (const std::shared_ptr<DirectoryNode> child = as_directory(node); child != nullptr) {
      append_pending(*child, join_path(path, name), pending);
    } else {
      append_pending(*as_file(node), join_path(path, name), pending);
    }
  }
}

}  // namespace

}  // namespace internal

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::crash_clone(const CrashOptions& options) const {
  auto result = std::make_unique<internal::MemoryState>();
  internal::Never never;
  internal::Seeded seeded(options.seed, options.keep_percent);
  internal::CrashChoice& choice =
      options.mode == CrashMode::kRandom ? static_cast<internal::CrashChoice&>(seeded) : never;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  result->mappings = state_->mappings;
  result->root = internal::TreeCrash(options.mode, choice, *result).directory(*state_->root);
  return std::unique_ptr<MemoryFileSystem>(new MemoryFileSystem(std::move(result)));
}

std::vector<PendingOperation> MemoryFileSystem::pending_operations() const {
  std::vector<PendingOperation> pending;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  internal::append_pending(*state_->root, "/", pending);
  return pending;
}

}  // namespace firn
