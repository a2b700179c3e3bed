// Chunks: many points of one time series in one value, compressed without loss. Two kinds behind one interface:
//   kGorilla  delta-of-delta times and XOR of doubles, bit by bit (Pelkonen et al., "Gorilla", VLDB 2015);
//   kDecimal  blocks of integers, for doubles that were decimals (after ALP: Afroozeh et al., SIGMOD 2023).
// Which is smaller and faster on what: docs/codecs.md#chunks, with the format.
//
// Points are in order of time: repeated times are kept in the order in which they were appended; a time before the
// last one is refused, so late points go into a chunk of their own that merge_chunks joins with the first. Times may be
// any std::int64_t, in a unit of the caller's; values may be any double and come back bit for bit (NaN payloads too).
//
// Thread safety: a Chunk is a constant view, for any number of threads; builders and iterators are for one thread at a
// time. Neither appending nor reading allocates, but for growth of the builder's buffers (which it keeps) and errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "firn/codec/chunk_position.h"
#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

struct Point {
  std::int64_t time = 0;
  double value = 0;
};

// Stored in chunks: never renumber.
enum class ChunkKind : std::uint8_t {
  kGorilla = 1,
  kDecimal = 2,
};

inline constexpr std::uint32_t kChunkPointsMax = (std::uint32_t{1} << 24) - 1;

// Reads points in order, a small group at a time:
//   for (ChunkIterator it = chunk.points(); it.next();) use(it.point());
// and after the loop status() says whether it ended at the end. Lifetime: the bytes of the chunk.
class FIRN_EXPORT ChunkIterator {
 public:
  // Moves to the next point, at first to the first. False at the end and on damage.
  bool next() { return ++at_ < have_ || refill(); }
  // Precondition: the last next() was true.
  const Point& point() const { return points_[at_]; }
  // Ok, or kCorruption where the bytes are not a chunk that a builder made.
  const Status& status() const { return status_; }

 private:
  friend class Chunk;
  static constexpr std::uint32_t kGroupPoints = 64;

  bool refill();
  bool check_times();
  bool stop();
  bool fail(std::size_t body_offset, const char* why);

  Slice body_;
  ChunkKind kind_ = ChunkKind::kGorilla;
  std::uint32_t left_ = 0;  // Points not yet decoded.
  std::uint32_t at_ = 0;
  std::uint32_t have_ = 0;
  bool done_ = false;
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
  bool to_end_ = true;  // `to_` is no bound.
  std::int64_t first_time_ = 0;
  std::int64_t last_time_ = 0;
  std::int64_t previous_time_ = std::numeric_limits<std::int64_t>::min();
  GorillaPosition gorilla_;
  DecimalPosition decimal_;
  std::array<Point, kGroupPoints> points_;
  Status status_;
};

// A view of an encoded chunk. Lifetime: its bytes.
class FIRN_EXPORT Chunk {
 public:
  // Checks the header and the checksum of everything. Errors: kCorruption.
  static Result<Chunk> open(Slice bytes);

  ChunkKind kind() const { return kind_; }
  std::uint32_t count() const { return count_; }
  // Of the first and the last point; 0 where there is none.
  std::int64_t first_time() const { return first_time_; }
  std::int64_t last_time() const { return last_time_; }

  ChunkIterator points() const;
  // The points with from <= time < to. Decodes none after them, and of kDecimal no block before them.
  ChunkIterator range(std::int64_t from, std::int64_t to) const;

 private:
  Chunk() = default;

  Slice body_;
  ChunkKind kind_ = ChunkKind::kGorilla;
  std::uint32_t count_ = 0;
  std::int64_t first_time_ = 0;
  std::int64_t last_time_ = 0;
};

class ChunkEncoder;

// Makes chunks. finish() may be called at any time, and appending go on after it.
class FIRN_EXPORT ChunkBuilder {
 public:
  explicit ChunkBuilder(ChunkKind kind);
  ~ChunkBuilder();
  ChunkBuilder(ChunkBuilder&&) noexcept;
  ChunkBuilder& operator=(ChunkBuilder&&) noexcept;

  // Errors, with nothing changed: kInvalidArgument for a time before the last one, and beyond kChunkPointsMax points.
  Status append(Point point);
  // Appends all points of `chunk`, of either kind: to go on with a stored chunk, or to join two that do not overlap.
  // Errors: as append, and kCorruption; the points before the failing one have been appended.
  Status append(const Chunk& chunk);

  // The chunk of everything appended. Lives until the next call to the builder but count().
  Slice finish();
  // Forgets all points, keeps the memory.
  void clear();
  std::uint32_t count() const { return count_; }

 private:
  ChunkKind kind_;
  std::uint32_t count_ = 0;
  std::int64_t first_time_ = 0;
  std::int64_t last_time_ = 0;
  std::unique_ptr<ChunkEncoder> encoder_;
  std::string chunk_;
};

// Points that two chunks have for one time.
enum class SameTime : std::uint8_t {
  kKeepBoth,   // Those of `older` first.
  kKeepNewer,  // Those of `newer` replace those of `older`: a later correction, or the same points sent again.
};

// Appends the points of both chunks, of any kind, to `out` in order of time.
// Errors: as ChunkBuilder::append(const Chunk&); what is in `out` is then of no use.
FIRN_EXPORT Status merge_chunks(const Chunk& older, const Chunk& newer, SameTime same_time, ChunkBuilder& out);

}  // namespace firn::codec
