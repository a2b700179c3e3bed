// Aligned pieces of address space, for memory and file mappings in huge pages. Internal to platform.
//
// Thread safety: any thread.
#pragma once

#include <cstddef>

namespace firn {

// Size of the system's ordinary page, a power of two.
std::size_t page_bytes();
// `bytes` of inaccessible anonymous address space (without a claim on memory) at a multiple of `alignment`, a power of
// two of at least page_bytes(). Null when there is none. The owner maps over it or unmaps it.
[[nodiscard]] void* reserve_addresses(std::size_t bytes, std::size_t alignment);

}  // namespace firn
