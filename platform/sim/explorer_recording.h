// One run on a simulated machine: its file operations, its promises, and at each operation the states that a crash
// could leave.
//
// Thread safety: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "firn/sim/crash_explorer.h"
#include "firn/sim/file_system.h"
#include "platform/sim/explorer_faults.h"

namespace firn::sim {

// Promises by what they outlive; a crash point knows how many of them it had.
struct Promises {
  std::vector<std::string> kill;   // All of them.
  std::vector<std::string> power;  // Those of Promise::kPowerLoss.
};

struct RecordedPoint {
  std::uint64_t operation = 0;  // The crash comes before it, or in it.
  CrashPoint state;
  std::size_t kill_promises = 0;
  std::size_t power_promises = 0;
};

// One operation that fails.
struct InjectedFault {
  std::size_t kind = 0;      // Of explorer_faults().
  std::uint64_t number = 0;  // Of the operations that can fail so, from 0.
};

struct RecordingRequest {
  std::uint64_t seed = 1;
  std::vector<CrashProfile> profiles;  // Of the points. Without any (and no fault) operations are not looked at.
  std::uint64_t first = 0;             // Points at the operations [first, end), after the fault if there is one.
  std::uint64_t end = 0;
  std::optional<InjectedFault> fault;
  bool damaged = false;  // World::damaged.
  std::string where;     // For messages about a program that hangs.
};

struct Recording {
  Status status;  // Of what ran.
  Promises promises;
  std::vector<Operation> operations;  // Those that change something, and where points can be.
  std::vector<RecordedPoint> points;  // One for each operation and profile; the last ones after the end.
  std::uint64_t end = 0;              // The number of the operation that would have come next.
  std::uint64_t hash = 0;             // Of all operations: runs with equal hashes did the same.
  std::array<std::uint64_t, kExplorerFaultCount> fallible{};  // How many operations can fail so,
  std::array<std::uint64_t, kExplorerFaultCount> prepared{};  // and how many of them are preparation.
  std::optional<std::uint64_t> faulted;                       // The operation that failed first, if one did.
  std::optional<std::uint64_t> outcome;                       // As the program noted it.

  // Whether the run, which `fault` was for, ended as it may: well, or after the fault with an error other than
  // kCorruption, or one about damage where the device has lied.
  bool sound(const std::optional<InjectedFault>& fault) const;
};

using Program = std::function<Status(World&)>;

// Runs `program` on `files`.
Recording record(SimFileSystem& files, const Program& program, const RecordingRequest& request);

}  // namespace firn::sim
