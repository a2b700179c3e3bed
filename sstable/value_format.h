// The value file: large values, apart from the tables that refer to them, so that compactions move a reference of a few
// bytes and not the value (idea: WiscKey, Lu et al. 2016). The whole format: docs/formats.md#value-file.
//
//   records | directory | footer
//
// A record, at a multiple of kValueAlignment:
//
//   offset  bytes  field
//   0       8      checksum           of the bytes after it, padding included, seeded by file id and offset
//   8       4      key bytes          k
//   12      4      value bytes
//   16      4      stored bytes       s: of the value as it is stored; the value bytes if it is not compressed
//   20      1      compression
//   21      3      zero
//   24      k      key
//           s      value              then zeros up to a multiple of kValueAlignment
//
// The directory has 16 bytes a record: u64 offset, u64 checksum as the record has it. So the footer's own checksum
// depends on every byte of the file: it is the digest (ValueMeta::digest). Footer:
//
//   0       8      magic              "F.Value\n"
//   8       4      version            1
//   12      4      zero
//   16      8      file id
//   24      8      file bytes         footer included
//   32      8      records            at least 1
//   40      8      directory offset   the records' bytes
//   48      8      directory checksum
//   56      8      checksum           of the 56 bytes before it
//
// A table's entry of kind kReference has as its value four varints: file id, index of the record in the directory,
// offset, bytes of the record, padding included. A record can be read and verified by its reference alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "firn/options.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {

// What the rest of the engine knows of a value file without opening it.
struct ValueMeta {
  std::uint64_t id = 0;  // Names the file; from the same numbers as tables. Part of every checksum.
  std::uint64_t file_bytes = 0;
  std::uint64_t digest = 0;  // Depends on every byte of the file.
  std::uint64_t records = 0;
  std::uint64_t record_bytes = 0;  // Of the records; the directory follows.

  friend bool operator==(const ValueMeta&, const ValueMeta&) = default;
};

// Where a value is.
struct ValueReference {
  std::uint64_t file = 0;
  std::uint64_t index = 0;   // Of the record in the directory.
  std::uint64_t offset = 0;  // Of the record,
  std::uint64_t bytes = 0;   // and its size.

  friend bool operator==(const ValueReference&, const ValueReference&) = default;
};

namespace sstable {

inline constexpr std::uint64_t kValueMagic = 0x0A65756C61562E46;  // "F.Value\n" as it lies in the file.
// 1: the first.
inline constexpr std::uint32_t kValueVersion = 1;

inline constexpr std::size_t kValueAlignment = 8;
inline constexpr std::size_t kValueHeaderBytes = 24;
inline constexpr std::size_t kValueKeyBytesOffset = 8;
inline constexpr std::size_t kValueBytesOffset = 12;
inline constexpr std::size_t kValueStoredBytesOffset = 16;
inline constexpr std::size_t kValueCompressionOffset = 20;
inline constexpr std::size_t kValueZeroOffset = 21;
// Larger values are never compressed: what a reader allocates is bounded by the file.
inline constexpr std::size_t kCompressedValueBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kValueEntryBytes = 16;  // Of the directory.
inline constexpr std::size_t kValueFooterBytes = 64;
inline constexpr std::size_t kValueRecordBytesMax = kValueHeaderBytes + kKeyBytesMax + kValueBytesMax + kValueAlignment;

// Bytes of a record, padding included.
inline constexpr std::uint64_t value_record_bytes(std::size_t key_bytes, std::size_t stored_bytes) {
  return (kValueHeaderBytes + key_bytes + stored_bytes + kValueAlignment - 1) / kValueAlignment * kValueAlignment;
}

inline constexpr std::size_t kReferenceBytesMax = 40;
// Writes up to kReferenceBytesMax bytes at `out`; the end of them.
char* encode_reference(const ValueReference& reference, char* out);
// False when `bytes` are no reference, exactly. Whether its file and record exist is not checked.
bool decode_reference(Slice bytes, ValueReference& reference);

// The parts of a record.
struct ValueRecord {
  Slice key;
  Slice stored;
  std::uint32_t value_bytes = 0;
  Compression compression = Compression::kNone;
};
// Fills `out`, value_record_bytes() long, with the record that is to lie at `offset` of value file `id`; its checksum.
std::uint64_t encode_value_record(const ValueRecord& record, std::uint64_t id, std::uint64_t offset, char* out);
// The header of a record of `key` that is kept in memory without compression, and the key; no checksum. The value is to
// follow; the padding after it is filled.
void put_raw_value_header(Slice key, std::uint32_t value_bytes, char* out);
// Reads the parts of `record`, its exact bytes, without the checksum. False when they do not fit together.
bool split_value_record(Slice record, ValueRecord& parts);
// The checksum that `record`, its exact bytes, should have at `offset` of value file `id`.
std::uint64_t value_record_checksum(Slice record, std::uint64_t id, std::uint64_t offset);

// Where a record was read: for checksums and messages.
struct ValuePlace {
  std::string_view path;
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
};
// Checks everything about `bytes`, read for `key`. Errors: kCorruption, kNotSupported (a codec this build lacks).
Result<ValueRecord> open_value_record(const ValuePlace& place, Slice bytes, Slice key);
// The value of a record into `out`, parts.value_bytes long. Errors: kCorruption.
Status copy_value(const ValuePlace& place, const ValueRecord& parts, char* out);

// `directory_checksum`: of the bytes at meta.record_bytes. Fills `out`, kValueFooterBytes long; the digest.
std::uint64_t encode_value_footer(const ValueMeta& meta, std::uint64_t directory_checksum, char* out);
struct ValueFooter {
  ValueMeta meta;
  std::uint64_t directory_checksum = 0;
};
// `footer`: the last kValueFooterBytes of file `path` of `file_bytes` bytes. The directory lies within the file.
// Errors: kCorruption, kNewerFormat.
Result<ValueFooter> decode_value_footer(Slice footer, std::string_view path, std::uint64_t file_bytes);

}  // namespace sstable
}  // namespace firn
