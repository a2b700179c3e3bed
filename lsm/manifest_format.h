// The bytes of a manifest and of CURRENT: the only code that knows their offsets. The same in words, with a worked
// example: docs/formats.md, section "Manifest".
//
// A manifest is a header of 64 bytes, then edits, 8-byte aligned and framed as log records are: each verifies by
// itself, at its place in its file only, and names the checksum of the one before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "firn/slice.h"
#include "wal/log_format.h"

namespace firn::lsm {

struct ManifestHeader {
  std::uint32_t version = 0;
  std::uint64_t number = 0;  // As in the file's name.
  wal::DatabaseId database;
  std::uint64_t base_edit = 0;  // Number of the first edit, which says everything that earlier ones said.
  friend bool operator==(const ManifestHeader&, const ManifestHeader&) = default;
};

inline constexpr std::uint64_t kManifestMagic = 0x314E414D4E524946;  // "FIRNMAN1".
inline constexpr std::size_t kManifestHeaderBytes = 64;
inline constexpr std::size_t kEditHeaderBytes = 24;
inline constexpr std::size_t kEditAlignment = 8;

struct EncodedHeader {
  std::string bytes;
  std::uint32_t chain = 0;  // For the first edit.
};
EncodedHeader encode_manifest_header(const ManifestHeader& header);

struct DecodedHeader {
  ManifestHeader header;
  std::uint32_t chain = 0;
};
// Absent unless `file` begins with magic and checksum. The version is not judged: a newer format keeps these three
// where they are.
std::optional<DecodedHeader> decode_manifest_header(Slice file);

struct FramedEdit {
  std::uint64_t number = 0;
  std::uint32_t chain = 0;        // Of the edit, or header, before.
  std::uint32_t next_chain = 0;   // For the edit after.
  Slice payload;                  // encode_version_edit.
  std::uint64_t frame_bytes = 0;  // Header and padding included.
};

// Appends the framed edit to `out`; it will be at `offset` of the file. Returns the chain value for the next one.
// `salt`: wal::file_salt of database and manifest number. Precondition: payload below 4 GiB.
std::uint32_t append_edit(std::string& out, std::uint64_t salt, std::uint64_t offset, std::uint64_t number,
                          std::uint32_t chain, Slice payload);

// Bytes that an edit at `offset` would have; absent when what is there can't be one.
std::optional<std::uint64_t> edit_frame_bytes(Slice file, std::uint64_t offset);
// Absent when the checksum does not match. Precondition: edit_frame_bytes has a value.
std::optional<FramedEdit> decode_edit(Slice file, std::uint64_t salt, std::uint64_t offset);

// What CURRENT says, as one line of text.
struct Current {
  std::uint64_t manifest = 0;
  std::uint64_t durable_edit = 0;  // The manifest went at least so far.
  wal::DatabaseId database;
  friend bool operator==(const Current&, const Current&) = default;
};
std::string encode_current(const Current& current);
// Absent for anything that encode_current does not make.
std::optional<Current> decode_current(Slice text);

}  // namespace firn::lsm
