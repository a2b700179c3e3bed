// Refuses memory: the n-th request of this thread, or of the process, fails; both operator new and the mappings behind
// allocate_pages(). A program that links refused_memory.cc links with -Wl,--wrap=mmap.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

namespace firn::testing {

enum class Refusal : std::uint8_t {
  kOnce,    // That request alone.
  kAlways,  // That one and all after it.
};

// The `n`-th request from now on (1 is the next) of this thread is refused, until allow_memory().
void refuse_memory(std::uint64_t n, Refusal refusal);
// The same of all threads. There is no way back: for a process that is about to end.
void refuse_memory_to_all(std::uint64_t n);
bool memory_was_refused_to_all();
// Whether anything was refused since refuse_memory().
bool allow_memory();

}  // namespace firn::testing
