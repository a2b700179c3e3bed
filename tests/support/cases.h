// How many cases a test runs. FIRN_TEST_CASES is a percentage of the usual number: 10 for a quick run under a
// sanitizer, 10000 for a long one overnight.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>

namespace firn::testing {

// `count` scaled by FIRN_TEST_CASES, at least 1: `for (std::uint64_t i = 0; i < cases(10'000); ++i)`.
std::uint64_t cases(std::uint64_t count);

}  // namespace firn::testing
