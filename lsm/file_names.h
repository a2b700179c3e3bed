// The names of a database's files: the one place that makes and reads them.
//
//   000007.table      a table         000008.log    a log segment     MANIFEST-000003   a manifest
//   000009.values     a value file
//   CURRENT           names the manifest in force                     LOCK              held while open
//   <name>.tmp        on its way to become <name>
//
// Numbers are decimal, padded with zeros to six digits, longer when they must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace firn::lsm {

enum class NameKind { kTable, kValues, kLog, kManifest, kCurrent, kLock, kTemporary };

struct FileName {
  NameKind kind = NameKind::kLock;
  std::uint64_t number = 0;  // Of a table, value file, segment or manifest.
  friend bool operator==(const FileName&, const FileName&) = default;
};

// Absent for a name that is not Firn's: such a file is never touched.
std::optional<FileName> parse_file_name(std::string_view name);

std::string table_path(std::string_view directory, std::uint64_t id);
std::string value_path(std::string_view directory, std::uint64_t id);
std::string segment_path(std::string_view directory, std::uint64_t id);
std::string manifest_path(std::string_view directory, std::uint64_t number);
std::string current_path(std::string_view directory);
std::string lock_path(std::string_view directory);

// Names without a directory.
std::string manifest_name(std::uint64_t number);
inline constexpr std::string_view kCurrentName = "CURRENT";
inline constexpr std::string_view kLockName = "LOCK";

}  // namespace firn::lsm
