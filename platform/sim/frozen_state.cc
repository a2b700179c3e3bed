// Tested in tests/sim/crash_test.cc.
#include "platform/sim/frozen_state.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "platform/io.h"
#include "platform/sim/tree_copy.h"

namespace firn::sim::internal {

namespace {

// A log is named before it is given its size, by one operation.
bool earlier(const FrozenStep& a, const FrozenStep& b) {
  return a.index != b.index ? a.index < b.index : a.change != nullptr && b.change == nullptr;
}

// Walks the tree, all that is in it now or may be after a crash, and numbers what it meets.
class Freezer {
 public:
  Freezer(const SimState& state, CrashProfile profile, CrashGrain grain) : state_(state) {
    frozen_->profile = profile;
    frozen_->grain = grain;
    frozen_->mappings = state.mappings;
  }

  std::shared_ptr<const FrozenState> run() {
    if (killed()) keep_tree();
    add_directory(*state_.root, "/");
    for (const RunningTransfer* transfer : state_.running) add_running(*transfer);
    std::stable_sort(frozen_->steps.begin(), frozen_->steps.end(), earlier);
    return frozen_;
  }

 private:
  bool killed() const { return frozen_->profile == CrashProfile::kProcessKill; }
  bool journalled(std::uint64_t index) const {
    return frozen_->profile == CrashProfile::kOrdered && index <= state_.journal_committed;
  }

  void keep_tree() {
    frozen_->tree = copy_.copy(*state_.root);
    frozen_->used_bytes = state_.used_bytes;
    frozen_->journal_committed = state_.journal_committed;
    frozen_->operation_count = state_.operation_count.load(std::memory_order_relaxed);
  }

  FrozenNode add(const Node& node, const std::string& path) {
    const std::shared_ptr<FileNode> file = as_file(node);
    if (file != nullptr) return {true, add_file(*file, path)};
    const std::shared_ptr<DirectoryNode> directory = as_directory(node);
    return {false, directory == nullptr ? 0 : add_directory(*directory, path)};
  }

  std::uint32_t add_file(const FileNode& file, const std::string& path) {
    const auto number = static_cast<std::uint32_t>(frozen_->files.size());
    const auto [known, added] = files_.try_emplace(&file, number);
    if (!added) return known->second;
    frozen_->files.push_back({file.kind(), path, killed() ? file.contents() : file.durable(), copy_.of(&file)});
    if (killed()) return number;
    for (const FileOperation& operation : file.operations()) {
      const bool settled = operation.fate == Fate::kDurable ||
                           (operation.kind == FileOperation::Kind::kTruncate && journalled(operation.index));
      frozen_->steps.push_back(
          {operation.index, number, settled, operation.fate == Fate::kInDoubt, false, operation, nullptr});
    }
    return number;
  }

  std::uint32_t add_directory(const DirectoryNode& directory, const std::string& path) {
    const auto number = static_cast<std::uint32_t>(frozen_->directories.size());
    const auto [known, added] = directories_.try_emplace(&directory, number);
    if (!added) return known->second;
    frozen_->directories.push_back({path, {}});
    // The names of now first, so that files are called by them.
    FrozenNames names = convert(directory.names(), path);
    if (!killed()) {
      names = convert(directory.durable(), path);
      for (const NameOperation& operation : directory.operations()) add_change(operation, number, path);
    }
    frozen_->directories[number].base = std::move(names);
    return number;
  }

  FrozenNames convert(const Names& names, const std::string& path) {
    FrozenNames frozen;
    for (const auto& [name, node] : names) {
      frozen.emplace_hint(frozen.end(), name, add(node, join_path(path, name)));
    }
    return frozen;
  }

  void add_change(const NameOperation& operation, std::uint32_t directory, const std::string& path) {
    const std::shared_ptr<FileNode> file = as_file(operation.node);
    const bool settled =
        operation.fate == Fate::kDurable || journalled(operation.index) ||
        (frozen_->profile == CrashProfile::kLinux && file != nullptr && file->last_sync > operation.index);
    const FrozenNode node = add(operation.node, join_path(path, operation.name));
    frozen_->steps.push_back({operation.index,
                              directory,
                              settled,
                              operation.fate == Fate::kInDoubt,
                              false,
                              {},
                              std::make_shared<const FrozenNameChange>(
                                  FrozenNameChange{operation.kind, operation.name, operation.from, node})});
  }

  void add_running(const RunningTransfer& transfer) {
    const auto file = files_.find(transfer.node);
    if (file == files_.end() || transfer.bytes.empty()) return;  // Of a file without a name nothing is left.
    FileOperation operation;
    operation.kind = transfer.kind;
    operation.index = transfer.index;
    operation.offset = transfer.offset;
    operation.size_before = transfer.node->contents().size();
    operation.data = std::make_shared<const std::vector<std::byte>>(transfer.bytes.begin(), transfer.bytes.end());
    frozen_->steps.push_back({transfer.index, file->second, false, false, true, std::move(operation), nullptr});
  }

  const SimState& state_;
  const std::shared_ptr<FrozenState> frozen_ = std::make_shared<FrozenState>();
  TreeCopy copy_;  // Of a killed process's files.
  std::unordered_map<const FileNode*, std::uint32_t> files_;
  std::unordered_map<const DirectoryNode*, std::uint32_t> directories_;
};

class LayoutMaker {
 public:
  LayoutMaker(const FrozenState& state, Layout& layout) : state_(state), layout_(layout) {}

  void run() {
    for (const FrozenStep& step : state_.steps) {
      StepUnits units{static_cast<std::uint32_t>(layout_.units.size()), 0, 0};
      if (!step.settled) {
        if (step.change == nullptr && step.operation.kind != FileOperation::Kind::kTruncate) {
          add_pieces(step, step.operation);
        } else if (state_.profile == CrashProfile::kOrdered) {
          units.journal = add_to_journal();
          units.first = static_cast<std::uint32_t>(layout_.units.size());
        } else {
          layout_.units.push_back({CrashUnit::Kind::kName, pending_, 0, 1, false, false});
        }
        ++pending_;
      }
      units.count = static_cast<std::uint32_t>(layout_.units.size()) - units.first;
      layout_.steps.push_back(units);
    }
  }

 private:
  void add_pieces(const FrozenStep& step, const FileOperation& write) {
    const auto bytes = static_cast<std::uint32_t>(write.bytes().size());
    if (step.running) {
      layout_.units.push_back({CrashUnit::Kind::kBytes, pending_, write.offset, bytes, true, false});
      return;
    }
    const bool store = write.kind == FileOperation::Kind::kStore;
    const std::uint32_t grain = std::max(1u, store ? state_.grain.store_bytes : state_.grain.write_bytes);
    const std::uint64_t base = state_.files[step.node].base.size();
    for (std::uint64_t at = write.offset; at < write.end();) {
      const std::uint64_t end = std::min(write.end(), (at / grain + 1) * grain);
      // Ordered data: what lies beyond the old size comes with the new one.
      if (state_.profile == CrashProfile::kOrdered && at >= write.size_before) break;
      const bool garbage = state_.profile == CrashProfile::kStrict && !store && at >= base;
      layout_.units.push_back(
          {CrashUnit::Kind::kBytes, pending_, at, static_cast<std::uint32_t>(end - at), store, garbage});
      at = end;
    }
    if (write.grows()) layout_.units.push_back({CrashUnit::Kind::kSize, pending_, write.offset, 1, false, false});
  }

  std::uint32_t add_to_journal() {
    if (journal_length_ == 0) {
      layout_.journal_unit = static_cast<std::uint32_t>(layout_.units.size());
      layout_.units.push_back({CrashUnit::Kind::kJournal, pending_, 0, 0, true, false});
    }
    layout_.units[layout_.journal_unit].whole = ++journal_length_;
    return journal_length_;
  }

  const FrozenState& state_;
  Layout& layout_;
  std::uint32_t pending_ = 0;  // The number of steps so far that are not settled: CrashUnit::operation.
  std::uint32_t journal_length_ = 0;
};

}  // namespace

const Layout& FrozenState::layout() const {
  std::call_once(layout_made_, [this] { LayoutMaker(*this, layout_).run(); });
  return layout_;
}

std::shared_ptr<const FrozenState> freeze(const SimState& state, CrashProfile profile, CrashGrain grain) {
  return Freezer(state, profile, grain).run();
}

}  // namespace firn::sim::internal
