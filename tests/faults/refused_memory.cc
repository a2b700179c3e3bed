#include "tests/faults/refused_memory.h"

#include <sys/mman.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

using firn::testing::Refusal;

struct Plan {
  std::uint64_t left = 0;  // Requests until the one that is refused, which counts; 0: none is.
  Refusal refusal = Refusal::kOnce;
  bool refused = false;
};

thread_local Plan plan;
std::atomic<std::int64_t> left_of_all{0};

bool refused() {
  if (left_of_all.load(std::memory_order_relaxed) > 0 && left_of_all.fetch_sub(1) == 1) return true;
  if (plan.left == 0 || --plan.left > 0) return false;
  plan.left = plan.refusal == Refusal::kAlways ? 1 : 0;
  plan.refused = true;
  return true;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (refused()) return nullptr;
  alignment = std::max(alignment, alignof(std::max_align_t));
  return std::aligned_alloc(alignment, (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
  void* const memory = allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate_or_throw(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

// What is retired when no memory is left to note it is never freed (docs/testing.md).
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {  // NOLINT: its name
  return "detect_leaks=0";
}

extern "C" {
void* __real_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  if (file == -1 && refused()) return MAP_FAILED;
  return __real_mmap(address, bytes, protection, flags, file, offset);
}
}

namespace firn::testing {

void refuse_memory(std::uint64_t n, Refusal refusal) { plan = {n, refusal, false}; }

void refuse_memory_to_all(std::uint64_t n) { left_of_all.store(static_cast<std::int64_t>(n)); }

bool memory_was_refused_to_all() { return left_of_all.load() == 0; }

bool allow_memory() {
  const bool refused = plan.refused;
  plan = {};
  return refused;
}

}  // namespace firn::testing
