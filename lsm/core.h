// What the parts of an open database share: settings, files, families, the sequence and the counters. Parts that own
// work have files of their own: Committer (writes), LogSet (log), Maintenance (flush, compaction, manifest).
//
// Lock order, outermost first: Committer's mutex, Maintenance's manifest mutex, Maintenance's mutex, LogSet's, the
// others (each held for a few instructions and never while taking another). No lock is held over I/O that a read needs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "firn/options.h"
#include "firn/platform.h"
#include "firn/stats.h"
#include "lsm/counters.h"
#include "lsm/family_set.h"
#include "lsm/sizes.h"
#include "lsm/snapshot_list.h"
#include "lsm/table_store.h"

namespace firn::lsm {

// Counters behind firn::Statistics. Those bumped by many threads are striped; the others have one writer at a time.
struct Counters {
  StripedCounter gets;
  StripedCounter filter_skips;
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> entries_written{0};
  std::atomic<std::uint64_t> user_bytes_written{0};
  std::atomic<std::uint64_t> log_bytes_written{0};
  std::atomic<std::uint64_t> log_syncs{0};
  std::atomic<std::uint64_t> write_delay_ns{0};
  std::atomic<std::uint64_t> write_stops{0};
  std::atomic<std::uint64_t> flushes{0};
  std::atomic<std::uint64_t> flush_bytes_written{0};
  std::atomic<std::uint64_t> compactions{0};
  std::atomic<std::uint64_t> trivial_moves{0};
  std::atomic<std::uint64_t> compaction_bytes_read{0};
  std::atomic<std::uint64_t> compaction_bytes_written{0};
  std::atomic<std::uint64_t> value_bytes_moved{0};
};

// Adds without a locked instruction: for counters with one writer at a time.
inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

struct Core {
  Core(std::string path, Options given);

  const std::string directory;
  const Options options;
  const DerivedSizes sizes;
  const Platform& platform;
  FileSystem& files;
  const std::shared_ptr<TableStore> store;
  const std::shared_ptr<SnapshotList> snapshots;
  const std::shared_ptr<memtable::ChunkPool> chunks;  // Memory of memtables that were flushed, for those that fill.
  FamilySet families;
  Counters counters;
  std::atomic<std::uint64_t> next_file_id{1};  // Of tables, value files and log segments alike.
  std::atomic<Sequence> visible_sequence{0};   // What reads see; published by the committer after the memtables.
  Executor* executor = nullptr;                // Null before background work begins.
  Executor* log_executor = nullptr;            // Of the log, files that go, chunks made ahead; likewise.

  std::uint64_t take_file_id() { return next_file_id.fetch_add(1, std::memory_order_relaxed); }
  LevelCompression compression_of(const FamilyState& family) const {
    return family.options().compression.value_or(options.compression);
  }
};

Status closed_status();
Status read_only_status();

}  // namespace firn::lsm
