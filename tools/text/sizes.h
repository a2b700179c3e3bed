// The sizes a database works with, in JSON: the same names in every command.
#pragma once

#include "firn/stats.h"
#include "tools/text/json.h"

namespace firn::tools {

// Adds "memtable_bytes", "cache_bytes", "block_bytes", "target_table_bytes", "log_segment_bytes", "level_ratio" and
// "l0_tables".
void put_sizes(Json& object, const DerivedSizes& sizes);

}  // namespace firn::tools
