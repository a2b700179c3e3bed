#include "wal/log_format.h"

#include "platform/assert.h"
#include "platform/planted_bug.h"

namespace firn::wal {

namespace {

// Offsets in a segment's header.
constexpr std::size_t kMagicAt = 0;             // u64
constexpr std::size_t kVersionAt = 8;           // u32
constexpr std::size_t kHeaderFlagsAt = 12;      // u32
constexpr std::size_t kIdAt = 16;               // u64
constexpr std::size_t kDatabaseLowAt = 24;      // u64
constexpr std::size_t kDatabaseHighAt = 32;     // u64
constexpr std::size_t kFirstSequenceAt = 40;    // u64
constexpr std::size_t kPreviousIdAt = 48;       // u64
constexpr std::size_t kPreviousLengthAt = 56;   // u64
constexpr std::size_t kPreviousDurableAt = 64;  // u64
constexpr std::size_t kManifestEditAt = 72;     // u64
constexpr std::size_t kPreviousChainAt = 80;    // u32
constexpr std::size_t kCapacityAt = 88;         // u64
constexpr std::size_t kHeaderChecksumAt = 504;  // u64, over all bytes before it.
static_assert(kHeaderChecksumAt + sizeof(std::uint64_t) == kSegmentSectorBytes);

constexpr std::uint32_t kHeaderEarlierDurable = 1;  // Bit of the header's flags.

constexpr unsigned kFlagsShift = 56;  // The sequence's top byte.
constexpr std::uint8_t kFlagEarlierDurable = 1;

std::uint64_t header_checksum(const char* in) { return checksum(Slice(in, kHeaderChecksumAt), kSegmentMagic); }

std::uint64_t record_checksum(const char* at, RecordPlace place, std::uint64_t bytes) {
  const Slice covered(at + kPayloadBytesOffset, static_cast<std::size_t>(bytes) - kPayloadBytesOffset);
  const std::uint64_t sum = checksum(covered, place_seed(place.salt, place.offset));
  return sum == 0 ? 1 : sum;  // Zeros are never a record.
}

}  // namespace

std::uint32_t encode_segment_header(const SegmentHeader& header, char* out) {
  std::memset(out, 0, kSegmentSectorBytes);
  store(out + kMagicAt, kSegmentMagic);
  store(out + kVersionAt, header.version);
  store(out + kHeaderFlagsAt, header.previous.earlier_durable ? kHeaderEarlierDurable : 0U);
  store(out + kIdAt, header.id);
  store(out + kDatabaseLowAt, header.database.low);
  store(out + kDatabaseHighAt, header.database.high);
  store(out + kFirstSequenceAt, header.first_sequence);
  store(out + kPreviousIdAt, header.previous.end.id);
  store(out + kPreviousLengthAt, header.previous.end.length);
  store(out + kPreviousDurableAt, header.previous.durable_bytes);
  store(out + kManifestEditAt, header.manifest_edit);
  store(out + kPreviousChainAt, header.previous.end.chain);
  store(out + kCapacityAt, header.capacity_bytes);
  const std::uint64_t sum = header_checksum(out);
  store(out + kHeaderChecksumAt, sum);
  return static_cast<std::uint32_t>(sum);
}

std::optional<DecodedSegmentHeader> decode_segment_header(const char* in) {
  if (load<std::uint64_t>(in + kMagicAt) != kSegmentMagic) return std::nullopt;
  const auto sum = load<std::uint64_t>(in + kHeaderChecksumAt);
  if (sum != header_checksum(in)) return std::nullopt;
  DecodedSegmentHeader decoded;
  SegmentHeader& header = decoded.header;
  header.version = load<std::uint32_t>(in + kVersionAt);
  header.id = load<std::uint64_t>(in + kIdAt);
  header.database = {load<std::uint64_t>(in + kDatabaseLowAt), load<std::uint64_t>(in + kDatabaseHighAt)};
  header.first_sequence = load<Sequence>(in + kFirstSequenceAt);
  header.previous.end.id = load<std::uint64_t>(in + kPreviousIdAt);
  header.previous.end.length = load<std::uint64_t>(in + kPreviousLengthAt);
  header.previous.end.chain = load<std::uint32_t>(in + kPreviousChainAt);
  header.previous.durable_bytes = load<std::uint64_t>(in + kPreviousDurableAt);
  header.previous.earlier_durable = (load<std::uint32_t>(in + kHeaderFlagsAt) & kHeaderEarlierDurable) != 0;
  header.manifest_edit = load<std::uint64_t>(in + kManifestEditAt);
  header.capacity_bytes = load<std::uint64_t>(in + kCapacityAt);
  decoded.chain = static_cast<std::uint32_t>(sum);
  return decoded;
}

std::uint32_t seal_record(char* at, RecordPlace place, const Record& record, DurableStamp durable,
                          std::uint32_t chain) {
  const std::uint64_t bytes = record_bytes(record.payload.size());
  const std::uint64_t flags = durable.earlier_segments ? kFlagEarlierDurable : 0;
  store(at + kPayloadBytesOffset, static_cast<std::uint32_t>(record.payload.size()));
  store(at + kDurableOffset, static_cast<std::uint32_t>(durable.bytes / kRecordAlignment));
  store(at + kSequenceOffset, record.first_sequence | flags << kFlagsShift);
  store(at + kChainOffset, chain);
  store(at + kCountOffset, record.count);
  const std::size_t used = kRecordHeaderBytes + record.payload.size();
  std::memset(at + used, 0, static_cast<std::size_t>(bytes) - used);
  const std::uint64_t sum = record_checksum(at, place, bytes);
  store(at + kChecksumOffset, sum);
  return static_cast<std::uint32_t>(sum);
}

RecordShape record_shape(const char* in, std::uint64_t offset, std::uint64_t segment_bytes) {
  const auto payload_bytes = load<std::uint32_t>(in + kPayloadBytesOffset);
  const auto count = load<std::uint32_t>(in + kCountOffset);
  RecordShape shape;
  shape.bytes = record_bytes(payload_bytes);
  // An operation takes at least a byte, and nothing is durable that was not written.
  shape.possible = load<std::uint64_t>(in + kChecksumOffset) != 0 && count != 0 && count <= payload_bytes &&
                   load<std::uint32_t>(in + kDurableOffset) <= offset / kRecordAlignment && offset <= segment_bytes &&
                   shape.bytes <= segment_bytes - offset;
  return shape;
}

std::optional<DecodedRecord> decode_record(const char* in, RecordPlace place, std::uint64_t bytes) {
  const auto sum = load<std::uint64_t>(in + kChecksumOffset);
  if (sum != record_checksum(in, place, bytes) && !FIRN_PLANTED_BUG(log_checksum_skipped)) return std::nullopt;
  DecodedRecord decoded;
  const auto sequence = load<std::uint64_t>(in + kSequenceOffset);
  const auto flags = static_cast<std::uint8_t>(sequence >> kFlagsShift);
  decoded.record.first_sequence = sequence & kSequenceMax;
  decoded.record.count = load<std::uint32_t>(in + kCountOffset);
  decoded.record.payload = Slice(in + kRecordHeaderBytes, load<std::uint32_t>(in + kPayloadBytesOffset));
  decoded.durable.bytes = std::uint64_t{load<std::uint32_t>(in + kDurableOffset)} * kRecordAlignment;
  decoded.durable.earlier_segments = (flags & kFlagEarlierDurable) != 0;
  decoded.chain = load<std::uint32_t>(in + kChainOffset);
  decoded.next_chain = static_cast<std::uint32_t>(sum);
  decoded.unknown_flags = static_cast<std::uint8_t>(flags & ~kFlagEarlierDurable);
  return decoded;
}

}  // namespace firn::wal
