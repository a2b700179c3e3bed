// What a crash can leave of a simulated file system, one state at a time. A CrashPoint is the file system frozen at one
// moment: what is on the device for certain, and what is not, cut into units. A CrashPlan chooses for every unit what
// becomes of it; so a state can be written down, replayed, shrunk and told from every other.
//
//   files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
//     points.push_back(files.crash_point(sim::CrashProfile::kStrict));  // The crash comes before, or in, `operation`.
//     return std::nullopt;
//   });
//   ... the workload ...
//   for (const sim::CrashPoint& point : points)
//     sim::for_each_crash_plan(point, {}, [&](const sim::CrashPlan& plan) {
//       check(*point.apply(plan));
//       return true;
//     });
//
// Ideas: block order and block loss as in CrashMonkey (Mohan et al., OSDI 2018) and ALICE (Pillai et al., OSDI 2014);
// pages of a failed sync as in Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020.
//
// Thread safety: a CrashPoint never changes and may be used from many threads. CrashPlan is a value.
// Lifetime: a CrashPoint needs nothing of the file system it came from; what apply() returns needs nothing of either.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firn/export.h"
#include "firn/status.h"

namespace firn::sim {

class SimFileSystem;
namespace internal {
struct FrozenState;
}

// Who forgets what. From the mildest to the harshest; each state of one is a state of the next, kOrdered apart.
enum class CrashProfile : std::uint8_t {
  // The process died, the machine did not: everything is there, but of the transfer that was running any part.
  kProcessKill,
  // Power loss on a journalled file system with ordered data (ext4): changes of names and sizes by truncation survive
  // as a prefix of their order, over all directories; a file's own sync commits those before its last one; bytes are
  // on the device before the size that shows them; overwritten bytes survive in any order.
  kOrdered,
  // Power loss, sectors, sizes and names in any order; a file's sync makes its name durable, as every usual Linux file
  // system does.
  kLinux,
  // Power loss, and no more than POSIX promises: only a directory's sync makes names durable; a size without its bytes
  // shows zeros or garbage.
  kStrict,
};

// How fine unsynced bytes come apart.
struct CrashGrain {
  std::uint32_t write_bytes = 512;  // Of writes: a sector, or 4096 for a page. Aligned in the file.
  std::uint32_t store_bytes = 64;   // Of stores into a mapped log: a cache line; each may also be cut at any byte.
};

// What has not reached the device for certain.
struct PendingOperation {
  enum class Kind : std::uint8_t { kWrite, kStore, kTruncate, kLink, kUnlink, kRename };
  Kind kind = Kind::kWrite;
  std::string path;          // Of the file, or the name created, removed or renamed to.
  std::uint64_t offset = 0;  // kWrite, kStore.
  std::uint64_t bytes = 0;   // kWrite, kStore: length; kTruncate: new size.
  bool sync_failed = false;  // In doubt for ever; sync will not make it durable.
  bool running = false;      // The transfer had not returned yet: it may be there to any byte.
  std::uint64_t index = 0;   // Of the operation on the file system: the order of time.
};

// The smallest thing a crash decides about. A choice is a number: 0 is lost, `whole` is there.
struct CrashUnit {
  enum class Kind : std::uint8_t {
    kBytes,    // A piece of a write or store. A choice between: so many of its first bytes.
    kSize,     // That a write made the file longer.
    kName,     // One change of names, or a truncation.
    kJournal,  // kOrdered: all changes of names and truncations that are not committed. A choice: how many of them.
  };
  Kind kind = Kind::kBytes;
  std::uint32_t operation = 0;  // In CrashPoint::operations(); of kJournal the first.
  std::uint64_t offset = 0;     // kBytes: in the file.
  std::uint32_t whole = 1;
  bool cuts = false;     // Choices between 0 and `whole` are possible.
  bool garbage = false;  // `whole` + 1 is possible: space the file got for the bytes, with something else in it.

  std::uint32_t garbage_choice() const { return whole + 1; }
};

// One choice per unit of its CrashPoint.
struct FIRN_EXPORT CrashPlan {
  std::vector<std::uint32_t> choices;

  bool operator==(const CrashPlan&) const = default;
};

class FIRN_EXPORT CrashPoint {
 public:
  ~CrashPoint();
  CrashPoint(const CrashPoint&);
  CrashPoint& operator=(const CrashPoint&);

  CrashProfile profile() const;
  // What is not durable, in order of time; of a kProcessKill only what was running.
  std::vector<PendingOperation> operations() const;
  // In order of time, so that the first n units are what was done first.
  const std::vector<CrashUnit>& units() const;

  // Every unit lost; every unit there.
  CrashPlan none() const;
  CrashPlan all() const;
  // Each operation kept whole, lost whole or torn, with a chance of `keep_percent` for each piece to be there.
  CrashPlan random(std::uint64_t seed, std::uint32_t keep_percent = 50) const;

  // The file system after the crash: no locks, no hook, no capacity. It shares the memory of what it did not change.
  // After a power loss everything in it is durable, and operations are counted from 0 again. After kProcessKill the
  // machine goes on: what was not durable can still get lost, in a power loss that follows. A choice beyond a unit's
  // last is its last; a missing one is lost.
  std::unique_ptr<SimFileSystem> apply(const CrashPlan& plan) const;

  // The plan in one word, and back: "12+3-17c?+" is twelve units there, three lost, one cut after 17 bytes, one of
  // garbage, one there. kInvalidArgument for text that is no plan of this point.
  std::string format(const CrashPlan& plan) const;
  Result<CrashPlan> parse(std::string_view text) const;
  // One line for each unit that is not there, such as "lost: write /db/000001.log 4096+512", for people.
  std::string describe(const CrashPlan& plan) const;

 private:
  friend class SimFileSystem;
  explicit CrashPoint(std::shared_ptr<const internal::FrozenState> state);

  std::shared_ptr<const internal::FrozenState> state_;  // Shared by copies.
};

struct CrashLimits {
  std::uint32_t plans_max = 256;        // What one point is worth.
  std::uint32_t subset_units_max = 12;  // All subsets of the units where there are no more than these.
  std::uint64_t seed = 0;               // Of what is sampled where plans_max does not reach.
};

// Calls `visit` with plans of `point`, each once, until it answers false or the limits are met: none, all, every
// prefix, each unit lost alone, each there alone, cuts at every byte and garbage where they are possible, each pair
// lost, all subsets of few units, and random ones. Kinds that are too many are sampled, every kind gets its share, and
// equal limits give equal plans. Returns how many were visited.
FIRN_EXPORT std::uint64_t for_each_crash_plan(const CrashPoint& point, const CrashLimits& limits,
                                              const std::function<bool(const CrashPlan&)>& visit);

}  // namespace firn::sim
