#include "wal/log_format.h"

#include <bit>

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

// A record's flags.
constexpr unsigned kSequenceBytesMask = 7;  // One less than bytes of the first sequence; 7 does not occur.
constexpr unsigned kFlagCount = 8;          // A count follows: it is not 1.
constexpr unsigned kFlagDurable = 16;       // A stamp follows.
constexpr unsigned kFlagEarlierDurable = 32;
constexpr unsigned kFlagsUnknown = 0xC0;

std::uint64_t header_checksum(const char* in) { return checksum(Slice(in, kHeaderChecksumAt), kSegmentMagic); }

// Whether the eight bytes behind the seal belong there.
std::uint64_t header_check(const char* at, std::uint64_t seed) {
  return place_seed(load<std::uint64_t>(at + kChainOffset), seed) & kHeaderCheckMask;
}

std::uint64_t record_checksum(const char* at, std::uint64_t seed, std::uint64_t bytes) {
  return checksum(Slice(at + kChainOffset, static_cast<std::size_t>(bytes) - kChainOffset), seed);
}

unsigned sequence_bytes(Sequence sequence) { return (static_cast<unsigned>(std::bit_width(sequence | 1)) + 7) / 8; }

// Reads what follows the flags and is not of fixed size; false where it makes no sense.
bool read_variable_fields(const char* in, const char* end, std::uint64_t offset, RecordHeader& header) {
  const unsigned flags = static_cast<unsigned char>(in[kFlagsOffset]);
  const char* at = get_varint32(in + kPayloadBytesOffset, end, header.payload_bytes);
  const unsigned width = (flags & kSequenceBytesMask) + 1;
  if (at == nullptr || width == sizeof(Sequence)) return false;
  header.first_sequence = load<Sequence>(at) & ((Sequence{1} << 8 * width) - 1);
  at += width;
  header.count = 1;
  if ((flags & kFlagCount) != 0) at = get_varint32(at, end, header.count);
  if (at == nullptr || header.count == 0 || header.count > header.payload_bytes) return false;
  if ((flags & kFlagDurable) != 0) {
    std::uint64_t distance = 0;
    at = get_varint(at, end, distance);
    if (at == nullptr || distance >= offset) return false;
    header.durable.bytes = offset - distance;
  }
  header.header_bytes = static_cast<std::uint32_t>(at - in);
  return true;
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

void begin_record(char* at, std::uint64_t offset, RecordHeader& header) {
  const unsigned width = sequence_bytes(header.first_sequence);
  unsigned flags = width - 1;
  if (header.count != 1) flags |= kFlagCount;
  if (header.durable.bytes != 0) flags |= kFlagDurable;
  if (header.durable.earlier_segments) flags |= kFlagEarlierDurable;
  store(at + kChainOffset, header.chain);
  at[kFlagsOffset] = static_cast<char>(flags);
  char* out = put_varint(at + kPayloadBytesOffset, header.payload_bytes);
  store(out, header.first_sequence);  // What is too much of it are zeros, and overwritten.
  out += width;
  if (header.count != 1) out = put_varint(out, header.count);
  if (header.durable.bytes != 0) out = put_varint(out, offset - header.durable.bytes);
  header.header_bytes = static_cast<std::uint32_t>(out - at);
}

std::uint32_t seal_record(char* at, RecordPlace place, const RecordHeader& header) {
  const std::uint64_t seed = place_seed(place.salt, place.offset);
  const std::uint64_t sum = record_checksum(at, seed, header.record_bytes());
  store(at + kSealOffset, header_check(at, seed) | (sum & ~kHeaderCheckMask));
  return static_cast<std::uint32_t>(sum);
}

void put_record(char*& at, RecordPlace& place, const Record& record, DurableStamp durable, std::uint32_t& chain) {
  RecordHeader header{record.first_sequence, record.count, static_cast<std::uint32_t>(record.payload.size()), durable,
                      chain};
  begin_record(at, place.offset, header);
  std::memcpy(at + header.header_bytes, record.payload.data(), record.payload.size());
  chain = seal_record(at, place, header);
  at += header.record_bytes();
  place.offset += header.record_bytes();
}

std::optional<RecordHeader> decode_record_header(Slice in, RecordPlace place, std::uint64_t segment_bytes) {
  if (in.size() < kRecordHeaderBytesMax) {
    // At the end of a file: fields are read as if zeros followed.
    char copy[kRecordHeaderBytesMax] = {};
    in.copy(copy, in.size());
    auto header = decode_record_header(Slice(copy, sizeof copy), place, segment_bytes);
    return header.has_value() && header->header_bytes <= in.size() ? header : std::nullopt;
  }
  const std::uint64_t check = header_check(in.data(), place_seed(place.salt, place.offset));
  if ((load<std::uint64_t>(in.data() + kSealOffset) & kHeaderCheckMask) != check) return std::nullopt;
  RecordHeader header;
  if (!read_variable_fields(in.data(), in.data() + kRecordHeaderBytesMax, place.offset, header)) return std::nullopt;
  if (place.offset > segment_bytes || header.record_bytes() > segment_bytes - place.offset) return std::nullopt;
  const unsigned flags = static_cast<unsigned char>(in[kFlagsOffset]);
  header.chain = load<std::uint32_t>(in.data() + kChainOffset);
  header.durable.earlier_segments = (flags & kFlagEarlierDurable) != 0;
  header.unknown_flags = static_cast<std::uint8_t>(flags & kFlagsUnknown);
  return header;
}

std::optional<DecodedRecord> decode_record(const char* in, RecordPlace place, const RecordHeader& header) {
  const std::uint64_t sum = record_checksum(in, place_seed(place.salt, place.offset), header.record_bytes());
  if (((load<std::uint64_t>(in + kSealOffset) ^ sum) & ~kHeaderCheckMask) != 0 &&
      !FIRN_PLANTED_BUG(log_checksum_skipped)) {
    return std::nullopt;
  }
  DecodedRecord decoded;
  decoded.header = header;
  decoded.record = {header.first_sequence, header.count, Slice(in + header.header_bytes, header.payload_bytes)};
  decoded.next_chain = static_cast<std::uint32_t>(sum);
  return decoded;
}

std::size_t bytes_without_record(Slice in) {
  std::size_t zeros = 0;
  while (zeros + sizeof(std::uint64_t) <= in.size() && load<std::uint64_t>(in.data() + zeros) == 0) {
    zeros += sizeof(std::uint64_t);
  }
  while (zeros < in.size() && in[zeros] == '\0') ++zeros;
  // A record's length is not zero.
  return zeros > kPayloadBytesOffset ? zeros - kPayloadBytesOffset : 0;
}

}  // namespace firn::wal
