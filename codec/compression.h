// Block compression: one call each way, bounded by the sizes the caller states.
//
// Thread safety: free of shared state; contexts are kept per thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "firn/options.h"
#include "firn/slice.h"

namespace firn {

// Appends the compressed form of `in` to `out`. False, with `out` as it was, when the codec saves less than an eighth
// (the block is then stored as it is). Precondition: compression_available(codec), codec != kNone.
bool compress_block(Compression codec, Slice in, std::string& out);

// Fills `out` exactly. False when `in` is not a block of that codec and size; never writes outside `out`.
bool decompress_block(Compression codec, Slice in, std::span<char> out);

}  // namespace firn
