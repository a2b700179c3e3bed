#include "platform/sim/tree_copy.h"

#include <utility>

namespace firn::sim::internal {

std::shared_ptr<FileNode> TreeCopy::copy(const FileNode& file) {
  std::shared_ptr<FileNode>& known = files_[&file];
  if (known == nullptr) known = std::make_shared<FileNode>(file);
  return known;
}

std::shared_ptr<DirectoryNode> TreeCopy::copy(const DirectoryNode& directory) {
  if (const auto known = directories_.find(&directory); known != directories_.end()) return known->second;
  auto made = std::make_shared<DirectoryNode>();
  directories_.emplace(&directory, made);
  std::vector<NameOperation> operations = directory.operations();
  for (NameOperation& operation : operations) operation.node = copy(operation.node);
  *made = DirectoryNode(copy(directory.names()), copy(directory.durable()), std::move(operations));
  made->last_metadata = directory.last_metadata;
  return made;
}

Node TreeCopy::copy(const Node& node) {
  if (const std::shared_ptr<FileNode> file = as_file(node); file != nullptr) return copy(*file);
  const std::shared_ptr<DirectoryNode> directory = as_directory(node);
  return directory == nullptr ? Node() : Node(copy(*directory));
}

Names TreeCopy::copy(const Names& names) {
  Names copies;
  for (const auto& [name, node] : names) copies.emplace_hint(copies.end(), name, copy(node));
  return copies;
}

FileNode* TreeCopy::of(const FileNode* file) const {
  const auto known = files_.find(file);
  return known == files_.end() ? nullptr : known->second.get();
}

}  // namespace firn::sim::internal
