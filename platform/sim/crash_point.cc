// CrashPoint, and the clones made of it. Tested in tests/sim/crash_test.cc and tests/sim/file_system_test.cc.
#include <algorithm>
#include <cstring>
#include <utility>

#include "firn/sim/crash.h"
#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "platform/random.h"
#include "platform/sim/frozen_state.h"
#include "platform/sim/hash.h"
#include "platform/sim/tree_copy.h"

namespace firn::sim {

namespace internal {

namespace {

// What a killed process leaves, with so many bytes of each transfer that was running as `plan` says.
std::unique_ptr<SimState> kill(const FrozenState& state, const CrashPlan& plan) {
  auto result = std::make_unique<SimState>();
  TreeCopy copy;
  result->root = copy.copy(*state.tree);
  result->mappings = state.mappings;
  result->used_bytes = state.used_bytes;
  result->journal_committed = state.journal_committed;
  result->operation_count.store(state.operation_count, std::memory_order_relaxed);
  const Layout& layout = state.layout();
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    const FrozenStep& step = state.steps[i];
    const std::uint32_t unit = layout.steps[i].first;
    const std::uint32_t kept = unit < plan.choices.size() ? std::min(plan.choices[unit], layout.units[unit].whole) : 0;
    FileNode& file = *copy.of(state.files[step.node].node);
    file.write(step.operation.kind, step.index, step.operation.offset, step.operation.bytes().first(kept));
    result->charge(file);
  }
  return result;
}

// Applies a plan to what is left by a power loss.
class Crash {
 public:
  Crash(const FrozenState& state, const CrashPlan& plan) : state_(state), layout_(state.layout()), plan_(plan) {
    for (const FrozenFile& file : state.files) files_.push_back({file.base, file.base.size()});
    for (const FrozenDirectory& directory : state.directories) names_.push_back(directory.base);
  }

  std::unique_ptr<SimState> run() {
    for (std::size_t i = 0; i < state_.steps.size(); ++i) {
      const FrozenStep& step = state_.steps[i];
      const StepUnits& units = layout_.steps[i];
      if (step.change != nullptr) {
        if (happened(step, units)) apply(*step.change, names_[step.node]);
      } else if (step.operation.kind == FileOperation::Kind::kTruncate) {
        if (happened(step, units)) truncate(files_[step.node], step.operation.size);
      } else {
        write(step, step.operation, units);
      }
    }
    result_->mappings = state_.mappings;
    nodes_.resize(files_.size());
    result_->root = build(0);
    return std::move(result_);
  }

 private:
  // Bytes and size apart, so that either may get lost alone.
  struct Building {
    PagedBytes bytes;
    std::uint64_t size = 0;
  };

  std::uint32_t choice(std::uint32_t unit) const {
    if (unit >= plan_.choices.size()) return 0;
    const CrashUnit& of = layout_.units[unit];
    return std::min(plan_.choices[unit], of.garbage ? of.garbage_choice() : of.whole);
  }

  bool happened(const FrozenStep& step, const StepUnits& units) const {
    if (step.settled) return true;
    return units.journal > 0 ? choice(layout_.journal_unit) >= units.journal : choice(units.first) > 0;
  }

  static void truncate(Building& file, std::uint64_t size) {
    if (size < file.bytes.size()) file.bytes.resize(size);
    file.size = size;
  }

  void write(const FrozenStep& step, const FileOperation& operation, const StepUnits& units) {
    Building& file = files_[step.node];
    const std::span<const std::byte> bytes = operation.bytes();
    if (step.settled) {
      file.bytes.write(operation.offset, bytes);
      if (operation.grows()) file.size = std::max(file.size, operation.end());
      return;
    }
    std::uint64_t covered = operation.offset;  // Up to where units decide.
    for (std::uint32_t unit = units.first; unit < units.first + units.count; ++unit) {
      const CrashUnit& of = layout_.units[unit];
      const std::uint32_t chosen = choice(unit);
      if (of.kind == CrashUnit::Kind::kSize) {
        if (chosen == 0) continue;
        file.size = std::max(file.size, operation.end());
        file.bytes.write(covered, bytes.subspan(static_cast<std::size_t>(covered - operation.offset)));
        continue;
      }
      const std::size_t within = static_cast<std::size_t>(of.offset - operation.offset);
      const std::uint32_t kept = chosen > of.whole ? 0 : chosen;
      file.bytes.write(of.offset, bytes.subspan(within, kept));
      if (chosen > of.whole) write_garbage(file, of, step.node);
      if (step.running && kept > 0 && operation.grows()) file.size = std::max(file.size, of.offset + kept);
      covered = of.offset + of.whole;
    }
  }

  static void write_garbage(Building& file, const CrashUnit& unit, std::uint32_t node) {
    std::vector<std::byte> garbage(unit.whole);
    SplitMix64 random(hash_mix(unit.offset, node));
    for (std::byte& byte : garbage) byte = static_cast<std::byte>(random.next());
    file.bytes.write(unit.offset, garbage);
  }

  static void apply(const FrozenNameChange& change, FrozenNames& names) {
    if (change.kind == NameOperation::Kind::kUnlink) {
      names.erase(change.name);
      return;
    }
    if (change.kind == NameOperation::Kind::kRename) names.erase(change.from);
    names[change.name] = change.node;
  }

  std::shared_ptr<DirectoryNode> build(std::uint32_t directory) {
    Names names;
    for (const auto& [name, node] : names_[directory]) {
      if (node.is_file) {
        names.emplace_hint(names.end(), name, build_file(node.number));
      } else {
        names.emplace_hint(names.end(), name, build(node.number));
      }
    }
    return std::make_shared<DirectoryNode>(names);
  }

  // One file may have two names now, if of a rename between directories only half was kept.
  std::shared_ptr<FileNode> build_file(std::uint32_t number) {
    std::shared_ptr<FileNode>& node = nodes_[number];
    if (node != nullptr) return node;
    Building& file = files_[number];
    if (file.bytes.size() != file.size) file.bytes.resize(file.size);
    node = std::make_shared<FileNode>(state_.files[number].kind, file.bytes);
    result_->charge(*node);
    return node;
  }

  const FrozenState& state_;
  const Layout& layout_;
  const CrashPlan& plan_;
  std::vector<Building> files_;
  std::vector<FrozenNames> names_;
  std::vector<std::shared_ptr<FileNode>> nodes_;
  std::unique_ptr<SimState> result_ = std::make_unique<SimState>();
};

PendingOperation::Kind pending_kind(NameOperation::Kind kind) {
  switch (kind) {
    case NameOperation::Kind::kLink: return PendingOperation::Kind::kLink;
    case NameOperation::Kind::kUnlink: return PendingOperation::Kind::kUnlink;
    case NameOperation::Kind::kRename: break;
  }
  return PendingOperation::Kind::kRename;
}

PendingOperation::Kind pending_kind(FileOperation::Kind kind) {
  switch (kind) {
    case FileOperation::Kind::kWrite: return PendingOperation::Kind::kWrite;
    case FileOperation::Kind::kStore: return PendingOperation::Kind::kStore;
    case FileOperation::Kind::kTruncate: break;
  }
  return PendingOperation::Kind::kTruncate;
}

PendingOperation pending_operation(const FrozenState& state, const FrozenStep& step) {
  PendingOperation pending;
  pending.sync_failed = step.sync_failed;
  pending.running = step.running;
  pending.index = step.index - 1;
  if (step.change != nullptr) {
    pending.kind = pending_kind(step.change->kind);
    pending.path = join_path(state.directories[step.node].path, step.change->name);
    return pending;
  }
  const FileOperation& operation = step.operation;
  pending.kind = pending_kind(operation.kind);
  pending.path = state.files[step.node].path;
  pending.offset = operation.offset;
  pending.bytes = operation.kind == FileOperation::Kind::kTruncate ? operation.size : operation.bytes().size();
  return pending;
}

}  // namespace

}  // namespace internal

CrashPoint::CrashPoint(std::shared_ptr<const internal::FrozenState> state) : state_(std::move(state)) {}
CrashPoint::~CrashPoint() = default;
CrashPoint::CrashPoint(const CrashPoint&) = default;
CrashPoint& CrashPoint::operator=(const CrashPoint&) = default;

CrashProfile CrashPoint::profile() const { return state_->profile; }
const std::vector<CrashUnit>& CrashPoint::units() const { return state_->layout().units; }

std::vector<PendingOperation> CrashPoint::operations() const {
  std::vector<PendingOperation> operations;
  for (const internal::FrozenStep& step : state_->steps) {
    if (!step.settled) operations.push_back(internal::pending_operation(*state_, step));
  }
  return operations;
}

std::unique_ptr<SimFileSystem> CrashPoint::apply(const CrashPlan& plan) const {
  std::unique_ptr<internal::SimState> left = state_->profile == CrashProfile::kProcessKill
                                                 ? internal::kill(*state_, plan)
                                                 : internal::Crash(*state_, plan).run();
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(std::move(left)));
}

CrashPoint SimFileSystem::crash_point(CrashProfile profile, CrashGrain grain) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return CrashPoint(internal::freeze(*state_, profile, grain));
}

std::unique_ptr<SimFileSystem> SimFileSystem::crash_clone(const CrashOptions& options) const {
  const bool killed = options.mode == CrashMode::kKeepAll;
  const CrashPoint point = crash_point(killed ? CrashProfile::kProcessKill : CrashProfile::kStrict);
  return point.apply(options.mode == CrashMode::kRandom ? point.random(options.seed, options.keep_percent)
                                                        : CrashPlan());
}

std::vector<PendingOperation> SimFileSystem::pending_operations() const {
  return crash_point(CrashProfile::kStrict).operations();
}

}  // namespace firn::sim
