// Small changes to bytes, as a fuzzer makes them, for runs without one.
//
// Thread safety: none needed.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace firn::fuzz {

// One of `inputs`, with up to eight changes: bits, bytes and numbers replaced, pieces cut, repeated, moved or taken
// from another input. Precondition: `inputs` is not empty.
std::string mutate(const std::vector<std::string>& inputs, std::mt19937_64& random);

}  // namespace firn::fuzz
