// The bytes of a log segment: the only code that knows their offsets. The same in words, with a worked example:
// docs/formats.md, section "Log".
//
// A segment is a file of fixed, preallocated, zero-reading size: a header in its first sector, then records from byte
// 4096 on, each 8-byte aligned and never split. Every record verifies by itself (so that valid ones are found again
// behind damage) and names the checksum of the one before it (so that nothing can be left out or put between).
// Idea: LevelDB's log; the chain and the durable stamps, which tell a torn tail from damage, follow
// Alagappan et al., "Protocol-Aware Recovery", FAST'18.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "codec/checksum.h"
#include "codec/varint.h"
#include "firn/slice.h"

namespace firn::wal {

// Drawn at random when a database is created; tells its files from those of every other database.
struct DatabaseId {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const DatabaseId&, const DatabaseId&) = default;
};

// One segment's (or manifest's) share of every checksum seed: a file renamed, or copied from another database, does
// not verify.
inline std::uint64_t file_salt(const DatabaseId& database, std::uint64_t file_id) {
  return place_seed(place_seed(database.high, database.low), file_id);
}

// Where the used part of a segment ends, and the chain value there.
struct SegmentEnd {
  std::uint64_t id = 0;
  std::uint64_t length = 0;  // Bytes, header included; 0 for a segment that was never used.
  std::uint32_t chain = 0;
  friend bool operator==(const SegmentEnd&, const SegmentEnd&) = default;
};

// So far the log is on the device: up to byte `bytes` of segment `id`, and all segments before it completely.
struct DurableEnd {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;  // At least the header.
  friend bool operator==(const DurableEnd&, const DurableEnd&) = default;
};

// What a segment's header says of its predecessor. Records of a segment count only when all `length` bytes of the
// predecessor are there; what the predecessor holds beyond them does not count.
struct PreviousSegment {
  SegmentEnd end;                   // end.id 0: there is none.
  std::uint64_t durable_bytes = 0;  // So much of it was on the device when the header was written.
  bool earlier_durable = true;      // Every segment before it was on the device completely.

  bool all_durable() const { return end.id == 0 || (earlier_durable && durable_bytes >= end.length); }
  friend bool operator==(const PreviousSegment&, const PreviousSegment&) = default;
};

inline constexpr std::uint32_t kLogFormatVersion = 1;

struct SegmentHeader {
  std::uint32_t version = kLogFormatVersion;
  std::uint64_t id = 0;
  DatabaseId database;
  Sequence first_sequence = 0;  // No record of the segment has a smaller one.
  PreviousSegment previous;
  std::uint64_t manifest_edit = 0;  // The manifest was durable up to this edit when the header was written.
  // The file was as long, and that was durable, before the header was written: a shorter one was cut. 0: not known.
  std::uint64_t capacity_bytes = 0;
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

inline constexpr std::uint64_t kSegmentMagic = 0x314C41574E524946;  // "FIRNWAL1".
inline constexpr std::size_t kSegmentHeaderBytes = 4096;            // Bytes 512.. are zero and ignored.
inline constexpr std::size_t kSegmentSectorBytes = 512;             // The header proper: no device tears a sector.

// Writes kSegmentSectorBytes at `out`. Returns the chain value for the first record.
std::uint32_t encode_segment_header(const SegmentHeader& header, char* out);

struct DecodedSegmentHeader {
  SegmentHeader header;
  std::uint32_t chain = 0;
};
// Absent unless the kSegmentSectorBytes at `in` carry magic and checksum. The version is not judged: a newer format
// keeps magic, version and checksum where they are.
std::optional<DecodedSegmentHeader> decode_segment_header(const char* in);

// One batch. BatchOperation i has sequence first_sequence + i.
struct Record {
  Sequence first_sequence = 0;
  std::uint32_t count = 0;  // Operations, 1...
  Slice payload;            // codec/batch_format.h, 1 byte..kBatchBytesMax.

  Sequence last_sequence() const { return first_sequence + count - 1; }
};

inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr std::size_t kRecordAlignment = 8;
inline constexpr std::size_t kChecksumOffset = 0;      // u64, over everything after it, padding included; never 0.
inline constexpr std::size_t kPayloadBytesOffset = 8;  // u32
inline constexpr std::size_t kDurableOffset = 12;      // u32, in units of kRecordAlignment.
inline constexpr std::size_t kSequenceOffset = 16;     // u64: flags in the top byte.
inline constexpr std::size_t kChainOffset = 24;        // u32
inline constexpr std::size_t kCountOffset = 28;        // u32
static_assert(kPayloadBytesOffset == kChecksumOffset + sizeof(std::uint64_t));
static_assert(kDurableOffset == kPayloadBytesOffset + sizeof(std::uint32_t));
static_assert(kSequenceOffset == kDurableOffset + sizeof(std::uint32_t));
static_assert(kChainOffset == kSequenceOffset + sizeof(std::uint64_t));
static_assert(kCountOffset == kChainOffset + sizeof(std::uint32_t));
static_assert(kRecordHeaderBytes == kCountOffset + sizeof(std::uint32_t));
static_assert(kSegmentHeaderBytes % kRecordAlignment == 0 && kRecordHeaderBytes % kRecordAlignment == 0);

// Bytes of a record with `payload_bytes` of payload, padding included.
constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return (kRecordHeaderBytes + payload_bytes + kRecordAlignment - 1) & ~std::uint64_t{kRecordAlignment - 1};
}

// Capacity of a segment that holds just one record with `payload_bytes` of payload.
constexpr std::uint64_t segment_bytes_for(std::uint64_t payload_bytes) {
  return kSegmentHeaderBytes + record_bytes(payload_bytes);
}

// What was on the device when a record was written: the proof on which damage is told from a torn tail.
struct DurableStamp {
  std::uint64_t bytes = 0;        // Of this segment, a multiple of kRecordAlignment.
  bool earlier_segments = false;  // And all segments before this one, completely.
};

// A record's place in the log: what its checksum depends on beside its contents.
struct RecordPlace {
  std::uint64_t salt = 0;    // file_salt of the segment.
  std::uint64_t offset = 0;  // In the segment.
};

// Completes the record at `at`, whose payload is in place already: writes header, padding and checksum.
// Returns the chain value for the next record.
std::uint32_t seal_record(char* at, RecordPlace place, const Record& record, DurableStamp durable, std::uint32_t chain);

struct DecodedRecord {
  Record record;  // The payload points into the bytes that were decoded.
  DurableStamp durable;
  std::uint32_t chain = 0;         // Of the record before.
  std::uint32_t next_chain = 0;    // For the record after.
  std::uint8_t unknown_flags = 0;  // Not 0 only in a newer format.
};

// What a record header asks for, without trust: whether it can be one at all, and how long its record would be.
struct RecordShape {
  bool possible = false;
  std::uint64_t bytes = 0;  // record_bytes of it; only if possible.
};
// `in` has kRecordHeaderBytes; `offset` and `segment_bytes` say how much room there is.
RecordShape record_shape(const char* in, std::uint64_t offset, std::uint64_t segment_bytes);

// Absent when the checksum does not match. `in` has record_shape().bytes bytes, and the shape is possible.
std::optional<DecodedRecord> decode_record(const char* in, RecordPlace place, std::uint64_t bytes);

}  // namespace firn::wal
