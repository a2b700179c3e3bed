#include "tests/faults/allocation_probe.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> largest{0};

}  // namespace

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  std::size_t known = largest.load(std::memory_order_relaxed);
  while (known < bytes && !largest.compare_exchange_weak(known, bytes, std::memory_order_relaxed)) {
  }
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void* operator new(std::size_t bytes) {
  void* const memory = operator new(bytes, std::nothrow);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace firn::testing {

void forget_allocations() { largest.store(0, std::memory_order_relaxed); }
std::size_t largest_allocation() { return largest.load(std::memory_order_relaxed); }

}  // namespace firn::testing
