#include "tools/text/sizes.h"

namespace firn::tools {

void put_sizes(Json& object, const DerivedSizes& sizes) {
  object["memtable_bytes"] = sizes.memtable_bytes;
  object["cache_bytes"] = sizes.cache_bytes;
  object["block_bytes"] = sizes.block_bytes;
  object["target_table_bytes"] = sizes.table_bytes;
  object["log_segment_bytes"] = sizes.log_segment_bytes;
  object["level_ratio"] = sizes.level_ratio;
  object["l0_tables"] = sizes.l0_tables;
}

}  // namespace firn::tools
