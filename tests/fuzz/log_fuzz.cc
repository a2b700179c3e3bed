// A log of two segments made of the input: as raw bytes behind sound headers, and as records whose checksums are
// sound and whose fields are not. Reading it must end, without harm, in records or in an error.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "platform/io.h"
#include "platform/memory_file_system.h"
#include "wal/replay.h"

namespace {

using namespace firn;
using namespace firn::wal;

constexpr DatabaseId kDatabase{1, 2};

std::string path(std::uint64_t id) { return "/" + std::to_string(id) + ".log"; }

void put_file(MemoryFileSystem& files, const std::string& name, std::string_view bytes) {
  auto file = files.open(name, OpenMode::kCreate, FileKind::kLog);
  if (!file.ok() || !write_all(**file, 0, std::as_bytes(std::span(bytes))).ok()) std::abort();
}

// Takes the front `bytes` of `input`, or what there is.
std::string_view take(std::string_view& input, std::size_t bytes) {
  const std::string_view front = input.substr(0, bytes);
  input.remove_prefix(front.size());
  return front;
}

// A segment whose records are sealed one by one, each with some fields taken from the input.
std::string make_segment(std::uint64_t id, const PreviousSegment& previous, std::string_view input, SegmentEnd& end) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  std::uint32_t chain = encode_segment_header({kLogFormatVersion, id, kDatabase, 1, previous, 0}, bytes.data());
  Sequence sequence = id * 1000;
  while (!input.empty()) {
    const auto choice = static_cast<unsigned char>(take(input, 1)[0]);
    if (choice < 16) {
      bytes += take(input, choice & 15);  // No record at all.
      bytes.resize(bytes.size() + (kRecordAlignment - bytes.size() % kRecordAlignment) % kRecordAlignment);
      continue;
    }
    const std::string payload(take(input, 1 + (choice & 63)));
    if (payload.empty()) break;
    const std::size_t at = bytes.size();
    bytes.resize(at + record_bytes(payload.size()));
    payload.copy(bytes.data() + at + kRecordHeaderBytes, payload.size());
    sequence += (choice & 64) != 0 ? 1U : 0U;
    const DurableStamp stamp{(choice & 128) != 0 ? at : 0, choice % 3 == 0};
    const Record record{sequence, 1, Slice(bytes).substr(at + kRecordHeaderBytes, payload.size())};
    chain = seal_record(bytes.data() + at, {file_salt(kDatabase, id), at}, record, stamp, chain);
  }
  end = {id, bytes.size(), chain};
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 2) return 0;
  const auto choice = static_cast<unsigned char>(take(input, 1)[0]);
  MemoryFileSystem files;
  PreviousSegment previous;
  SegmentEnd end;
  const std::string_view first = take(input, input.size() / 2);
  std::string segment = make_segment(1, {}, first, end);
  if ((choice & 1) != 0) segment.replace(std::min(segment.size(), std::size_t{4096}), std::string::npos, first);
  if ((choice & 2) != 0) segment.replace(0, first.size(), first);
  put_file(files, path(1), segment);
  previous.end = end;
  previous.durable_bytes = (choice & 4) != 0 ? end.length : 0;
  put_file(files, path(2), make_segment(2, previous, input, end));

  ReplayRequest request;
  request.database = kDatabase;
  request.live = {{1, path(1)}, {2, path(2)}};
  if ((choice & 8) != 0) request.clean_close = std::vector<SegmentEnd>{previous.end, end};
  Sequence last = 0;
  RecoveryReport report;
  const auto replayed = replay(
      files, request,
      [&](const Record& record, const RecordSource&) {
        if (record.first_sequence <= last || record.payload.empty()) std::abort();
        last = record.last_sequence();
        return Status();
      },
      report);
  const StatusCode code = replayed.status().code();
  if (code != StatusCode::kOk && code != StatusCode::kCorruption && code != StatusCode::kNewerFormat) std::abort();
  return 0;
}
