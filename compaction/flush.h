// Writes one immutable memtable to L0: a compaction of one input with nothing below it known.
//
// Thread safety, lifetime: as compaction/job.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "codec/cursor.h"
#include "compaction/job.h"
#include "firn/slice.h"

namespace firn::compaction {

struct FlushTask {
  std::unique_ptr<Cursor> memtable;
  std::vector<Sequence> snapshots;  // Ascending, each once; read after the memtable's last write became visible.
  std::optional<std::uint64_t> expected_entries;
  ValueTask values;
  std::function<Result<OutputTable>()> create_table;
  std::function<bool()> should_stop;
};

// One table, or none when the memtable is empty.
CompactionOutcome run_flush(FlushTask task);

}  // namespace firn::compaction
