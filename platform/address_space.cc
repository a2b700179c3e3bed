#include "platform/address_space.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace firn {

std::size_t page_bytes() {
  static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

void* reserve_addresses(std::size_t bytes, std::size_t alignment) {
  if (bytes > SIZE_MAX - alignment - page_bytes()) return nullptr;
  const std::size_t rounded = (bytes + page_bytes() - 1) & ~(page_bytes() - 1);
  const std::size_t padded = rounded + alignment;
  void* area = mmap(nullptr, padded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) return nullptr;
  char* const start = static_cast<char*>(area);
  const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(start) % alignment) % alignment;
  const std::size_t after = alignment - before;
  if (before > 0) munmap(start, before);
  if (after > 0) munmap(start + before + rounded, after);
  return start + before;
}

}  // namespace firn
