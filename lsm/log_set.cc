#include "lsm/log_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// How far ahead of the writer pages are made ready, in the background, a piece at a time. What lies behind the end of a
// segment is made in vain, and pieces of 512 KiB and more make the page cache take 2 MiB at once, all of which count as
// changed.
constexpr std::uint64_t kPieceBytes = std::uint64_t{384} << 10;
// Whoever is woken for a piece may take the writer's core. Where records are small that should befall fewer of a
// thousand puts: it is done half as often, and twice as far ahead. With records of 1 KiB that made p99.9 twice as long.
constexpr std::uint64_t kSmallRecordBytes = 512;
constexpr std::uint64_t kAheadOfSmallBytes = 2 * kPieceBytes;
// Small segments are looked after more often than by that.
constexpr std::uint64_t kAheadPart = 4;
// A short life of a database needs no second segment: it is made when so much of the first is full. Later ones are made
// at once, as making one can take as long as filling one.
constexpr std::uint64_t kPreparePart = 16;
// More than one, so that a segment which fills at once does not wait for a disk that is slow to sync.
constexpr std::size_t kPreparedMax = 2;

}  // namespace

LogSet::LogSet(Core& core, const wal::DatabaseId& database, Callbacks callbacks)
    : core_(core), database_(database), callbacks_(std::move(callbacks)) {}

Status LogSet::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

Status LogSet::fail(Status status) {
  {
    MutexLock lock(mutex_);
    if (!failure_.ok()) return status;
    failure_ = status;
    failed_.store(true, std::memory_order_release);
  }
  callbacks_.failed(status);
  return status;
}

void LogSet::restart() {
  writer_.reset();
  previous_ = {};
  MutexLock lock(mutex_);
  in_use_ = false;
  segments_.clear();
  unused_.clear();
  failure_ = Status();
  failed_.store(false, std::memory_order_release);
}

Result<char*> LogSet::reserve(Sequence first_sequence, std::uint32_t count, std::size_t payload_bytes) {
  const std::uint64_t bytes = wal::record_bytes_max(payload_bytes);
  if (Status status = make_room(first_sequence, bytes); !status.ok()) return status;
  if (char* at = writer_->reserve(first_sequence, count, payload_bytes)) return at;
  return fail(writer_->status());
}

Status LogSet::commit() {
  const std::uint64_t begin = writer_->end_offset();
  if (Status status = writer_->commit(); !status.ok()) return fail(std::move(status));
  note_appended(begin, true);
  return {};
}

Status LogSet::append_group(std::span<const wal::Record> records) {
  std::uint64_t bytes = 0;
  for (const wal::Record& record : records) bytes += wal::record_bytes_max(record.payload.size());
  if (Status status = make_room(records.front().first_sequence, bytes); !status.ok()) return status;
  const std::uint64_t begin = writer_->end_offset();
  if (Status status = writer_->append_group(records); !status.ok()) return fail(std::move(status));
  note_appended(begin, false);
  return {};
}

// What the present segment holds from `begin` on is new.
void LogSet::note_appended(std::uint64_t begin, bool in_place) {
  const std::uint64_t end = writer_->end_offset();
  bump(core_.counters.log_bytes_written, end - begin);
  stored_in_place_ = in_place;
  if (end >= look_ahead_from_) look_ahead(end - begin);
}

Status LogSet::make_room(Sequence first_sequence, std::uint64_t record_bytes) {
  if (writer_ != nullptr && writer_->fits(record_bytes)) [[likely]]
    return {};
  if (Status status = change_over(first_sequence, record_bytes); !status.ok()) return status;
  if (writer_->fits(record_bytes)) return {};
  return Status(StatusCode::kNoSpace, writer_->path() + ": the disk has no space for more of the log");
}

Status LogSet::change_over(Sequence first_sequence, std::uint64_t record_bytes) {
  // A segment that failed stays the last one: going on elsewhere would leave a gap behind.
  if (failed()) return failure();
  auto prepared = take_prepared(std::max(core_.sizes.log_segment_bytes, record_bytes + wal::kSegmentHeaderBytes));
  if (!prepared.ok()) return prepared.status();
  wal::SegmentHeader header;
  header.id = prepared->id;
  header.database = database_;
  header.first_sequence = first_sequence;
  header.capacity_bytes = prepared->file->capacity_bytes();
  // From here on the old segment takes nothing more: a header that failed may yet be there and name its end.
  end_segment();
  header.previous = previous_end();
  header.manifest_edit = callbacks_.manifest_edit();
  auto created = wal::SegmentWriter::create(std::move(prepared->file), header);
  if (!created.ok()) {
    MutexLock lock(mutex_);
    unused_.push_back(header.id);
    return created.status();
  }
  writer_ = std::move(created).value();
  look_ahead_from_ = std::min(kPieceBytes, header.capacity_bytes / kAheadPart) / 2;
  ++segments_begun_;
  {
    MutexLock lock(mutex_);
    segments_.push_back(writer_);
    in_use_ = true;
  }
  return {};
}

void LogSet::end_segment() {
  if (writer_ == nullptr) return;
  previous_ = writer_->seal();
  callbacks_.submit([segment = std::move(writer_)] { segment->populate(0); });
  writer_ = nullptr;
  MutexLock lock(mutex_);
  in_use_ = false;
}

// Of the segment before the next one: also what was synced since it ended.
wal::PreviousSegment LogSet::previous_end() {
  MutexLock lock(mutex_);
  if (!segments_.empty()) previous_ = segments_.back()->seal();
  return previous_;
}

Result<PreparedSegment> LogSet::take_prepared(std::uint64_t capacity_bytes) {
  MutexLock lock(mutex_);
  // Those under way are ready sooner than one that is begun now, and of no use once that has overtaken them.
  while (prepared_.empty() && preparing_) prepared_some_.wait(mutex_);
  while (!prepared_.empty()) {
    PreparedSegment prepared = std::move(prepared_.front());
    prepared_.pop_front();
    // Ids grow along the log.
    const bool in_order = prepared.id > (writer_ == nullptr ? previous_.end.id : writer_->id());
    if (in_order && prepared.file->capacity_bytes() >= capacity_bytes) return prepared;
    unused_.push_back(prepared.id);
  }
  while (preparing_) prepared_some_.wait(mutex_);
  preparing_ = true;
  lock.unlock();
  auto prepared = callbacks_.prepare(1, capacity_bytes);
  lock.lock();
  preparing_ = false;
  if (!prepared.ok()) return prepared.status();
  return std::move(prepared->front());
}

void LogSet::prepare_ahead() {
  {
    MutexLock lock(mutex_);
    if (preparation_due_ || prepared_.size() >= kPreparedMax) return;
    preparation_due_ = true;
  }
  // The second segment of all is wanted soon: alone. Others come together, with fewer syncs each.
  const std::size_t at_once = segments_begun_ > 1 ? kPreparedMax : 1;
  callbacks_.submit([this, at_once, populate = stored_in_place_] { prepare_missing(at_once, populate); });
}

void LogSet::prepare_missing(std::size_t at_once, bool populate) {
  MutexLock lock(mutex_);
  // Only one thread makes segments: they get their ids in the order in which they are used.
  while (!preparing_ && prepared_.size() < kPreparedMax) {
    preparing_ = true;
    const std::size_t count = std::min(std::exchange(at_once, kPreparedMax), kPreparedMax - prepared_.size());
    lock.unlock();
    auto made = callbacks_.prepare(count, core_.sizes.log_segment_bytes);
    if (made.ok() && populate) {
      for (const PreparedSegment& segment : *made) segment.file->populate(0, kPieceBytes);
    }
    lock.lock();
    preparing_ = false;
    prepared_some_.notify_all();
    // An error is not kept: the writer that needs a segment tries again and answers its own.
    if (!made.ok()) break;
    std::move(made->begin(), made->end(), std::back_inserter(prepared_));
  }
  preparation_due_ = false;
}

std::uint64_t LogSet::ahead_bytes(std::uint64_t record_bytes) const {
  const std::uint64_t wanted = record_bytes < kSmallRecordBytes ? kAheadOfSmallBytes : kPieceBytes;
  return std::min(wanted, writer_->capacity_bytes() / kAheadPart);
}

// Makes the next segment, and the pages of this one that come next.
void LogSet::look_ahead(std::uint64_t record_bytes) {
  const std::uint64_t end = writer_->end_offset();
  const std::uint64_t ahead = ahead_bytes(record_bytes);
  look_ahead_from_ = end + ahead / 2;
  if (stored_in_place_) {
    callbacks_.submit([segment = writer_, ahead] {
      segment->populate(std::min(kPieceBytes, ahead));
      segment->populate(ahead);
    });
  }
  if (segments_begun_ > 1 || end >= writer_->capacity_bytes() / kPreparePart) prepare_ahead();
}

Status LogSet::sync() {
  MutexLock turn(sync_mutex_);
  std::vector<Segment> unsynced;
  {
    MutexLock lock(mutex_);
    for (const Segment& segment : segments_) {
      if (segment == segments_.back() || !segment->all_durable()) unsynced.push_back(segment);
    }
  }
  for (const Segment& segment : unsynced) {
    // In order: all before this one are durable now.
    segment->mark_earlier_durable();
    if (Status status = segment->sync(); !status.ok() && !FIRN_PLANTED_BUG(log_sync_failure_ignored)) {
      return fail(std::move(status));
    }
    core_.counters.log_syncs.fetch_add(1, std::memory_order_relaxed);
    mark_durable(segment->durable_sequence());
  }
  return {};
}

std::optional<wal::DurableEnd> LogSet::durable_end() const {
  std::optional<wal::DurableEnd> end;
  MutexLock lock(mutex_);
  for (const Segment& segment : segments_) {
    const std::uint64_t bytes =
        FIRN_PLANTED_BUG(log_proof_too_high) ? segment->end_offset() : segment->durable_offset();
    if (bytes == 0) break;
    end = {segment->id(), bytes};
    if (bytes < segment->end_offset()) break;
  }
  return end;
}

void LogSet::mark_durable(Sequence sequence) {
  Sequence known = durable_sequence_.load(std::memory_order_relaxed);
  while (known < sequence && !durable_sequence_.compare_exchange_weak(known, sequence, std::memory_order_release)) {
  }
}

std::vector<std::uint64_t> LogSet::releasable(Sequence oldest_needed) const {
  MutexLock lock(mutex_);
  std::vector<std::uint64_t> ids = unused_;
  const std::size_t ended = segments_.size() - (in_use_ ? 1 : 0);
  for (std::size_t i = 0; i < ended && segments_[i]->last_sequence() < oldest_needed; ++i) {
    ids.push_back(segments_[i]->id());
  }
  return ids;
}

std::vector<std::shared_ptr<wal::SegmentWriter>> LogSet::forget(const std::vector<std::uint64_t>& ids) {
  const auto forgotten = [&ids](std::uint64_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
  std::vector<Segment> closing;
  MutexLock lock(mutex_);
  std::erase_if(unused_, forgotten);
  for (Segment& segment : segments_) {
    if (forgotten(segment->id())) closing.push_back(std::move(segment));
  }
  std::erase_if(segments_, [](const Segment& segment) { return segment == nullptr; });
  return closing;
}

std::uint64_t LogSet::occupied_bytes() const {
  MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment->end_offset();
  return bytes;
}

std::vector<std::uint64_t> LogSet::all_segments() {
  MutexLock lock(mutex_);
  // One that is being prepared now is not among them: the log can go on with it.
  for (const PreparedSegment& prepared : prepared_) unused_.push_back(prepared.id);
  prepared_.clear();
  std::vector<std::uint64_t> ids = unused_;
  for (const Segment& segment : segments_) ids.push_back(segment->id());
  return ids;
}

}  // namespace firn::lsm
