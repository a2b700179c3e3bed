// Memory fences that also compile under ThreadSanitizer, which knows none.
//
// Thread safety: any thread.
#pragma once

#include <atomic>

namespace firn {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIRN_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIRN_THREAD_SANITIZER 1
#endif

// std::atomic_thread_fence(std::memory_order_seq_cst).
inline void full_fence() {
#if defined(FIRN_THREAD_SANITIZER)
  // The same for the processor; of a variable of our own, so that it orders nothing in the sanitizer's eyes and hides
  // no race.
  std::atomic<int> own{0};
  asm volatile("" : : "r"(&own) : "memory");
  own.exchange(1, std::memory_order_seq_cst);
  asm volatile("" : : "r"(&own) : "memory");
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// Loads before it are done before loads after it (std::memory_order_acquire). For data that the sanitizer does not see
// change, such as mapped files.
inline void load_fence() {
#if defined(FIRN_THREAD_SANITIZER)
  full_fence();
#else
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
}

}  // namespace firn
