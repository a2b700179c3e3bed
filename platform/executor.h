// The Executor of every machine: a pool of threads. The real machine's threads are the operating system's, a simulated
// one's are its scheduler's.
//
// Of two or more threads the first is reserved for kHigh tasks, so that a flush never waits for a compaction to end;
// the others take kHigh tasks first and kLow ones otherwise. A single thread takes kHigh tasks first. Within a
// priority tasks start in the order of submission. A delayed task is a kHigh task once it is due.
//
// Destruction runs every task that was submitted, those that running tasks submit meanwhile included, drops delayed
// tasks that are not due, and joins the threads. It must not be called from a task.
//
// Thread safety: as Executor. The threads block all signals but those a thread raises itself by a fault.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "firn/platform.h"

namespace firn {

// Makes threads, and joins them when destroyed.
class ThreadSource {
 public:
  virtual ~ThreadSource() = default;
  // False when no more are to be had.
  virtual bool start(std::function<void()> body) = 0;
};

// As make_thread_pool, of threads from `source`, by `clock`.
std::unique_ptr<Executor> make_pool(std::uint32_t threads, Clock& clock, std::unique_ptr<ThreadSource> source);

// `threads` (at least 1; 0 counts as 1). Fewer if the system refuses more; null if it refuses every one.
std::unique_ptr<Executor> make_thread_pool(std::uint32_t threads);

}  // namespace firn
