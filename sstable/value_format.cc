#include "sstable/value_format.h"

#include <cstring>
#include <span>

#include "codec/checksum.h"
#include "codec/compression.h"
#include "codec/varint.h"
#include "platform/planted_bug.h"

namespace firn::sstable {

char* encode_reference(const ValueReference& reference, char* out) {
  out = put_varint(out, reference.file);
  out = put_varint(out, reference.index);
  out = put_varint(out, reference.offset);
  return put_varint(out, reference.bytes);
}

bool decode_reference(Slice bytes, ValueReference& reference) {
  const char* in = bytes.data();
  const char* const end = in + bytes.size();
  for (std::uint64_t* const field : {&reference.file, &reference.index, &reference.offset, &reference.bytes}) {
    in = get_varint(in, end, *field);
    if (in == nullptr) return false;
  }
  return in == end && reference.bytes >= kValueHeaderBytes && reference.bytes <= kValueRecordBytesMax &&
         reference.offset <= UINT64_MAX - reference.bytes;
}

std::uint64_t value_record_checksum(Slice record, std::uint64_t id, std::uint64_t offset) {
  return checksum(record.substr(kValueKeyBytesOffset), place_seed(id, offset));
}

namespace {

// All of a record but checksum and value; where the value goes.
char* put_around_value(Slice key, std::uint32_t value_bytes, std::size_t stored_bytes, Compression codec, char* out) {
  store(out + kValueKeyBytesOffset, static_cast<std::uint32_t>(key.size()));
  store(out + kValueBytesOffset, value_bytes);
  store(out + kValueStoredBytesOffset, static_cast<std::uint32_t>(stored_bytes));
  store(out + kValueCompressionOffset, static_cast<std::uint32_t>(codec));  // And the three zeros.
  if (!key.empty()) std::memcpy(out + kValueHeaderBytes, key.data(), key.size());
  char* const value = out + kValueHeaderBytes + key.size();
  char* const padding = value + stored_bytes;
  std::memset(padding, 0, static_cast<std::size_t>(out + value_record_bytes(key.size(), stored_bytes) - padding));
  return value;
}

}  // namespace

void put_raw_value_header(Slice key, std::uint32_t value_bytes, char* out) {
  put_around_value(key, value_bytes, value_bytes, Compression::kNone, out);
}

std::uint64_t encode_value_record(const ValueRecord& record, std::uint64_t id, std::uint64_t offset, char* out) {
  const auto bytes = static_cast<std::size_t>(value_record_bytes(record.key.size(), record.stored.size()));
  char* const value = put_around_value(record.key, record.value_bytes, record.stored.size(), record.compression, out);
  if (!record.stored.empty()) std::memcpy(value, record.stored.data(), record.stored.size());
  const std::uint64_t sum = value_record_checksum({out, bytes}, id, offset);
  store(out, sum);
  return sum;
}

bool split_value_record(Slice record, ValueRecord& parts) {
  if (record.size() < kValueHeaderBytes) return false;
  const auto key_bytes = load<std::uint32_t>(record.data() + kValueKeyBytesOffset);
  const auto stored_bytes = load<std::uint32_t>(record.data() + kValueStoredBytesOffset);
  const auto compression = load<std::uint32_t>(record.data() + kValueCompressionOffset);
  parts.value_bytes = load<std::uint32_t>(record.data() + kValueBytesOffset);
  if (key_bytes > kKeyBytesMax || parts.value_bytes > kValueBytesMax || stored_bytes > parts.value_bytes) return false;
  if (compression > static_cast<std::uint32_t>(Compression::kLz4)) return false;
  if (value_record_bytes(key_bytes, stored_bytes) != record.size()) return false;
  parts.compression = static_cast<Compression>(compression);
  parts.key = record.substr(kValueHeaderBytes, key_bytes);
  parts.stored = record.substr(kValueHeaderBytes + key_bytes, stored_bytes);
  return parts.compression == Compression::kNone ? stored_bytes == parts.value_bytes
                                                 : parts.value_bytes <= kCompressedValueBytesMax;
}

Result<ValueRecord> open_value_record(const ValuePlace& place, Slice bytes, Slice key) {
  ValueRecord parts;
  if (bytes.size() < kValueHeaderBytes) {
    return Status::corruption(place.path, place.offset, "value record is shorter than its header");
  }
  if (load<std::uint64_t>(bytes.data()) != value_record_checksum(bytes, place.id, place.offset) &&
      !FIRN_PLANTED_BUG(value_checksum_skipped)) {
    return Status::corruption(place.path, place.offset, "value record checksum mismatch");
  }
  if (!split_value_record(bytes, parts)) {
    return Status::corruption(place.path, place.offset, "value record has a malformed header");
  }
  if (parts.key != key) return Status::corruption(place.path, place.offset, "value record is of another key");
  if (parts.compression != Compression::kNone && !compression_available(parts.compression)) {
    return Status(StatusCode::kNotSupported,
                  std::string(place.path) + ": compressed with lz4, which this build lacks (build with -Dlz4=enabled)");
  }
  return parts;
}

Status copy_value(const ValuePlace& place, const ValueRecord& parts, char* out) {
  if (parts.compression == Compression::kNone) {
    if (!parts.stored.empty()) std::memcpy(out, parts.stored.data(), parts.stored.size());
    return {};
  }
  if (decompress_block(parts.compression, parts.stored, std::span(out, parts.value_bytes))) return {};
  return Status::corruption(place.path, place.offset,
                            "value does not decompress to its " + std::to_string(parts.value_bytes) + " bytes");
}

namespace {

constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kZeroOffset = 12;
constexpr std::size_t kIdOffset = 16;
constexpr std::size_t kFileBytesOffset = 24;
constexpr std::size_t kRecordsOffset = 32;
constexpr std::size_t kDirectoryOffset = 40;
constexpr std::size_t kDirectoryChecksumOffset = 48;
constexpr std::size_t kFooterSumOffset = 56;
static_assert(kFooterSumOffset + 8 == kValueFooterBytes);

}  // namespace

std::uint64_t encode_value_footer(const ValueMeta& meta, std::uint64_t directory_checksum, char* out) {
  store(out, kValueMagic);
  store(out + kVersionOffset, kValueVersion);
  store(out + kZeroOffset, std::uint32_t{0});
  store(out + kIdOffset, meta.id);
  store(out + kFileBytesOffset, meta.file_bytes);
  store(out + kRecordsOffset, meta.records);
  store(out + kDirectoryOffset, meta.record_bytes);
  store(out + kDirectoryChecksumOffset, directory_checksum);
  const std::uint64_t digest =
      checksum({out, kFooterSumOffset}, place_seed(meta.id, meta.file_bytes - kValueFooterBytes));
  store(out + kFooterSumOffset, digest);
  return digest;
}

Result<ValueFooter> decode_value_footer(Slice in, std::string_view path, std::uint64_t file_bytes) {
  if (in.size() != kValueFooterBytes || file_bytes < kValueFooterBytes) {
    return Status::corruption(path, 0, "not a value file: " + std::to_string(file_bytes) + " bytes");
  }
  const std::uint64_t at = file_bytes - kValueFooterBytes;
  const char* const footer = in.data();
  if (load<std::uint64_t>(footer) != kValueMagic) {
    return Status::corruption(path, at, "not a value file: its end is no footer");
  }
  ValueFooter found;
  ValueMeta& meta = found.meta;
  meta.id = load<std::uint64_t>(footer + kIdOffset);
  meta.file_bytes = load<std::uint64_t>(footer + kFileBytesOffset);
  meta.records = load<std::uint64_t>(footer + kRecordsOffset);
  meta.record_bytes = load<std::uint64_t>(footer + kDirectoryOffset);
  meta.digest = load<std::uint64_t>(footer + kFooterSumOffset);
  found.directory_checksum = load<std::uint64_t>(footer + kDirectoryChecksumOffset);
  if (checksum(in.substr(0, kFooterSumOffset), place_seed(meta.id, at)) != meta.digest) {
    return Status::corruption(path, at, "footer checksum mismatch");
  }
  if (const auto version = load<std::uint32_t>(footer + kVersionOffset); version != kValueVersion) {
    return Status(StatusCode::kNewerFormat, std::string(path) + ": value file format " + std::to_string(version) +
                                                ", this build knows up to " + std::to_string(kValueVersion));
  }
  const bool fits = meta.file_bytes == file_bytes && meta.record_bytes <= at && meta.records > 0 &&
                    meta.records <= at / kValueEntryBytes && load<std::uint32_t>(footer + kZeroOffset) == 0 &&
                    meta.record_bytes + meta.records * kValueEntryBytes == at;
  if (!fits) return Status::corruption(path, at, "footer does not fit the file");
  return found;
}

}  // namespace firn::sstable
