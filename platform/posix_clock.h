// The operating system's clocks.
//
// Thread safety: any thread. Lifetime: the process.
#pragma once

#include "firn/platform.h"

namespace firn {

Clock& real_clock();

}  // namespace firn
