// Reads the log back after a start: every record in commit order, up to the end of the log or the first gap.
//
// What a crash can leave is cut silently and reported; damage of what was proven durable is kCorruption naming file
// and offset (contract C3, C4). Proof is a durable stamp in a later valid record, a later segment's header, or what the
// manifest says: how far the log was durable when an edit was written, and where it ended at a clean close. A record
// that is merely later proves nothing: sectors reach a device in any order.
//
// Nothing is written: the log can be read any number of times with the same result. Going on means a new segment whose
// header has LogEnd::previous as its predecessor, so that what was cut never counts again.
//
// Thread safety: none needed; one call, its visitor is called on the same thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "firn/file_system.h"
#include "firn/stats.h"
#include "firn/status.h"
#include "wal/log_format.h"

namespace firn::wal {

struct SegmentFile {
  std::uint64_t id = 0;
  std::string path;
};

// How far the manifest was found to go.
struct ManifestEnd {
  std::uint64_t edit = 0;  // The newest edit.
  std::string path;
  std::uint64_t offset = 0;  // Where it ends.
};

// lsm/manifest.h builds one from a manifest and a directory.
struct ReplayRequest {
  DatabaseId database;
  std::vector<SegmentFile> live;    // As the manifest lists them, by id; each must be there.
  std::vector<SegmentFile> others;  // Log files found that the manifest does not list: asked for proofs only.
  // Where each live segment ends, if that is known: after a clean close, or (SegmentWriter::end) while it is written.
  std::optional<std::vector<SegmentEnd>> clean_close;
  std::optional<DurableEnd> durable;  // As the manifest says, if it does.
  ManifestEnd manifest;
};

// Where a record was read, for messages about its contents.
struct RecordSource {
  const std::string& path;
  std::uint64_t offset;
};

// The record's payload lives during the call. An error ends the replay and is its result.
using RecordVisitor = std::function<Status(const Record&, const RecordSource&)>;

struct LogEnd {
  // For the header of the segment in which the log goes on. Claims nothing durable.
  PreviousSegment previous;
  Sequence last_sequence = 0;           // Of the last record; 0 when there is none.
  std::vector<std::uint64_t> obsolete;  // Live segments behind the end: never used, or dropped. Remove them.
};

// Visits every record, fills the log's part of `report` (segments, batches, entries, bytes, dropped_*).
// Errors: kCorruption (damage below proof; a missing segment; a manifest that lost durable edits), kNewerFormat, kIo,
// and whatever `visitor` answers.
Result<LogEnd> replay(FileSystem& files, const ReplayRequest& request, const RecordVisitor& visitor,
                      RecoveryReport& report);

}  // namespace firn::wal
