#include "platform/sim/node.h"

#include <utility>

namespace firn::sim::internal {

namespace {

// What a sync does to the operations since the last one; true when all of them can be folded into the durable state.
template <class Operation>
bool decide(std::vector<Operation>& operations, bool succeeded) {
  bool in_doubt = false;
  for (Operation& operation : operations) {
    if (operation.fate == Fate::kPending) operation.fate = succeeded ? Fate::kDurable : Fate::kInDoubt;
    in_doubt = in_doubt || operation.fate == Fate::kInDoubt;
  }
  return !in_doubt;
}

}  // namespace

std::shared_ptr<FileNode> as_file(const Node& node) {
  const auto* file = std::get_if<std::shared_ptr<FileNode>>(&node);
  return file == nullptr ? nullptr : *file;
}

std::shared_ptr<DirectoryNode> as_directory(const Node& node) {
  const auto* directory = std::get_if<std::shared_ptr<DirectoryNode>>(&node);
  return directory == nullptr ? nullptr : *directory;
}

void FileNode::write(FileOperation::Kind kind, std::uint64_t index, std::uint64_t offset,
                     std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  operations_.push_back({kind, Fate::kPending, index, offset, 0, contents_.size(),
                         std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end())});
  if (operations_.back().grows()) last_metadata = index;
  contents_.write(offset, bytes);
}

void FileNode::truncate(std::uint64_t index, std::uint64_t size) {
  operations_.push_back({FileOperation::Kind::kTruncate, Fate::kPending, index, 0, size, contents_.size(), nullptr});
  last_metadata = index;
  contents_.resize(size);
}

void FileNode::sync(std::uint64_t index, bool succeeded) {
  if (succeeded) last_sync = index;
  if (!decide(operations_, succeeded) || operations_.empty()) return;
  stale_ = durable_;
  for (const FileOperation& operation : operations_) apply_to_durable(operation);
  operations_.clear();
}

void FileNode::apply_to_durable(const FileOperation& operation) {
  if (operation.kind == FileOperation::Kind::kTruncate) {
    durable_.resize(operation.size);
  } else {
    durable_.write(operation.offset, operation.bytes());
  }
}

void FileNode::drop(std::uint64_t index) {
  for (const FileOperation& operation : operations_) {
    if (operation.fate == Fate::kDurable) apply_to_durable(operation);
  }
  operations_.clear();
  const std::uint64_t size = contents_.size();
  contents_ = durable_;
  if (contents_.size() != size) truncate(index, size);
}

void NameOperation::apply_to(Names& names) const {
  switch (kind) {
    case Kind::kLink: names[name] = node; break;
    case Kind::kUnlink: names.erase(name); break;
    case Kind::kRename:
      names.erase(from);
      names[name] = node;
      break;
  }
}

void DirectoryNode::add(NameOperation operation) {
  operation.apply_to(names_);
  last_metadata = operation.index;
  if (const std::shared_ptr<FileNode> file = as_file(operation.node); file != nullptr) {
    file->last_metadata = operation.index;
  }
  operations_.push_back(std::move(operation));
}

void DirectoryNode::link(std::uint64_t index, const std::string& name, Node node) {
  add({NameOperation::Kind::kLink, Fate::kPending, index, name, {}, std::move(node)});
}

void DirectoryNode::unlink(std::uint64_t index, const std::string& name) {
  add({NameOperation::Kind::kUnlink, Fate::kPending, index, name, {}, {}});
}

void DirectoryNode::rename(std::uint64_t index, const std::string& from, const std::string& to) {
  if (from != to) add({NameOperation::Kind::kRename, Fate::kPending, index, to, from, names_.at(from)});
}

void DirectoryNode::sync(bool succeeded) {
  if (!decide(operations_, succeeded)) return;
  for (const NameOperation& operation : operations_) operation.apply_to(durable_);
  operations_.clear();
}

}  // namespace firn::sim::internal
