// Memory straight from the operating system, in pages: what arenas and frame pools are made of. Large areas are in
// 2 MiB pages where the system has them, which halves the cost of every random access (one TLB miss less); small ones
// come from the heap, for a mapping costs two system calls and one of the 65,530 that a process may have.
//
// Thread safety: any thread.
#pragma once

#include <cstddef>

namespace firn {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// Smaller areas are of the heap.
inline constexpr std::size_t kMappedBytesMin = std::size_t{16} << 10;

// `bytes` (> 0) of zeros, aligned to the system's page; from kHugePageBytes up aligned to that and advised to be huge,
// below kMappedBytesMin aligned to 64. Null when there is no memory. Physical memory is taken as pages are first
// touched.
[[nodiscard]] void* allocate_pages(std::size_t bytes);
// Gives back an area; `bytes` as it was allocated. Null is allowed.
void free_pages(void* pages, std::size_t bytes);

// Of such an area, for its std::unique_ptr, which then knows its size too.
struct FreePages {
  std::size_t bytes = 0;
  void operator()(void* pages) const { free_pages(pages, bytes); }
};

}  // namespace firn
