// Executes a compaction: merges sorted inputs, leaves out what no reader can see any more, and writes sorted tables.
//
// What is kept. Snapshots cut the sequence numbers into stripes; of each key the newest version in each stripe is kept,
// since no reader can see the others. Where the plan is bottommost (picker.h: nothing older of these keys exists), in
// the oldest stripe, which every reader sees, a tombstone says nothing and is dropped, and a put gets sequence 0, so
// that tables can leave the sequence column out: no reader and no later merge compares it with anything older.
// Precondition for all of that: every entry of the inputs was visible when `snapshots` was read, so that a snapshot
// taken later sees the newest version of each key.
//
// Thread safety: one job, one thread; jobs with disjoint inputs may run at once. Lifetime: see CompactionTask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/cursor.h"
#include "compaction/picker.h"
#include "compaction/value_separator.h"
#include "firn/file_system.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "sstable/table_builder.h"
#include "sstable/table_meta.h"

namespace firn::compaction {

// A table to be written: what the caller made for it.
struct OutputTable {
  std::uint64_t id = 0;
  std::unique_ptr<File> file;  // New and empty; destroyed after `builder`.
  std::unique_ptr<TableBuilder> builder;
};

struct CompactionTask {
  // Runs whose entries are merged: one per L0 table, one LevelCursor per level. No two entries share key and sequence.
  std::vector<std::unique_ptr<Cursor>> inputs;
  std::vector<Sequence> snapshots;  // Ascending, each once.
  bool bottommost = false;
  std::uint64_t table_bytes = 0;       // Outputs are cut at the first new key beyond it; 0: never.
  std::vector<Boundary> grandparents;  // As in CompactionPlan.
  std::uint64_t grandparent_overlap_bytes_max = 0;
  // Only keys in (after, up_to]; absent: unbounded. For sub-compactions (split.h).
  std::optional<std::string> after;
  std::optional<std::string> up_to;
  std::size_t head_offset = 0;                    // Common prefix of all keys, as for MergeCursor.
  std::optional<std::uint64_t> expected_entries;  // What the inputs hold within those bounds, if known: checked.
  ValueTask values;
  // Makes the next output. Called from the thread of the job, which destroys builder and file before it returns.
  std::function<Result<OutputTable>()> create_table;
  // Asked every few hundred entries, with nothing held: may do other work meanwhile. True ends the job with kClosed.
  std::function<bool()> should_stop;
};

struct CompactionCounts {
  std::uint64_t entries_read = 0;
  std::uint64_t entries_written = 0;
  std::uint64_t entries_shadowed = 0;    // A newer version is visible to the same snapshots.
  std::uint64_t tombstones_dropped = 0;  // At the bottom.
  std::uint64_t sequences_zeroed = 0;
  std::uint64_t bytes_read = 0;     // Keys and values, separated ones too.
  std::uint64_t bytes_written = 0;  // Of files, value files included.
};

struct CompactionOutcome {
  // kClosed after should_stop; errors of inputs, create_table and builders as they are.
  Status status;
  std::vector<TableMeta> tables;       // Finished outputs, by key. Of no use unless status is Ok.
  std::vector<std::uint64_t> created;  // Ids of all outputs begun: unless status is Ok, the caller removes their files.
  ValueOutcome values;
  CompactionCounts counts;
};

// Inputs are read only. Every output is finished (TableBuilder::finish) when it returns Ok.
CompactionOutcome run_compaction(CompactionTask task);

}  // namespace firn::compaction
