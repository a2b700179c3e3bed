// A log in a file system in memory, and the words to harm it: append, sync, flip, truncate, crash, replay.
//
// Thread safety: one thread at a time.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "wal/replay.h"
#include "wal/segment_writer.h"

namespace firn::wal {

// The shortest record: a byte of payload, a sequence below 256, and no stamp.
inline constexpr std::uint64_t kShort = kRecordHeaderBytesMin + 1;

inline constexpr DatabaseId kTestDatabase{0x1122334455667788, 0x99AABBCCDDEEFF00};

// What a replay gave: the payloads, or what was wrong.
struct Replayed {
  Status status;
  std::vector<std::string> payloads;
  std::vector<Sequence> sequences;
  RecoveryReport report;
  LogEnd end;
};

class TestLog {
 public:
  explicit TestLog(std::uint64_t capacity_bytes = 16 << 10) : capacity_bytes_(capacity_bytes) {
    EXPECT_TRUE(files_->create_directory("/db").ok());
    EXPECT_TRUE(files_->sync_directory("/").ok());
  }

  sim::SimFileSystem& files() { return *files_; }
  SegmentWriter& writer() { return *writer_; }
  static std::string path(std::uint64_t id) { return "/db/" + std::to_string(id) + ".log"; }

  // Goes on in a new segment, behind the present one if there is one.
  void begin(std::uint64_t id) { begin(id, writer_ != nullptr ? writer_->seal() : PreviousSegment{}); }
  void begin(std::uint64_t id, const PreviousSegment& previous) {
    prepare(id);
    writer_ = open_writer(id, previous);
  }
  // Makes a segment's file, durably named, and lets the manifest know.
  void prepare(std::uint64_t id) {
    Result<std::unique_ptr<LogFile>> file = files_->create_log(path(id), capacity_bytes_);
    ASSERT_TRUE(file.ok()) << file.status().to_string();
    ASSERT_TRUE(files_->sync_directory("/db").ok());
    prepared_[id] = *std::move(file);
    live_.insert(id);
  }
  std::unique_ptr<SegmentWriter> open_writer(std::uint64_t id, const PreviousSegment& previous) {
    SegmentHeader header;
    header.id = id;
    header.database = kTestDatabase;
    header.first_sequence = next_sequence_;
    header.previous = previous;
    header.manifest_edit = manifest_edit_;
    auto writer = SegmentWriter::create(std::move(prepared_[id]), header);
    EXPECT_TRUE(writer.ok()) << writer.status().to_string();
    return *std::move(writer);
  }

  // One record through memory.
  Status append(std::string_view payload) {
    char* const room = writer_->reserve(next_sequence_, 1, payload.size());
    if (room == nullptr) return writer_->status().ok() ? Status(StatusCode::kBusy, "full") : writer_->status();
    payload.copy(room, payload.size());
    const Status status = writer_->commit();
    if (status.ok()) ++next_sequence_;
    return status;
  }
  // Several by a write.
  Status append_group(const std::vector<std::string>& payloads) {
    std::vector<Record> records;
    Sequence sequence = next_sequence_;
    for (const std::string& payload : payloads) records.push_back({sequence++, 1, payload});
    const Status status = writer_->append_group(records);
    if (status.ok()) next_sequence_ = sequence;
    return status;
  }
  Status sync() { return writer_->sync(); }

  // From here on a crash happened: nobody writes to the old segments any more.
  void crash(const sim::CrashOptions& options) {
    std::unique_ptr<sim::SimFileSystem> survivor = files_->crash_clone(options);
    writer_.reset();
    prepared_.clear();
    files_ = std::move(survivor);
  }

  // The bytes of a segment's file.
  std::string bytes(std::uint64_t id) {
    const Result<std::string> read = read_file(*files_, path(id), FileKind::kLog);
    EXPECT_TRUE(read.ok()) << read.status().to_string();
    return *read;
  }
  void overwrite(std::uint64_t id, std::uint64_t offset, std::string_view bytes) {
    auto file = files_->open(path(id), OpenMode::kReadWrite, FileKind::kLog);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_all(**file, offset, std::as_bytes(std::span(bytes))).ok());
  }
  void flip(std::uint64_t id, std::uint64_t offset, char mask = 1) {
    const char flipped = static_cast<char>(bytes(id)[offset] ^ mask);
    overwrite(id, offset, {&flipped, 1});
  }
  void truncate(std::uint64_t id, std::uint64_t size) {
    auto file = files_->open(path(id), OpenMode::kReadWrite, FileKind::kLog);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->truncate(size).ok());
  }
  void remove(std::uint64_t id) { ASSERT_TRUE(files_->remove(path(id)).ok()); }
  void forget(std::uint64_t id) { live_.erase(id); }  // The manifest no longer lists it.

  ReplayRequest request() const {
    ReplayRequest request;
    request.database = kTestDatabase;
    for (const std::uint64_t id : live_) request.live.push_back({id, path(id)});
    request.manifest = {manifest_edit_, "/db/MANIFEST-000001", 4711};
    request.clean_close = clean_close_;
    return request;
  }
  Replayed replay() { return replay(request()); }
  Replayed replay(const ReplayRequest& request) {
    Replayed result;
    Result<LogEnd> end = wal::replay(
        *files_, request,
        [&](const Record& record, const RecordSource&) {
          result.payloads.emplace_back(record.payload);
          result.sequences.push_back(record.first_sequence);
          return Status();
        },
        result.report);
    result.status = end.status();
    if (end.ok()) result.end = *end;
    return result;
  }
  // Goes on after a crash: what the engine does with LogEnd.
  void go_on(std::uint64_t id, const LogEnd& end) {
    for (const std::uint64_t dropped : end.obsolete) live_.erase(dropped);
    next_sequence_ = end.last_sequence + 1;
    begin(id, end.previous);
  }

  Sequence next_sequence_ = 1;
  std::uint64_t manifest_edit_ = 7;
  std::optional<std::vector<SegmentEnd>> clean_close_;

 private:
  const std::uint64_t capacity_bytes_;
  std::unique_ptr<sim::SimFileSystem> files_ = std::make_unique<sim::SimFileSystem>();
  std::map<std::uint64_t, std::unique_ptr<LogFile>> prepared_;
  std::unique_ptr<SegmentWriter> writer_;
  std::set<std::uint64_t> live_;
};

// Whether `part` is the beginning of `whole`.
inline bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

}  // namespace firn::wal
