// The bytes of a log segment: the only code that knows their offsets. The same in words, with a worked example:
// docs/formats.md, section "Log".
//
// A segment is a file of fixed, preallocated, zero-reading size: a header in its first sector, then records from byte
// 4096 on, back to back and never split. Every record verifies by itself (so that valid ones are found again behind
// damage) and names the checksum of the one before it (so that nothing can be left out or put between).
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

// Every record begins with these; then follow, as its flags say: the first sequence in 1..7 bytes, the count (1 where
// it is left out), and how many bytes before the record the part ends that was durable (nothing was where it is left
// out).
inline constexpr std::size_t kSealOffset = 0;           // u64: kHeaderCheckMask of it is the header's.
inline constexpr std::size_t kChainOffset = 8;          // u32
inline constexpr std::size_t kFlagsOffset = 12;         // u8
inline constexpr std::size_t kPayloadBytesOffset = 13;  // varint, never 0.
inline constexpr std::size_t kRecordHeaderBytesMin = 15;
inline constexpr std::size_t kRecordHeaderBytesMax = 35;
static_assert(kChainOffset == kSealOffset + sizeof(std::uint64_t));
static_assert(kFlagsOffset == kChainOffset + sizeof(std::uint32_t));
static_assert(kPayloadBytesOffset == kFlagsOffset + sizeof(std::uint8_t));
static_assert(kRecordHeaderBytesMin == kPayloadBytesOffset + 1 + 1);
static_assert(kRecordHeaderBytesMin + 1 >= kChainOffset + sizeof(std::uint64_t));
static_assert(kRecordHeaderBytesMax == kPayloadBytesOffset + 3 * kVarint32BytesMax + 7);

// In the seal the upper 40 bits are those of the checksum of all that follows it; its lower 32 are the chain value for
// the next record. The other 24 bits are place_seed() of the eight bytes behind the seal: a search for records behind
// damage hashes nothing because of bytes that only look like a length.
inline constexpr std::uint64_t kHeaderCheckMask = 0xFFFFFF;

// The longest a stamp can name: five bytes of a varint.
inline constexpr std::uint64_t kSegmentBytesMax = (std::uint64_t{1} << 35) - 1;

// What a record with `payload_bytes` of payload needs at most.
constexpr std::uint64_t record_bytes_max(std::uint64_t payload_bytes) { return kRecordHeaderBytesMax + payload_bytes; }

// Capacity of a segment that holds just one record with `payload_bytes` of payload.
constexpr std::uint64_t segment_bytes_for(std::uint64_t payload_bytes) {
  return kSegmentHeaderBytes + record_bytes_max(payload_bytes);
}

// What was on the device when a record was written: the proof on which damage is told from a torn tail.
struct DurableStamp {
  std::uint64_t bytes = 0;        // Of this segment.
  bool earlier_segments = false;  // And all segments before this one, completely.
};

// A record's place in the log: what its checksum depends on beside its contents.
struct RecordPlace {
  std::uint64_t salt = 0;    // file_salt of the segment.
  std::uint64_t offset = 0;  // In the segment.
};

// What stands before a payload.
struct RecordHeader {
  Sequence first_sequence = 0;
  std::uint32_t count = 0;
  std::uint32_t payload_bytes = 0;
  DurableStamp durable;
  std::uint32_t chain = 0;         // Of the record before.
  std::uint32_t header_bytes = 0;  // Of this header itself; and 0 until it is written or read.
  std::uint8_t unknown_flags = 0;  // Not 0 only in a newer format.

  std::uint64_t record_bytes() const { return std::uint64_t{header_bytes} + payload_bytes; }
  Sequence last_sequence() const { return first_sequence + count - 1; }
};

// Writes what is known of a record before its payload is, at `at`, where record_bytes_max() are free; fills in
// `header_bytes`. The payload belongs behind it.
void begin_record(char* at, std::uint64_t offset, RecordHeader& header);
// Completes the record at `at`, whose payload is in place. Returns the chain value for the next record.
std::uint32_t seal_record(char* at, RecordPlace place, const RecordHeader& header);

// Writes a whole record at `at`, where record_bytes_max() are free, and moves `at` and `place` behind it and `chain`
// on.
void put_record(char*& at, RecordPlace& place, const Record& record, DurableStamp durable, std::uint32_t& chain);

// The header at the front of `in`, which is what a file of `segment_bytes` has from the place on, or
// kRecordHeaderBytesMax bytes of it. Absent unless it bears its check, and names nothing that cannot be: a record that
// ends in the file, with operations of at least a byte, and bytes durable that were written.
std::optional<RecordHeader> decode_record_header(Slice in, RecordPlace place, std::uint64_t segment_bytes);

struct DecodedRecord {
  RecordHeader header;
  Record record;                 // The payload points into the bytes that were decoded.
  std::uint32_t next_chain = 0;  // For the record after.
};
// Absent when the checksum does not match. `in` has header.record_bytes() bytes.
std::optional<DecodedRecord> decode_record(const char* in, RecordPlace place, const RecordHeader& header);

// How many bytes at the front of `in` cannot begin a record, because they are zeros and what follows them is zero.
std::size_t bytes_without_record(Slice in);

}  // namespace firn::wal
