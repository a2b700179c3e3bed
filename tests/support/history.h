// What several clients did to one database, as each of them saw it, and whether one order of events explains it all.
//
// Firn gives every write a place in one commit order (its sequence), and a read sees the writes up to some place, whole
// batches only. So a history is right when a place can be found for each read such that
//
//   - writes are in an order that agrees with time: one that returned before another was issued has the smaller
//   sequence;
//   - a read sees what the writes up to its place left, of all its keys, nothing else: snapshot isolation, whole
//   batches;
//   - places agree with time: a write that returned before a read was issued is seen by it, one that was issued after
//     the read returned is not, and no read sees less than one that returned before it: every key is linearizable, and
//     so are all of them together;
//   - what a snapshot sees is what there was at its sequence, however late it is asked;
//   - what a crash leaves is what there was at one place, not before what was known to be durable: a prefix.
//
// Because the order of writes is known, the least place that fits can be found read by read, and the check is exact and
// takes about the time of sorting (checking without it is NP-complete: Gibbons and Korach, "Testing shared memories",
// 1997). Idea of recording invocation and return: Herlihy and Wing, "Linearizability", 1990; of values written once,
// which tell who wrote them: Elle (Kingsbury and Alvaro, VLDB 2020).
//
// Thread safety: a History is built and checked by one thread; each client records for itself (history_client.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firn/family.h"
#include "firn/slice.h"

namespace firn::testing {

// What was written under a key, or found: absent for an erasure, or no such key.
struct HistoryRow {
  Family family;
  std::string key;
  std::optional<std::string> value;
};

// Keys in [from, to) of a family; an empty `to` is unbounded.
struct HistoryRange {
  Family family;
  std::string from;
  std::string to;
};

struct HistoryEvent {
  enum class Kind : std::uint8_t {
    kWrite,      // `rows` in order, as one batch; `sequence` of the last one, absent when its outcome is unknown.
    kRead,       // Found `rows` at one moment; `sequence` of the snapshot it was made at, if any.
    kSnapshot,   // Made at `sequence`.
    kRecovered,  // `rows` are all there was after a crash at this time, which left the writes up to `sequence`.
  };
  Kind kind = Kind::kRead;
  int client = 0;
  std::uint64_t issued = 0;  // Ticks of a clock that all clients share; each tick is given out once.
  std::uint64_t returned = 0;
  std::vector<HistoryRow> rows;
  std::optional<Sequence> sequence;
  std::vector<HistoryRange> ranges;  // Keys in them that `rows` do not name were not there.
  Sequence durable = 0;              // kRecovered: known to be durable before the crash.
};

enum class AnomalyKind : std::uint8_t {
  kCommitOrder,     // Sequences contradict time, or two writes share one.
  kUnwrittenValue,  // Nobody wrote it there.
  kFutureRead,      // Seen before it was written, or by a snapshot from before.
  kStaleRead,       // What was overwritten, erased or missing before the read was issued.
  kMixedMoments,    // Each row was right at some moment, all of them at none: a torn batch, a fractured read.
  kSnapshotOrder,   // A snapshot of another moment than any between its issue and its return, or within a batch.
  kLostWrite,       // A crash took something that was durable.
};

struct Anomaly {
  AnomalyKind kind;
  std::string text;  // Who saw what, for people.
};

const char* anomaly_name(AnomalyKind kind);

// All anomalies of `events`, in any order, of a database that was empty before them. Precondition: no value was written
// twice under one key.
std::vector<Anomaly> check_history(const std::vector<HistoryEvent>& events);

}  // namespace firn::testing
