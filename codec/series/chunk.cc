// Format: codec/series/chunk_format.h. Tested by tests/codec/series/chunk_test.cc.
#include "firn/codec/chunk.h"

#include <algorithm>

#include "codec/checksum.h"
#include "codec/series/chunk_encoder.h"
#include "codec/series/chunk_format.h"
#include "codec/series/decimal.h"
#include "codec/series/gorilla.h"
#include "codec/varint.h"

namespace firn::codec {
namespace {

std::uint32_t chunk_checksum(Slice bytes) {
  return static_cast<std::uint32_t>(checksum(bytes.substr(kKindAndCountOffset), kChunkSeed));
}

Status damage(std::size_t offset, const char* why) {
  return Status(StatusCode::kCorruption, "series chunk: byte " + std::to_string(offset) + ": " + why);
}

std::unique_ptr<ChunkEncoder> make_encoder(ChunkKind kind) {
  if (kind == ChunkKind::kGorilla) return std::make_unique<GorillaEncoder>();
  return std::make_unique<DecimalEncoder>();
}

}  // namespace

Result<Chunk> Chunk::open(Slice bytes) {
  if (bytes.size() < kChunkHeaderBytes) return damage(bytes.size(), "the header is cut off");
  if (load<std::uint32_t>(bytes.data() + kChecksumOffset) != chunk_checksum(bytes)) {
    return damage(kChecksumOffset, "the checksum does not match");
  }
  const auto kind_and_count = load<std::uint32_t>(bytes.data() + kKindAndCountOffset);
  const auto kind = static_cast<ChunkKind>(kind_and_count & 0xFF);
  if (kind != ChunkKind::kGorilla && kind != ChunkKind::kDecimal) {
    return damage(kKindAndCountOffset, "unknown kind of chunk");
  }
  Chunk chunk;
  chunk.kind_ = kind;
  chunk.count_ = kind_and_count >> 8;
  chunk.first_time_ = load<std::int64_t>(bytes.data() + kFirstTimeOffset);
  chunk.last_time_ = load<std::int64_t>(bytes.data() + kLastTimeOffset);
  chunk.body_ = bytes.substr(kChunkHeaderBytes);
  if (chunk.first_time_ > chunk.last_time_) return damage(kLastTimeOffset, "the last time is before the first");
  if ((chunk.count_ == 0) != chunk.body_.empty()) return damage(kChunkHeaderBytes, "count and size do not agree");
  return chunk;
}

ChunkIterator Chunk::points() const {
  ChunkIterator it;
  it.body_ = body_;
  it.kind_ = kind_;
  it.left_ = count_;
  it.from_ = std::numeric_limits<std::int64_t>::min();
  it.first_time_ = first_time_;
  it.last_time_ = last_time_;
  return it;
}

ChunkIterator Chunk::range(std::int64_t from, std::int64_t to) const {
  ChunkIterator it = points();
  it.from_ = from;
  it.to_ = to;
  it.to_end_ = false;
  if (from >= to || from > last_time_ || to <= first_time_) it.left_ = 0;
  return it;
}

bool ChunkIterator::stop() {
  done_ = true;
  at_ = have_ = 0;
  return false;
}

bool ChunkIterator::fail(std::size_t body_offset, const char* why) {
  status_ = damage(kChunkHeaderBytes + body_offset, why);
  return stop();
}

// Of the group just read: in order, and beginning and ending as the header says.
bool ChunkIterator::check_times() {
  for (std::uint32_t i = 0; i < have_; ++i) {
    if (points_[i].time < previous_time_) return fail(0, "the times are not in order");
    previous_time_ = points_[i].time;
  }
  if (left_ == 0 && previous_time_ != last_time_) return fail(0, "the last time is not the header's");
  return true;
}

bool ChunkIterator::refill() {
  while (!done_ && left_ > 0) {
    const char* why = nullptr;
    if (kind_ == ChunkKind::kGorilla) {
      have_ = std::min(left_, kGroupPoints);
      left_ -= have_;
      if (!read_gorilla(body_, first_time_, gorilla_, points_.data(), have_, why)) return fail(gorilla_.bit / 8, why);
      if (left_ == 0 && !gorilla_ended(body_, gorilla_)) return fail(gorilla_.bit / 8, "bytes follow the last point");
    } else {
      have_ = kGroupPoints;
      if (!read_decimal(body_, first_time_, from_, decimal_, left_, points_.data(), have_, why))
        return fail(decimal_.offset, why);
    }
    if (!check_times()) return false;
    at_ = 0;
    while (at_ < have_ && points_[at_].time < from_) ++at_;
    if (!to_end_ && have_ > 0 && points_[have_ - 1].time >= to_) {
      left_ = 0;
      while (have_ > at_ && points_[have_ - 1].time >= to_) --have_;
    }
    if (at_ < have_) return true;
  }
  return stop();
}

ChunkBuilder::ChunkBuilder(ChunkKind kind) : kind_(kind), encoder_(make_encoder(kind)) {}
ChunkBuilder::~ChunkBuilder() = default;
ChunkBuilder::ChunkBuilder(ChunkBuilder&&) noexcept = default;
ChunkBuilder& ChunkBuilder::operator=(ChunkBuilder&&) noexcept = default;

Status ChunkBuilder::append(Point point) {
  if (count_ == kChunkPointsMax) return Status(StatusCode::kInvalidArgument, "series chunk: it is full");
  if (count_ == 0) {
    first_time_ = point.time;
  } else if (point.time < last_time_) {
    return Status(StatusCode::kInvalidArgument, "series chunk: the time is before the last one");
  }
  last_time_ = point.time;
  ++count_;
  encoder_->append(point);
  return {};
}

Status ChunkBuilder::append(const Chunk& chunk) {
  ChunkIterator it = chunk.points();
  while (it.next()) {
    if (Status status = append(it.point()); !status.ok()) return status;
  }
  return it.status();
}

Slice ChunkBuilder::finish() {
  chunk_.assign(kChunkHeaderBytes, '\0');
  encoder_->append_body(chunk_);
  store(chunk_.data() + kKindAndCountOffset, count_ << 8 | static_cast<std::uint32_t>(kind_));
  store(chunk_.data() + kFirstTimeOffset, first_time_);
  store(chunk_.data() + kLastTimeOffset, last_time_);
  store(chunk_.data() + kChecksumOffset, chunk_checksum(chunk_));
  return chunk_;
}

void ChunkBuilder::clear() {
  count_ = 0;
  first_time_ = last_time_ = 0;
  encoder_->clear();
}

Status merge_chunks(const Chunk& older, const Chunk& newer, SameTime same_time, ChunkBuilder& out) {
  ChunkIterator old_points = older.points();
  ChunkIterator new_points = newer.points();
  bool old_left = old_points.next();
  bool new_left = new_points.next();
  while (old_left || new_left) {
    const bool take_old = old_left && (!new_left || old_points.point().time <= new_points.point().time);
    if (take_old) {
      const std::int64_t time = old_points.point().time;
      const bool drop = same_time == SameTime::kKeepNewer && new_left && new_points.point().time == time;
      if (!drop) {
        if (Status status = out.append(old_points.point()); !status.ok()) return status;
      }
      old_left = old_points.next();
    } else {
      if (Status status = out.append(new_points.point()); !status.ok()) return status;
      new_left = new_points.next();
    }
  }
  return old_points.status().ok() ? new_points.status() : old_points.status();
}

}  // namespace firn::codec
