#include "wal/segment_writer.h"

#include <algorithm>
#include <utility>

#include "platform/assert.h"

namespace firn::wal {

namespace {

// Larger groups are not worth a second copy of their bytes.
constexpr std::uint64_t kStagedBytesMax = std::uint64_t{256} << 10;
// How much room is asked for at a time.
constexpr std::uint64_t kRoomBytes = std::uint64_t{256} << 10;

}  // namespace

SegmentWriter::SegmentWriter(std::unique_ptr<LogFile> file, const SegmentHeader& header)
    : file_(std::move(file)),
      header_(header),
      salt_(file_salt(header.database, header.id)),
      capacity_bytes_(file_->capacity_bytes()),
      earlier_durable_(header.previous.all_durable()) {}

SegmentWriter::~SegmentWriter() = default;

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(std::unique_ptr<LogFile> file,
                                                             const SegmentHeader& header) {
  FIRN_ASSERT(file->end_offset() == 0);
  FIRN_ASSERT(header.id > header.previous.end.id);  // LOG-2.
  const std::uint64_t capacity = file->capacity_bytes();
  if (capacity < segment_bytes_for(1) || capacity > kSegmentBytesMax) {
    return Status(StatusCode::kInvalidArgument, "log segment " + file->path() + " of " + std::to_string(capacity) +
                                                    " bytes: the range is " + std::to_string(segment_bytes_for(1)) +
                                                    ".." + std::to_string(kSegmentBytesMax));
  }
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file), header));
  Status status = writer->write_header();
  if (!status.ok()) return status;
  return writer;
}

Status SegmentWriter::write_header() {
  staging_.assign(kSegmentHeaderBytes, '\0');
  chain_ = encode_segment_header(header_, staging_.data());
  Status status = file_->write(std::as_bytes(std::span(staging_)));
  if (status.ok()) end_.store(kSegmentHeaderBytes, std::memory_order_release);
  return status;
}

bool SegmentWriter::make_room(std::uint64_t end) {
  // For many records at a time, unless the disk is nearly full.
  for (const std::uint64_t wanted : {std::min(end + kRoomBytes, capacity_bytes_), end}) {
    if (wanted < end || !file_->make_room(wanted - end_offset())) continue;
    room_end_ = wanted;
    return true;
  }
  return false;
}

char* SegmentWriter::reserve(Sequence first_sequence, std::uint32_t count, std::size_t payload_bytes) {
  reserved_ = nullptr;
  const std::uint64_t bytes = record_bytes_max(payload_bytes);
  if (failed() || !fits(bytes)) return nullptr;
  const std::span<std::byte> room = file_->reserve(static_cast<std::size_t>(bytes));
  if (room.empty()) {
    // It fits, so this is the device.
    const Status refused(StatusCode::kIo, "write " + file_->path() + ": the device no longer takes this log segment");
    static_cast<void>(fail(refused));
    return nullptr;
  }
  reserved_ = reinterpret_cast<char*>(room.data());
  check(first_sequence, count, payload_bytes, last_sequence());
  reserved_header_ = {first_sequence, count, static_cast<std::uint32_t>(payload_bytes), stamp(), chain_};
  begin_record(reserved_, end_offset(), reserved_header_);
  return reserved_ + reserved_header_.header_bytes;
}

Status SegmentWriter::commit() {
  if (failed()) return status();
  FIRN_ASSERT(reserved_ != nullptr);
  char* const at = std::exchange(reserved_, nullptr);
  const std::uint32_t chain = seal_record(at, {salt_, end_offset()}, reserved_header_);
  const std::uint64_t bytes = reserved_header_.record_bytes();
  if (Status status = file_->publish(static_cast<std::size_t>(bytes)); !status.ok()) return fail(std::move(status));
  advance(bytes, reserved_header_.last_sequence(), chain);
  return Status();
}

Status SegmentWriter::append_group(std::span<const Record> records) {
  if (failed()) return status();
  std::uint64_t bytes = 0;
  for (const Record& record : records) bytes += record_bytes_max(record.payload.size());
  FIRN_ASSERT(fits(bytes));
  if (records.empty()) return Status();
  if (bytes > kStagedBytesMax) return append_one_by_one(records);

  reserved_ = nullptr;
  staging_.resize(static_cast<std::size_t>(bytes));
  char* out = staging_.data();
  RecordPlace place{salt_, end_offset()};
  std::uint32_t chain = chain_;
  Sequence last = last_sequence();
  for (const Record& record : records) {
    check(record.first_sequence, record.count, record.payload.size(), last);
    put_record(out, place, record, stamp(), chain);
    last = record.last_sequence();
  }
  staging_.resize(static_cast<std::size_t>(out - staging_.data()));
  if (Status status = file_->write(std::as_bytes(std::span(staging_))); !status.ok()) return fail(std::move(status));
  advance(staging_.size(), last, chain);
  return Status();
}

Status SegmentWriter::append_one_by_one(std::span<const Record> records) {
  for (const Record& record : records) {
    char* const payload = reserve(record.first_sequence, record.count, record.payload.size());
    if (payload == nullptr) return status();
    std::memcpy(payload, record.payload.data(), record.payload.size());
    if (Status status = commit(); !status.ok()) return status;
  }
  return Status();
}

Status SegmentWriter::sync() {
  MutexLock lock(sync_mutex_);
  if (failed()) return status();
  // The sequence first: the end read after it is not before that record's.
  const Sequence sequence = last_sequence();
  const std::uint64_t end = end_offset();
  if (end == durable_offset()) return Status();
  if (Status status = file_->sync(); !status.ok()) return fail(std::move(status));
  durable_.store(end, std::memory_order_release);
  durable_sequence_.store(sequence, std::memory_order_release);
  return Status();
}

void SegmentWriter::populate(std::uint64_t bytes) {
  const std::uint64_t end = end_offset();
  file_->populate(end, end + bytes);
}

Status SegmentWriter::status() const {
  MutexLock lock(status_mutex_);
  return failure_;
}

PreviousSegment SegmentWriter::seal() {
  sealed_ = true;
  PreviousSegment previous;
  previous.end = end();
  previous.earlier_durable = earlier_durable();
  previous.durable_bytes = durable_offset();
  return previous;
}

void SegmentWriter::check(Sequence first, std::uint32_t count, std::size_t payload_bytes, Sequence last) const {
  FIRN_ASSERT(!sealed_);
  FIRN_ASSERT(count > 0 && count <= payload_bytes);
  FIRN_ASSERT(first > last && first >= header_.first_sequence);
  FIRN_ASSERT(first + count - 1 <= kSequenceMax);
}

void SegmentWriter::advance(std::uint64_t bytes, Sequence last, std::uint32_t chain) {
  chain_ = chain;
  end_.store(end_offset() + bytes, std::memory_order_release);
  last_sequence_.store(last, std::memory_order_release);
}

Status SegmentWriter::fail(Status status) {
  MutexLock lock(status_mutex_);
  if (failure_.ok()) failure_ = std::move(status);
  failed_.store(true, std::memory_order_release);
  return failure_;
}

}  // namespace firn::wal
