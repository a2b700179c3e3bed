// What Options promises about itself: defaults that depend on the build, and which values it accepts.
#include "firn/options.h"

#include <string>
#include <string_view>

namespace firn {

namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

Status out_of_range(std::string_view field, std::uint64_t value, std::uint64_t min, const std::string& range) {
  std::string message = "Options::";
  message.append(field).append(" is ").append(std::to_string(value)).append(": ");
  message.append(value < min ? "too small, " : "too large, ").append("give it ").append(range);
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

Status check_range(std::string_view field, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  if (min <= value && value <= max) return {};
  return out_of_range(field, value, min, std::to_string(min) + " to " + std::to_string(max));
}

// 0 stands for "derive it".
Status check_size(std::string_view field, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  if (value == 0 || (min <= value && value <= max)) return {};
  return out_of_range(field, value, min, "0 (derived) or " + std::to_string(min) + " to " + std::to_string(max));
}

Status check_compression(std::string_view field, const LevelCompression& levels) {
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (compression_available(levels[level])) continue;
    const auto number = static_cast<unsigned>(levels[level]);
    const std::string where = std::string(field) + '[' + std::to_string(level) + "] is " + std::to_string(number);
    if (levels[level] == Compression::kLz4) {
      return Status(StatusCode::kInvalidArgument,
                    where + " (lz4), which this build lacks: use zstd, or build Firn with -Dlz4=enabled");
    }
    return Status(StatusCode::kInvalidArgument, where + ": give it none (0), zstd (1) or lz4 (2)");
  }
  return {};
}

Status check_family(std::string_view field, const FamilyOptions& options) {
  const std::string prefix(field);
  if (options.filter_bits_per_key > 32) {
    return Status(StatusCode::kInvalidArgument, prefix + "filter_bits_per_key is " +
                                                    std::to_string(options.filter_bits_per_key) +
                                                    ": too large, give it 0 to 32");
  }
  if (options.separate_value_bytes > kValueBytesMax) {
    return Status(StatusCode::kInvalidArgument, prefix + "separate_value_bytes is " +
                                                    std::to_string(options.separate_value_bytes) +
                                                    ": too large, give it 0 to " + std::to_string(kValueBytesMax));
  }
  if (options.value_garbage_percent < 1 || options.value_garbage_percent > 90) {
    return Status(StatusCode::kInvalidArgument,
                  prefix + "value_garbage_percent is " + std::to_string(options.value_garbage_percent) +
                      (options.value_garbage_percent == 0 ? ": too small" : ": too large") + ", give it 1 to 90");
  }
  return options.compression ? check_compression(prefix + "compression", *options.compression) : Status();
}

Status check_sizes(const Sizes& sizes) {
  struct Row {
    std::string_view field;
    std::uint64_t value, min, max;
  };
  const Row rows[] = {
      {"sizes.memtable_bytes", sizes.memtable_bytes, 64 * kKiB, 4 * kGiB},
      {"sizes.cache_bytes", sizes.cache_bytes, 0, kTiB},
      {"sizes.block_bytes", sizes.block_bytes, 512, kMiB},
      {"sizes.table_bytes", sizes.table_bytes, 64 * kKiB, 4 * kGiB},
      {"sizes.log_segment_bytes", sizes.log_segment_bytes, 64 * kKiB, 4 * kGiB},
      {"sizes.level_ratio", sizes.level_ratio, 2, 100},
      {"sizes.l0_tables", sizes.l0_tables, 1, 64},
  };
  for (const Row& row : rows) {
    if (Status status = check_size(row.field, row.value, row.min, row.max); !status.ok()) return status;
  }
  return {};
}

}  // namespace

LevelCompression Options::default_compression() {
  LevelCompression levels{};
  levels.back() = compression_available(Compression::kLz4) ? Compression::kLz4 : Compression::kZstd;
  return levels;
}

Status FamilyOptions::validate() const { return check_family("FamilyOptions::", *this); }

Status Options::validate() const {
  if (read_only && error_if_exists) {
    return Status(StatusCode::kInvalidArgument,
                  "Options::read_only and Options::error_if_exists are both set: a database that is only read must "
                  "exist, clear one of them");
  }
  if (durability > Durability::kSync) {
    return Status(StatusCode::kInvalidArgument, "Options::durability is " +
                                                    std::to_string(static_cast<unsigned>(durability)) +
                                                    ": give it kNone (0), kBuffered, kPeriodic or kSync (3)");
  }
  if (Status status = check_range("memory_bytes", memory_bytes, kMiB, UINT64_MAX); !status.ok()) return status;
  if (Status status = check_range("sync_period_ms", sync_period_ms, 1, 3'600'000); !status.ok()) return status;
  if (Status status = check_range("background_threads", background_threads, 1, 64); !status.ok()) return status;
  if (Status status = check_compression("Options::compression", compression); !status.ok()) return status;
  if (Status status = check_family("Options::default_family.", default_family); !status.ok()) return status;
  return check_sizes(sizes);
}

}  // namespace firn
