// How much of what was written lately replaced something, without merging it: for some of the keys above the last
// level, the tables below are asked whether they have an older version.
//
// Thread safety: any thread. Lifetime: free function.
#pragma once

#include "lsm/version.h"

namespace firn::lsm {

// Of the entries above the last level, tombstones included, the share that replaces an older one: 0 to 1, to within a
// few per cent. Reads a block for each key asked for, and what opens a table for each that is closed. 0 after an error:
// who merges the tables will meet it.
double replaced_share(const Version& version);

}  // namespace firn::lsm
