// The ways in which a file operation goes wrong, and which operations can go wrong so.
#pragma once

#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/memory_file_system.h"

namespace firn::testing {

struct FaultKind {
  std::string name;
  // The fault as it befalls `operation`; nothing where this kind cannot.
  std::optional<Fault> (*fault)(const Operation& operation);
  bool sticky = false;  // Every operation from the first on, not it alone.
};

inline bool transfers(const Operation& operation) {
  return operation.kind == OperationKind::kRead || operation.kind == OperationKind::kWrite ||
         operation.kind == OperationKind::kPublish;
}

inline bool takes_space(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kWrite:
    case OperationKind::kPublish:
    case OperationKind::kCreate:
    case OperationKind::kCreateDirectory:
    case OperationKind::kAllocate:
    case OperationKind::kRename:
    case OperationKind::kSync:
    case OperationKind::kSyncDirectory: return true;
    default: return false;
  }
}

inline bool opens(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kOpen:
    case OperationKind::kCreate:
    case OperationKind::kLock:
    case OperationKind::kList:
    case OperationKind::kSyncDirectory: return true;
    default: return false;
  }
}

inline std::size_t half_of(const Operation& operation) { return static_cast<std::size_t>((operation.bytes + 1) / 2); }

inline std::vector<FaultKind> fault_kinds() {
  using Answer = std::optional<Fault>;
  const auto io_error = [](const Operation&) -> Answer { return EIO; };
  const auto no_space = [](const Operation& operation) -> Answer {
    return takes_space(operation) ? Answer(ENOSPC) : Answer();
  };
  const auto no_descriptor = [](const Operation& operation) -> Answer {
    return opens(operation) ? Answer(EMFILE) : Answer();
  };
  const auto interrupted = [](const Operation& operation) -> Answer {
    return transfers(operation) ? Answer(EINTR) : Answer();
  };
  const auto short_transfer = [](const Operation& operation) -> Answer {
    return transfers(operation) ? Answer(Fault(0, half_of(operation))) : Answer();
  };
  const auto torn_write = [](const Operation& operation) -> Answer {
    const bool writes = transfers(operation) && operation.kind != OperationKind::kRead;
    return writes ? Answer(Fault(EIO, half_of(operation))) : Answer();
  };
  const auto full_in_write = [](const Operation& operation) -> Answer {
    const bool writes = transfers(operation) && operation.kind != OperationKind::kRead;
    return writes ? Answer(Fault(ENOSPC, half_of(operation))) : Answer();
  };
  const auto failed_sync = [](const Operation& operation) -> Answer {
    const bool syncs = operation.kind == OperationKind::kSync || operation.kind == OperationKind::kSyncDirectory;
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

  std::optional<Fault> consult(const Operation& operation) {
    if (!armed_.load()) return std::nullopt;
    std::optional<Fault> fault = kind_.fault(operation);
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
