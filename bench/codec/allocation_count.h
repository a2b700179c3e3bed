// Counts allocations: replaces the program's operator new. Include it in one file of a program only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace firn::codec {

inline std::atomic<std::size_t> allocation_count{0};  // Since the program began, of all threads.

}  // namespace firn::codec

// Not inlined: the compiler would see malloc and free where it expects new and delete to match.
[[gnu::noinline]] void* operator new(std::size_t size) {
  firn::codec::allocation_count.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
