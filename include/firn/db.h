// Firn's one contract: an ordered map of byte strings, in families, with atomic batches, snapshots and iterators.
// Two implementations: the LSM engine (DB::open) and MemoryDB (memory_db.h), the oracle that tests compare it with.
//
// Thread safety: everything may be called from many threads at once, except close() and destruction, which must come
// last. Lifetime: iterators, snapshots and pinned values may outlive the database. After close() every call answers
// kClosed. Errors common to all calls: kNotFound for a dropped or unknown family, kIo and kCorruption from the files,
// kClosed. A write that answers an error has changed nothing, except where the log itself failed (kIo from a write or
// a sync): then its outcome is unknown, writes are stopped and health() says why, reads go on, and resume() ends that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "firn/export.h"
#include "firn/family.h"
#include "firn/health.h"
#include "firn/iterator.h"
#include "firn/options.h"
#include "firn/pinned_value.h"
#include "firn/slice.h"
#include "firn/snapshot.h"
#include "firn/stats.h"
#include "firn/status.h"
#include "firn/write_batch.h"

namespace firn {

class FIRN_EXPORT DB {
 public:
  // Opens the database in directory `path`, recovering it when it was not closed cleanly; creates it (the directory
  // too, but not its parents) where Options::create_if_missing says so. Errors: kInvalidArgument (options),
  // kNotADatabase (missing and not to be created, or a directory with other files), kBusy (open elsewhere),
  // kNewerFormat, kCorruption (damage below what was proven durable), kIo, kNoSpace. On error nothing was changed.
  static Result<std::unique_ptr<DB>> open(const std::string& path, const Options& options = {});
  // Removes the database in `path`: Firn's own files, then the directory if nothing else is in it. Ok when there is
  // none. Errors: kBusy (open), kNotADatabase (files but no database), kIo.
  static Status destroy(const std::string& path, const Options& options = {});

  virtual ~DB() = default;  // Closes; an error of that close is lost, so call close() where it matters.
  DB(const DB&) = delete;
  DB& operator=(const DB&) = delete;

  // Waits for running calls of the background (bounded: compactions are cut short), makes everything acknowledged
  // durable (kNone writes by a flush) and lets go of the lock. A second close answers Ok.
  virtual Status close() = 0;

  // --- Writes. Each answers the sequence number of the write (of a batch: its last operation). Limits: slice.h.
  virtual Result<Sequence> write(const WriteBatch& batch, const WriteOptions& options = {}) = 0;
  virtual Result<Sequence> put(Family family, Slice key, Slice value, const WriteOptions& options = {}) = 0;
  virtual Result<Sequence> erase(Family family, Slice key, const WriteOptions& options = {}) = 0;
  Result<Sequence> put(Slice key, Slice value, const WriteOptions& options = {}) {
    return put(kDefaultFamily, key, value, options);
  }
  Result<Sequence> erase(Slice key, const WriteOptions& options = {}) { return erase(kDefaultFamily, key, options); }

  // Everything acknowledged so far is on the device when it returns Ok (kNone writes excepted).
  virtual Status sync() = 0;
  // The last sequence known to be on the device.
  virtual Sequence durable_sequence() const = 0;
  // The last sequence that reads see.
  virtual Sequence visible_sequence() const = 0;

  // --- Point reads. A missing key is a kNotFound status.
  virtual Result<PinnedValue> get_pinned(Family family, Slice key, const ReadOptions& options = {}) = 0;
  Result<PinnedValue> get_pinned(Slice key, const ReadOptions& options = {}) {
    return get_pinned(kDefaultFamily, key, options);
  }
  Result<std::string> get(Family family, Slice key, const ReadOptions& options = {}) {
    while (true) {
      auto value = get_pinned(family, key, options);
      if (!value.ok()) return value.status();
      std::string copy(value->slice());
      if (value->intact()) return copy;
    }
  }
  Result<std::string> get(Slice key, const ReadOptions& options = {}) { return get(kDefaultFamily, key, options); }
  // One answer per key, in order, all from one moment. Faster than single gets: cache misses overlap.
  virtual std::vector<Result<PinnedValue>> multi_get(Family family, std::span<const Slice> keys,
                                                     const ReadOptions& options = {}) = 0;
  std::vector<Result<PinnedValue>> multi_get(std::span<const Slice> keys, const ReadOptions& options = {}) {
    return multi_get(kDefaultFamily, keys, options);
  }

  // --- Ordered reads; an iterator that could not be made (unknown family, closed) answers kError at every move.
  virtual Iterator iterator(Family family, const IteratorOptions& options = {}) = 0;
  Iterator iterator(const IteratorOptions& options = {}) { return iterator(kDefaultFamily, options); }
  // Keys in [from, to); an empty `to` is unbounded.
  Iterator scan(Family family, Slice from, Slice to, const ReadOptions& options = {});
  Iterator scan(Slice from, Slice to, const ReadOptions& options = {}) {
    return scan(kDefaultFamily, from, to, options);
  }
  // Exactly the keys that start with `prefix`, whatever its bytes: all of them for "", and no neighbour for "\xFF".
  Iterator scan_prefix(Family family, Slice prefix, const ReadOptions& options = {});
  Iterator scan_prefix(Slice prefix, const ReadOptions& options = {}) {
    return scan_prefix(kDefaultFamily, prefix, options);
  }

  // The present moment, over all families.
  virtual Snapshot snapshot() = 0;

  // --- Families. Creation and drop are log events: atomic, durable on return.
  // Errors: kInvalidArgument (empty name, one that exists, over 255 bytes, bad options).
  virtual Result<Family> create_family(const std::string& name, const FamilyOptions& options = {}) = 0;
  // Its data is gone for new reads at once; iterators and snapshots made before keep theirs. Not for "default".
  virtual Status drop_family(Family family) = 0;
  virtual std::vector<FamilyInfo> families() const = 0;              // By id.
  virtual Result<Family> family(const std::string& name) const = 0;  // kNotFound when there is none.

  // --- Upkeep.
  // Everything written to `family` so far is in tables, and durable, when it returns Ok.
  // Until something is written again, the background gives back the space of what was overwritten or erased, where
  // that costs at most two bytes written for each byte; wait_idle() waits for that, too.
  virtual Status flush(Family family = kDefaultFamily) = 0;
  // Rewrites [from, to) of `family` down to its last level (an empty `to` is unbounded), dropping what no snapshot
  // needs. Flushes first. Waits; other writes and reads go on.
  virtual Status compact_range(Family family, Slice from, Slice to) = 0;
  Status compact_range() { return compact_range(kDefaultFamily, {}, {}); }
  // Waits until no flush or compaction is due.
  virtual Status wait_idle() = 0;
  // Reads every live file and checks every checksum; the first damage found, or Ok. Writes and reads go on; writes wait
  // only while the log, having seemed damaged, is read once more.
  virtual Status verify() = 0;

  // The worst error that has not been made good: what it is, and whether writes are refused because of it.
  virtual Health health() const = 0;
  // Tries now what failed before, and waits for it. After a failed write or sync of the log: puts everything that reads
  // see into tables, durable, and begins a new log; the writes whose outcome was unknown are undone for good. Ok: what
  // was to be flushed is, and writes are taken. Errors: that of the trial, and all is as it was before.
  virtual Status resume() = 0;
  virtual Statistics statistics() const = 0;
  virtual Result<FamilyProperties> properties(Family family = kDefaultFamily) const = 0;
  virtual const RecoveryReport& recovery() const = 0;
  virtual DerivedSizes sizes() const = 0;

 protected:
  DB() = default;
};

}  // namespace firn
