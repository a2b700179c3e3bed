// Cuts one compaction into several that can run at once: sub-compactions (CompactionTask::after, up_to).
//
// Thread safety: pure function.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sstable/table_meta.h"

namespace firn::compaction {

// At most parts - 1 keys, ascending, that divide the bytes of `inputs` about evenly: part i takes keys in
// (keys[i - 1], keys[i]]. Chosen among the tables' own bounds, taking the bytes of a table as evenly spread over the
// bounds within it; fewer keys when the tables have fewer bounds.
std::vector<std::string> split_keys(const std::vector<const TableMeta*>& inputs, std::size_t parts);

}  // namespace firn::compaction
