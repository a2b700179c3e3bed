// A log of two segments made of the input: as raw bytes behind sound headers, and as records whose checksums are
// sound and whose fields are not. Reading it must end, without harm, in records or in an error.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "codec/batch_format.h"
#include "firn/sim/file_system.h"
#include "firn/write_batch.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"
#include "wal/replay.h"

namespace firn::fuzz {

namespace {

using namespace firn::wal;

std::string path(std::uint64_t id) { return "/" + std::to_string(id) + ".log"; }

void put_file(sim::SimFileSystem& files, const std::string& name, Slice bytes) {
  auto file = files.open(name, OpenMode::kCreate, FileKind::kLog);
  FIRN_ASSERT(file.ok() && write_all(**file, 0, std::as_bytes(std::span(bytes))).ok());
}

void run(Slice bytes) {
  Input input(bytes);
  const std::uint8_t choice = input.byte();
  sim::SimFileSystem files;
  PreviousSegment previous;
  SegmentEnd end;
  const Slice first = input.take(input.size() / 2);
  std::string segment = sealed_segment(1, {}, first, end);
  if ((choice & 1) != 0) segment.replace(std::min(segment.size(), kSegmentHeaderBytes), std::string::npos, first);
  if ((choice & 2) != 0) segment.replace(0, first.size(), first);
  put_file(files, path(1), segment);
  previous.end = end;
  previous.durable_bytes = (choice & 4) != 0 ? end.length : 0;
  put_file(files, path(2), sealed_segment(2, previous, input.rest(), end));

  ReplayRequest request;
  request.database = kDatabase;
  request.live = {{1, path(1)}, {2, path(2)}};
  if ((choice & 8) != 0) request.clean_close = std::vector<SegmentEnd>{previous.end, end};
  Sequence last = 0;
  RecoveryReport report;
  const auto replayed = replay(
      files, request,
      [&](const Record& record, const RecordSource&) {
        FIRN_ASSERT(record.first_sequence > last && !record.payload.empty());
        last = record.last_sequence();
        return Status();
      },
      report);
  const StatusCode code = replayed.status().code();
  FIRN_ASSERT(code == StatusCode::kOk || code == StatusCode::kCorruption || code == StatusCode::kNewerFormat);
}

std::vector<std::string> seeds() {
  WriteBatch batch;
  batch.put("key", "value");
  batch.erase("other");
  std::string records;
  for (int i = 0; i < 6; ++i) {
    // A record one sequence on, whose payload is the batch; every other one stamped.
    records.append(1, static_cast<char>(64 | (i % 2) << 7 | static_cast<int>(batch.bytes() - 1)));
    records.append(batch.payload());
  }
  std::vector<std::string> inputs;
  for (const char choice : {'\0', '\1', '\4', '\14'}) inputs.push_back(choice + records);
  return inputs;
}

const Registration kRegistered({"log", run, seeds, 20'000});

}  // namespace

}  // namespace firn::fuzz
