// The one hash of a user key, computed once an operation and shared by memtable index and table filters.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>

#include "firn/slice.h"

namespace firn {

// Stored in filters: never change.
inline std::uint64_t key_hash(Slice key) { return XXH3_64bits(key.data(), key.size()); }

}  // namespace firn
