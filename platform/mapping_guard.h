// Keeps the process alive when a page of a mapped file cannot be read (device error, file cut short): the kernel then
// raises SIGBUS, and a process-wide handler, installed with the first MappingGuard, replaces the page by zeros and
// marks the guard as failed. Faults outside every guard go to the handler that was installed before; a program that
// installs one later must call on to ours. Internal to platform.
//
// Thread safety: any thread. The handler takes no lock and allocates nothing: it searches a list that only grows.
// Lifetime: the guard is made after its mapping and destroyed before it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/fence.h"

namespace firn {

// One protected range of addresses, as the signal handler sees it. Reused, never freed.
struct GuardedRange {
  std::atomic<std::uintptr_t> begin{0};  // 0: unused. Written last, so that the rest fits it.
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> writable{false};
  std::atomic<bool> failed{false};
};

class MappingGuard {
 public:
  // [address, address + bytes), mapped; `address` is not null.
  MappingGuard(const void* address, std::size_t bytes, bool writable);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  // Whether a page was replaced. What was read or stored through the mapping before a false answer was the file's.
  bool failed() const {
    load_fence();  // The answer is not to be older than the reads it vouches for.
    return range_->failed.load(std::memory_order_relaxed);
  }
  // The same as a flag, for who orders reads before it.
  const std::atomic<bool>& failed_flag() const { return range_->failed; }

 private:
  GuardedRange* const range_;
};

}  // namespace firn
