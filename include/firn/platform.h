// The seam to the machine. Firn touches files, clocks, threads and randomness only through this, so that a simulated
// machine (every fault, any schedule, from one seed) is just another implementation. It costs nothing on hot paths: the
// grain is the segment, the block and the task, never the record.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "firn/export.h"
#include "firn/file_system.h"

namespace firn {

// Time. No correctness of Firn rests on it: it may jump or stand still. Thread safe.
class FIRN_EXPORT Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t monotonic_ns() = 0;  // Since an arbitrary start.
  virtual std::uint64_t wall_ms() = 0;       // Since 1970-01-01 UTC.
};

enum class TaskPriority : std::uint8_t { kHigh, kLow };  // kHigh: flush, log upkeep. kLow: compaction.

// Background threads. Thread safe.
class FIRN_EXPORT Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` once on a background thread, kHigh tasks first. A task must not wait for another task.
  virtual void submit(TaskPriority priority, std::function<void()> task) = 0;
  // Runs `task` once, not before `delay_ns` from now.
  virtual void submit_after(std::uint64_t delay_ns, std::function<void()> task) = 0;
};

// Seeded source of randomness. Thread safe.
class FIRN_EXPORT Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;  // 64 uniform bits.
};

// One argument to DB::open; everything in it outlives every database, iterator and snapshot made with it.
struct Platform {
  FileSystem* files = nullptr;
  Clock* clock = nullptr;
  // Makes the background threads of one database; it joins them when destroyed, after running what was submitted.
  std::function<std::unique_ptr<Executor>(std::uint32_t threads)> make_executor;
  Random* random = nullptr;
};

// The machine this process runs on. Never destroyed.
FIRN_EXPORT const Platform& real_platform();

}  // namespace firn
