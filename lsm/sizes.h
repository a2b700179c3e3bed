// The figures that follow from what the user decided.
#pragma once

#include <cstdint>

#include "firn/options.h"
#include "firn/stats.h"

namespace firn::lsm {

// Every figure in force: Options::sizes where given, else derived from Options::memory_bytes.
// Precondition: options.validate().ok().
DerivedSizes derive_sizes(const Options& options);

// Data of one block of a table that is written with `codec`: compressed blocks are larger, because a codec needs
// context and a compressed block is read whole in any case.
std::uint64_t block_bytes_for(const Options& options, const DerivedSizes& sizes, Compression codec);

// What all memtables together, full ones and those being filled, may hold before writers wait for a flush. Families
// that fill at the same time share what two memtables may hold, and get one memtable more.
std::uint64_t memtable_budget_bytes(const DerivedSizes& sizes, bool shared);

}  // namespace firn::lsm
