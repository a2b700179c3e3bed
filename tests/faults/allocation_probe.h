// The largest request to operator new in this program: lengths read from damaged files must not become memory.
#pragma once

#include <cstddef>

namespace firn::testing {

void forget_allocations();
std::size_t largest_allocation();  // Bytes, since the last forget_allocations().

}  // namespace firn::testing
