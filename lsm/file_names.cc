#include "lsm/file_names.h"

#include <charconv>

#include "platform/io.h"

namespace firn::lsm {

namespace {

constexpr std::string_view kTableSuffix = ".table";
constexpr std::string_view kValuesSuffix = ".values";
constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::size_t kDigits = 6;

std::string padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return digits;
}

// Only the spelling that padded() makes.
std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  const bool as_padded = digits.size() == kDigits || (digits.size() > kDigits && digits[0] != '0');
  if (error != std::errc() || stop != end || !as_padded) return std::nullopt;
  return number;
}

}  // namespace

std::optional<FileName> parse_file_name(std::string_view name) {
  if (name == kCurrentName) return FileName{NameKind::kCurrent, 0};
  if (name == kLockName) return FileName{NameKind::kLock, 0};
  if (name.ends_with(kTemporarySuffix)) {
    name.remove_suffix(kTemporarySuffix.size());
    const std::optional<FileName> target = parse_file_name(name);
    if (!target.has_value() || target->kind == NameKind::kTemporary) return std::nullopt;
    return FileName{NameKind::kTemporary, target->number};
  }
  NameKind kind = NameKind::kTable;
  if (name.ends_with(kTableSuffix)) {
    name.remove_suffix(kTableSuffix.size());
  } else if (name.ends_with(kValuesSuffix)) {
    kind = NameKind::kValues;
    name.remove_suffix(kValuesSuffix.size());
  } else if (name.ends_with(kLogSuffix)) {
    kind = NameKind::kLog;
    name.remove_suffix(kLogSuffix.size());
  } else if (name.starts_with(kManifestPrefix)) {
    kind = NameKind::kManifest;
    name.remove_prefix(kManifestPrefix.size());
  } else {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> number = parse_number(name);
  if (!number.has_value()) return std::nullopt;
  return FileName{kind, *number};
}

std::string table_path(std::string_view directory, std::uint64_t id) {
  return join_path(directory, padded(id).append(kTableSuffix));
}

std::string value_path(std::string_view directory, std::uint64_t id) {
  return join_path(directory, padded(id).append(kValuesSuffix));
}

std::string segment_path(std::string_view directory, std::uint64_t id) {
  return join_path(directory, padded(id).append(kLogSuffix));
}

std::string manifest_name(std::uint64_t number) { return std::string(kManifestPrefix).append(padded(number)); }

std::string manifest_path(std::string_view directory, std::uint64_t number) {
  return join_path(directory, manifest_name(number));
}

std::string current_path(std::string_view directory) { return join_path(directory, kCurrentName); }

std::string lock_path(std::string_view directory) { return join_path(directory, kLockName); }

}  // namespace firn::lsm
