// What a database says about itself: counters since open and the shape of its families now.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "firn/family.h"
#include "firn/options.h"
#include "firn/slice.h"

namespace firn {

// Counters since open, over all families. Bytes are bytes, times are nanoseconds.
struct Statistics {
  std::uint64_t writes = 0;              // Acknowledged batches (a put is a batch of one).
  std::uint64_t entries_written = 0;     // Operations in them.
  std::uint64_t user_bytes_written = 0;  // Keys and values in them.
  std::uint64_t log_bytes_written = 0;
  std::uint64_t log_syncs = 0;
  std::uint64_t write_delay_ns = 0;  // Spent in pacing, over all writers.
  std::uint64_t write_stops = 0;     // Waits for memory, not for a measured delay.
  std::uint64_t gets = 0;
  // Tables not read because their filter said no. The first gets of a table after an open read a block of it instead of
  // waiting for a large filter: they skip nothing.
  std::uint64_t filter_skips = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t flushes = 0;
  std::uint64_t flush_bytes_written = 0;
  std::uint64_t compactions = 0;
  std::uint64_t trivial_moves = 0;
  std::uint64_t compaction_bytes_read = 0;
  std::uint64_t compaction_bytes_written = 0;
  std::uint64_t value_bytes_moved = 0;  // Live values out of value files that were emptied; part of both figures above.

  // Device bytes per user byte, log included; 0 before the first write.
  double write_amplification() const {
    if (user_bytes_written == 0) return 0;
    return static_cast<double>(log_bytes_written + flush_bytes_written + compaction_bytes_written) /
           static_cast<double>(user_bytes_written);
  }
};

struct LevelInfo {
  std::uint32_t tables = 0;
  std::uint64_t bytes = 0;  // File bytes.
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t target_bytes = 0;  // What the level may hold before compaction drains it; 0 for L0 and unused levels.
};

// One table file, as `firn levels` shows it.
struct TableInfo {
  int level = 0;
  std::uint64_t id = 0;
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::string smallest_key;
  std::string largest_key;
  Sequence smallest_sequence = 0;
  Sequence largest_sequence = 0;
};

// One value file (FamilyOptions::separate_value_bytes).
struct ValueFileInfo {
  std::uint64_t id = 0;
  std::string path;
  std::uint64_t bytes = 0;  // Of the file.
  std::uint64_t records = 0;
  std::uint64_t live_bytes = 0;  // Of the records that tables refer to; the rest is garbage.
};

// The shape of one family.
struct FamilyProperties {
  std::array<LevelInfo, kLevelCount> levels;
  std::uint64_t memtable_bytes = 0;  // Active memtable.
  std::uint64_t memtable_entries = 0;
  std::uint32_t immutable_memtables = 0;  // Waiting for, or in, flush.
  std::uint64_t immutable_memtable_bytes = 0;
  std::uint64_t compaction_debt_bytes = 0;  // To be rewritten before every level is within its target.
  std::vector<TableInfo> tables;            // L0 newest first, then by level and key.
  std::vector<ValueFileInfo> value_files;   // By id.
};

// What the last open found and did.
struct RecoveryReport {
  bool clean = false;          // Closed cleanly before: nothing was replayed.
  std::uint32_t segments = 0;  // Log segments read.
  std::uint64_t batches = 0;   // Replayed.
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;          // Of log read.
  std::uint64_t dropped_bytes = 0;  // Torn tail cut off.
  std::string dropped_reason;       // Why; empty when nothing was dropped.
  std::uint64_t files_removed = 0;  // Obsolete or half-written files of the last run.
  std::uint64_t elapsed_ns = 0;
};

// Figures in force: given by the user or derived from Options::memory_bytes.
struct DerivedSizes {
  std::uint64_t memtable_bytes = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t table_bytes = 0;
  std::uint64_t log_segment_bytes = 0;
  std::uint32_t level_ratio = 0;
  std::uint32_t l0_tables = 0;
};

}  // namespace firn
