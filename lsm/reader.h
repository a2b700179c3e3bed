// Point reads: memtables, then L0 newest first, then one table a level; the first version found is the answer.
//
// Thread safety: free functions over a Core; any thread.
#pragma once

#include <span>
#include <vector>

#include "firn/pinned_value.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "lsm/core.h"

namespace firn::lsm {

// The newest version of `key` not newer than `at`; absent `at`: than what is visible. kNotFound when there is none or
// it is a tombstone.
Result<PinnedValue> get(Core& core, const FamilyState& family, Slice key, std::optional<Sequence> at);
// The same in a view that the caller keeps.
Result<PinnedValue> get(Core& core, const ReadView& view, Slice key, Sequence at);

// The same for many keys. Keys go through each step together, so that their cache misses overlap.
std::vector<Result<PinnedValue>> multi_get(Core& core, const ReadView& view, std::span<const Slice> keys, Sequence at);

}  // namespace firn::lsm
