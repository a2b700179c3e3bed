// The ways in which a file operation goes wrong, and which operations can go wrong so.
#pragma once

#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"

namespace firn::testing {

struct FaultKind {
  std::string name;
  // The fault as it befalls `operation`; nothing where this kind cannot.
  std::optional<sim::Fault> (*fault)(const sim::Operation& operation);
  bool sticky = false;  // Every operation from the first on, not it alone.
};

inline bool transfers(const sim::Operation& operation) {
  return operation.kind == sim::OperationKind::kRead || operation.kind == sim::OperationKind::kWrite ||
         operation.kind == sim::OperationKind::kPublish;
}

inline bool takes_space(const sim::Operation& operation) {
  switch (operation.kind) {
    case sim::OperationKind::kWrite:
    case sim::OperationKind::kPublish:
    case sim::OperationKind::kCreate:
    case sim::OperationKind::kCreateDirectory:
    case sim::OperationKind::kAllocate:
    case sim::OperationKind::kRename:
    case sim::OperationKind::kSync:
    case sim::OperationKind::kSyncDirectory: return true;
    default: return false;
  }
}

inline bool opens(const sim::Operation& operation) {
  switch (operation.kind) {
    case sim::OperationKind::kOpen:
    case sim::OperationKind::kCreate:
    case sim::OperationKind::kLock:
    case sim::OperationKind::kList:
    case sim::OperationKind::kSyncDirectory: return true;
    default: return false;
  }
}

inline std::size_t half_of(const sim::Operation& operation) {
  return static_cast<std::size_t>((operation.bytes + 1) / 2);
}

inline std::vector<FaultKind> fault_kinds() {
  using Answer = std::optional<sim::Fault>;
  const auto io_error = [](const sim::Operation&) -> Answer { return EIO; };
  const auto no_space = [](const sim::Operation& operation) -> Answer {
    return takes_space(operation) ? Answer(ENOSPC) : Answer();
  };
  const auto no_descriptor = [](const sim::Operation& operation) -> Answer {
    return opens(operation) ? Answer(EMFILE) : Answer();
  };
  const auto interrupted = [](const sim::Operation& operation) -> Answer {
    return transfers(operation) ? Answer(EINTR) : Answer();
  };
  const auto short_transfer = [](const sim::Operation& operation) -> Answer {
    return transfers(operation) ? Answer(sim::Fault(0, half_of(operation))) : Answer();
  };
  const auto torn_write = [](const sim::Operation& operation) -> Answer {
    const bool writes = transfers(operation) && operation.kind != sim::OperationKind::kRead;
    return writes ? Answer(sim::Fault(EIO, half_of(operation))) : Answer();
  };
  const auto full_in_write = [](const sim::Operation& operation) -> Answer {
    const bool writes = transfers(operation) && operation.kind != sim::OperationKind::kRead;
    return writes ? Answer(sim::Fault(ENOSPC, half_of(operation))) : Answer();
  };
  const auto failed_sync = [](const sim::Operation& operation) -> Answer {
    const bool syncs =
        operation.kind == sim::OperationKind::kSync || operation.kind == sim::OperationKind::kSyncDirectory;
    return syncs ? Answer(EIO) : Answer();
  };
  // A transfer that is interrupted for ever is no fault: it hangs in every program.
  return {
      {"EIO", io_error, false},
      {"EIO from then on", io_error, true},
      {"ENOSPC", no_space, false},
      {"ENOSPC from then on", no_space, true},
      {"EMFILE", no_descriptor, false},
      {"EMFILE from then on", no_descriptor, true},
      {"EINTR", interrupted, false},
      {"short transfer", short_transfer, false},
      {"short transfers from then on", short_transfer, true},
      {"EIO within a write", torn_write, false},
      {"EIO within every write from then on", torn_write, true},
      {"ENOSPC within a write", full_in_write, false},
      {"failed sync", failed_sync, false},
      {"failed syncs from then on", failed_sync, true},
  };
}

// Lets the `target`-th operation that `kind` can befall fail, from arm() on.
class OneFault {
 public:
  OneFault(FaultKind kind, std::uint64_t target) : kind_(std::move(kind)), target_(target) {}

  std::optional<sim::Fault> consult(const sim::Operation& operation) {
    if (!armed_.load()) return std::nullopt;
    std::optional<sim::Fault> fault = kind_.fault(operation);
    if (!fault) return std::nullopt;
    const std::uint64_t index = count_.fetch_add(1);
    if (index != target_ && !(kind_.sticky && index > target_)) return std::nullopt;
    if (!fired_.exchange(true)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      where_ = std::string(operation_kind_name(operation.kind)) + " " + operation.path;
    }
    return fault;
  }
  void arm() { armed_.store(true); }
  void disarm() { armed_.store(false); }
  bool fired() const { return fired_.load(); }
  std::string description() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return kind_.name + " at operation " + std::to_string(target_) + " (" + where_ + ")";
  }

 private:
  const FaultKind kind_;
  const std::uint64_t target_;
  std::atomic<bool> armed_{false};
  std::atomic<bool> fired_{false};
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  std::string where_;
};

}  // namespace firn::testing
