#include "compaction/flush.h"

#include <utility>

namespace firn::compaction {

CompactionOutcome run_flush(FlushTask task) {
  CompactionTask compaction;
  compaction.inputs.push_back(std::move(task.memtable));
  compaction.snapshots = std::move(task.snapshots);
  compaction.expected_entries = task.expected_entries;
  compaction.values = std::move(task.values);
  compaction.create_table = std::move(task.create_table);
  compaction.should_stop = std::move(task.should_stop);
  return run_compaction(std::move(compaction));
}

}  // namespace firn::compaction
