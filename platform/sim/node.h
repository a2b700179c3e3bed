// Files and directories of the simulated file system: for each the state that programs see, the state that is on the
// device for certain, and, in order, the operations that lie between. A crash state is the durable one plus a subset
// of those (platform/sim/frozen_state.h). Internal to platform.
//
// Rule of sync: operations are appended as kPending. A sync that succeeds makes the pending ones kDurable, one that
// fails makes them kInDoubt (their pages are clean in the cache but perhaps not on the device, as on Linux). They are
// folded into the durable state when none is in doubt; until then they stay listed, because order decides what lies
// over what.
//
// Thread safety: none; the file system's lock guards every node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "firn/file_system.h"
#include "platform/sim/paged_bytes.h"

namespace firn::sim::internal {

enum class Fate : std::uint8_t { kPending, kDurable, kInDoubt };

struct FileOperation {
  enum class Kind : std::uint8_t { kWrite, kStore, kTruncate };
  Kind kind = Kind::kWrite;
  Fate fate = Fate::kPending;
  std::uint64_t index = 0;  // Of the operation on the file system.
  std::uint64_t offset = 0;
  std::uint64_t size = 0;                              // kTruncate: the new size of the file.
  std::uint64_t size_before = 0;                       // Of the file.
  std::shared_ptr<const std::vector<std::byte>> data;  // kWrite, kStore; shared with frozen copies.

  std::span<const std::byte> bytes() const { return *data; }
  std::uint64_t end() const { return offset + data->size(); }
  bool grows() const { return kind != Kind::kTruncate && end() > size_before; }
};

class FileNode {
 public:
  explicit FileNode(FileKind kind) : kind_(kind) {}
  // A file whose every byte is durable.
  FileNode(FileKind kind, const PagedBytes& contents) : kind_(kind), contents_(contents), durable_(contents) {}

  FileKind kind() const { return kind_; }
  const PagedBytes& contents() const { return contents_; }
  const PagedBytes& durable() const { return durable_; }
  // What was durable before the last sync that made more so.
  const PagedBytes& stale() const { return stale_; }
  const std::vector<FileOperation>& operations() const { return operations_; }

  // `kind` is kWrite or kStore.
  void write(FileOperation::Kind kind, std::uint64_t index, std::uint64_t offset, std::span<const std::byte> bytes);
  void truncate(std::uint64_t index, std::uint64_t size);
  void sync(std::uint64_t index, bool succeeded);
  // Forgets all that is not durable but the size, as a kernel does with pages that it could not write.
  void drop(std::uint64_t index);

  // The last change of name or size, and the last sync that succeeded: operations on the file system, from 1.
  std::uint64_t last_metadata = 0;
  std::uint64_t last_sync = 0;
  // Space taken on the device: the larger of the file's size and `allocated_bytes`; 0 once no name is left.
  std::uint64_t allocated_bytes = 0;
  std::uint64_t charged_bytes = 0;
  bool linked = true;

 private:
  void apply_to_durable(const FileOperation& operation);

  FileKind kind_;
  PagedBytes contents_;
  PagedBytes durable_;
  PagedBytes stale_;
  std::vector<FileOperation> operations_;
};

class DirectoryNode;
using Node = std::variant<std::shared_ptr<FileNode>, std::shared_ptr<DirectoryNode>>;
using Names = std::map<std::string, Node>;

// Null when `node` is of the other sort.
std::shared_ptr<FileNode> as_file(const Node& node);
std::shared_ptr<DirectoryNode> as_directory(const Node& node);

struct NameOperation {
  enum class Kind : std::uint8_t { kLink, kUnlink, kRename };
  Kind kind = Kind::kLink;
  Fate fate = Fate::kPending;
  std::uint64_t index = 0;  // Of the operation on the file system.
  std::string name;         // Linked, unlinked, or renamed to.
  std::string from;         // kRename.
  Node node;                // kLink, kRename: what `name` now means.

  void apply_to(Names& names) const;
};

class DirectoryNode {
 public:
  DirectoryNode() = default;
  // A directory whose every name is durable.
  explicit DirectoryNode(const Names& names) : names_(names), durable_(names) {}
  DirectoryNode(Names names, Names durable, std::vector<NameOperation> operations)
      : names_(std::move(names)), durable_(std::move(durable)), operations_(std::move(operations)) {}

  const Names& names() const { return names_; }
  const Names& durable() const { return durable_; }
  const std::vector<NameOperation>& operations() const { return operations_; }

  void link(std::uint64_t index, const std::string& name, Node node);
  void unlink(std::uint64_t index, const std::string& name);
  // Within this directory; replaces `to`.
  void rename(std::uint64_t index, const std::string& from, const std::string& to);
  void sync(bool succeeded);

  std::uint64_t last_metadata = 0;  // As FileNode's.

 private:
  void add(NameOperation operation);

  Names names_;
  Names durable_;
  std::vector<NameOperation> operations_;
};

}  // namespace firn::sim::internal
