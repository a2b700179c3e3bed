// A simulated machine: files, clock, scheduler and randomness under one seed, as a Platform for DB::open.
//
//   sim::Machine machine({.seed = seed});
//   firn::Status ended = machine.run([&] {
//     firn::Options options;
//     options.platform = &machine.platform();
//     auto db = firn::DB::open("db", options);
//     ...
//   });
//
// Thread safety: as the parts. Lifetime: outlives every database opened with its platform.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "firn/export.h"
#include "firn/platform.h"
#include "firn/sim/clock.h"
#include "firn/sim/file_system.h"
#include "firn/sim/scheduler.h"

namespace firn::sim {

// Uniform numbers, the same for the same seed. Thread safe.
FIRN_EXPORT std::unique_ptr<Random> seeded_random(std::uint64_t seed);

struct MachineOptions {
  std::uint64_t seed = 0;
  std::uint32_t depth = 0;              // SchedulerOptions::depth.
  SimFileSystem::Options files;         // Of an empty disk.
  std::unique_ptr<SimFileSystem> disk;  // Instead: what another machine left, such as CrashPoint::apply gives.
};

class FIRN_EXPORT Machine {
 public:
  explicit Machine(MachineOptions options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  SimFileSystem& files() { return *files_; }
  Clock& clock() { return clock_; }
  Scheduler& scheduler() { return scheduler_; }
  Random& random() { return *random_; }
  const Platform& platform() const { return platform_; }

  // Scheduler::run.
  Status run(std::function<void()> body) { return scheduler_.run(std::move(body)); }
  // Of decisions, file operations and the bytes written: equal for equal seeds and programs.
  std::uint64_t trace_hash() const { return scheduler_.trace_hash(); }

 private:
  const std::unique_ptr<SimFileSystem> files_;
  Clock clock_;
  Scheduler scheduler_;
  const std::unique_ptr<Random> random_;
  Platform platform_;
};

}  // namespace firn::sim
