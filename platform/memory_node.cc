#include "platform/memory_node.h"

#include <algorithm>
#include <utility>

namespace firn::internal {

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

// Bytes and size apart, so that either may get lost alone.
struct CrashBytes {
  PagedBytes bytes;
  std::uint64_t size = 0;
};

void apply_write(const FileOperation& operation, CrashChoice* choice, CrashBytes& state) {
  const std::uint64_t end = operation.offset + operation.bytes.size();
  for (std::uint64_t at = operation.offset; at < end;) {
    const std::uint64_t sector_end = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    if (choice == nullptr || choice->keep()) {
      const std::span<const std::byte> bytes(operation.bytes);
      state.bytes.write(at, bytes.subspan(static_cast<std::size_t>(at - operation.offset),
                                          static_cast<std::size_t>(sector_end - at)));
    }
    at = sector_end;
  }
  if (end > state.size && (choice == nullptr || choice->keep())) state.size = end;
}

void apply_truncate(const FileOperation& operation, CrashChoice* choice, CrashBytes& state) {
  if (choice != nullptr && !choice->keep()) return;
  if (operation.size < state.bytes.size()) state.bytes.resize(operation.size);
  state.size = operation.size;
}

void apply_to(Names& names, const NameOperation& operation) {
  switch (operation.kind) {
    case NameOperation::Kind::kLink: names[operation.name] = operation.node; break;
    case NameOperation::Kind::kUnlink: names.erase(operation.name); break;
    case NameOperation::Kind::kRename:
      names.erase(operation.from);
      names[operation.name] = operation.node;
      break;
  }
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

void FileNode::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  contents_.write(offset, bytes);
  operations_.push_back({FileOperation::Kind::kWrite, Fate::kPending, offset, 0, {bytes.begin(), bytes.end()}});
}

void FileNode::truncate(std::uint64_t size) {
  contents_.resize(size);
  operations_.push_back({FileOperation::Kind::kTruncate, Fate::kPending, 0, size, {}});
}

void FileNode::sync(bool succeeded) {
  if (!decide(operations_, succeeded)) return;
  for (const FileOperation& operation : operations_) {
    if (operation.kind == FileOperation::Kind::kWrite) {
      durable_.write(operation.offset, operation.bytes);
    } else {
      durable_.resize(operation.size);
    }
  }
  operations_.clear();
}

PagedBytes FileNode::crash(CrashChoice& choice) const {
  if (operations_.empty()) return durable_;
  CrashBytes state{durable_, durable_.size()};
  for (const FileOperation& operation : operations_) {
    CrashChoice* const undecided = operation.fate == Fate::kDurable ? nullptr : &choice;
    if (operation.kind == FileOperation::Kind::kWrite) {
      apply_write(operation, undecided, state);
    } else {
      apply_truncate(operation, undecided, state);
    }
  }
  state.bytes.resize(state.size);
  return state.bytes;
}

void DirectoryNode::add(NameOperation operation) {
  apply_to(names_, operation);
  operations_.push_back(std::move(operation));
}

void DirectoryNode::link(const std::string& name, Node node) {
  add({NameOperation::Kind::kLink, Fate::kPending, name, {}, std::move(node)});
}

void DirectoryNode::unlink(const std::string& name) {
  add({NameOperation::Kind::kUnlink, Fate::kPending, name, {}, {}});
}

void DirectoryNode::rename(const std::string& from, const std::string& to) {
  if (from != to) add({NameOperation::Kind::kRename, Fate::kPending, to, from, names_.at(from)});
}

void DirectoryNode::sync(bool succeeded) {
  if (!decide(operations_, succeeded)) return;
  for (const NameOperation& operation : operations_) apply_to(durable_, operation);
  operations_.clear();
}

Names DirectoryNode::crash(CrashChoice& choice) const {
  Names names = durable_;
  for (const NameOperation& operation : operations_) {
    if (operation.fate == Fate::kDurable || choice.keep()) apply_to(names, operation);
  }
  return names;
}

}  // namespace firn::internal
