#include "platform/memory.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "platform/address_space.h"
#include "platform/assert.h"

namespace firn {

namespace {

constexpr std::align_val_t kHeapAlignment{64};

}  // namespace

void* allocate_pages(std::size_t bytes) {
  FIRN_ASSERT(bytes > 0);
  if (bytes < kMappedBytesMin) {
    void* area = ::operator new(bytes, kHeapAlignment, std::nothrow);
    return area == nullptr ? nullptr : std::memset(area, 0, bytes);
  }
  if (bytes < kHugePageBytes) {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
  }
  void* pages = reserve_addresses(bytes, kHugePageBytes);
  if (pages == nullptr) return nullptr;
  if (mprotect(pages, bytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(pages, bytes);
    return nullptr;
  }
  madvise(pages, bytes, MADV_HUGEPAGE);  // A hint: refused where the kernel has no huge pages.
  return pages;
}

void free_pages(void* pages, std::size_t bytes) {
  if (bytes < kMappedBytesMin) return ::operator delete(pages, kHeapAlignment);
  if (pages != nullptr) FIRN_ASSERT(munmap(pages, bytes) == 0);
}

}  // namespace firn
