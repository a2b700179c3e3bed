// Copies files and directories with all that is not durable of them: what a killed process leaves to the operating
// system. Internal to platform. Tested in tests/sim/crash_test.cc.
//
// Thread safety: none; the originals do not change meanwhile.
#pragma once

#include <memory>
#include <unordered_map>

#include "platform/sim/node.h"

namespace firn::sim::internal {

class TreeCopy {
 public:
  // `directory` with all that it leads to, now or after a crash.
  std::shared_ptr<DirectoryNode> copy(const DirectoryNode& directory);
  // The copy of `file`; null when no directory led to it.
  FileNode* of(const FileNode* file) const;

 private:
  std::shared_ptr<FileNode> copy(const FileNode& file);
  Node copy(const Node& node);
  Names copy(const Names& names);

  std::unordered_map<const FileNode*, std::shared_ptr<FileNode>> files_;
  std::unordered_map<const DirectoryNode*, std::shared_ptr<DirectoryNode>> directories_;
};

}  // namespace firn::sim::internal
