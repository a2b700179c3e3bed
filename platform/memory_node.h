// Files and directories of the in-memory file system: for each the state that programs see, the state that is on the
// device for certain, and, in order, the operations that lie between. A crash state is the durable one plus a subset
// of those. Internal to platform.
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
#include <variant>
#include <vector>

#include "firn/file_system.h"
#include "platform/paged_bytes.h"

namespace firn::internal {

// The device's smallest atomic write.
inline constexpr std::uint64_t kSectorBytes = 512;

enum class Fate : std::uint8_t { kPending, kDurable, kInDoubt };

// Chooses for a crash state, piece by piece, what of an operation that is not durable gets there.
class CrashChoice {
 public:
  virtual ~CrashChoice() = default;
  virtual bool keep() = 0;
};

struct FileOperation {
  enum class Kind : std::uint8_t { kWrite, kTruncate };
  Kind kind = Kind::kWrite;
  Fate fate = Fate::kPending;
  std::uint64_t offset = 0;      // kWrite.
  std::uint64_t size = 0;        // kTruncate: the new size of the file.
  std::vector<std::byte> bytes;  // kWrite.
};

class FileNode {
 public:
  explicit FileNode(FileKind kind) : kind_(kind) {}
  // A file whose every byte is durable.
  FileNode(FileKind kind, const PagedBytes& contents) : kind_(kind), contents_(contents), durable_(contents) {}

  FileKind kind() const { return kind_; }
  const PagedBytes& contents() const { return contents_; }
  const std::vector<FileOperation>& operations() const { return operations_; }

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void truncate(std::uint64_t size);
  void sync(bool succeeded);
  // Durable bytes, and of the rest what `choice` keeps: each sector of a write, each change of size.
  PagedBytes crash(CrashChoice& choice) const;

  // Space taken on the device: the larger of the file's size and `allocated_bytes`; 0 once no name is left.
  std::uint64_t allocated_bytes = 0;
  std::uint64_t charged_bytes = 0;
  bool linked = true;

 private:
  FileKind kind_;
  PagedBytes contents_;
  PagedBytes durable_;
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
  std::string name;  // Linked, unlinked, or renamed to.
  std::string from;  // kRename.
  Node node;         // kLink, kRename: what `name` now means.
};

class DirectoryNode {
 public:
  DirectoryNode() = default;
  // A directory whose every name is durable.
  explicit DirectoryNode(const Names& names) : names_(names), durable_(names) {}

  const Names& names() const { return names_; }
  const std::vector<NameOperation>& operations() const { return operations_; }

  void link(const std::string& name, Node node);
  void unlink(const std::string& name);
  // Within this directory; replaces `to`.
  void rename(const std::string& from, const std::string& to);
  void sync(bool succeeded);
  // Durable names, and of the operations since those that `choice` keeps.
  Names crash(CrashChoice& choice) const;

 private:
  void add(NameOperation operation);

  Names names_;
  Names durable_;
  std::vector<NameOperation> operations_;
};

}  // namespace firn::internal
