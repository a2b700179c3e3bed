#include "platform/sim/explorer_faults.h"

#include <cerrno>
#include <vector>

namespace firn::sim {

namespace {

using enum OperationKind;

FaultRule rule(FaultKind kind, std::vector<OperationKind> operations, int error = EIO, std::uint64_t count = 1) {
  FaultRule rule;
  rule.kind = kind;
  rule.error = error;
  rule.operations = std::move(operations);
  rule.count = count;
  return rule;
}

std::array<ExplorerFault, kExplorerFaultCount> make_faults() {
  const std::vector<OperationKind> all{
      kOpen, kCreate,          kRead,   kWrite,  kPublish,         kSize, kTruncate, kAllocate,
      kMap,  kCreateDirectory, kRename, kRemove, kRemoveDirectory, kList, kLock,     kSpace};
  const std::vector<OperationKind> takers{kWrite, kCreate, kAllocate, kCreateDirectory};
  const std::vector<OperationKind> writes{kWrite, kPublish};
  const std::vector<OperationKind> syncs{kSync, kSyncDirectory};
  return {{
      {"error", rule(FaultKind::kError, all)},
      {"errors", rule(FaultKind::kError, all, EIO, FaultRule::kForEver)},
      {"nospace", rule(FaultKind::kTorn, takers, ENOSPC)},
      {"nospaceleft", rule(FaultKind::kTorn, takers, ENOSPC, FaultRule::kForEver)},
      {"shortwrite", rule(FaultKind::kShort, writes)},
      {"tornwrite", rule(FaultKind::kTorn, writes)},
      {"failedsync", rule(FaultKind::kError, syncs)},
      {"droppedsync", rule(FaultKind::kDroppedSync, syncs)},
      {"flippedread", rule(FaultKind::kFlippedRead, {})},
      {"staleread", rule(FaultKind::kStaleRead, {})},
      {"flippedwrite", rule(FaultKind::kFlippedWrite, {})},
      {"lostwrite", rule(FaultKind::kLostWrite, {})},
      {"misdirectedwrite", rule(FaultKind::kMisdirectedWrite, {})},
  }};
}

}  // namespace

const std::array<ExplorerFault, kExplorerFaultCount>& explorer_faults() {
  static const std::array<ExplorerFault, kExplorerFaultCount> faults = make_faults();
  return faults;
}

std::optional<std::size_t> explorer_fault_of(std::string_view name) {
  for (std::size_t i = 0; i < kExplorerFaultCount; ++i) {
    if (explorer_faults()[i].name == name) return i;
  }
  return std::nullopt;
}

bool is_broken(const Status& status) { return status.code() == StatusCode::kCorruption && status.file().empty(); }

}  // namespace firn::sim
