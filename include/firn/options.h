// What a user decides. Four intents (memory, durability, compression, threads); everything else is derived from them
// and printed by `firn inspect`. `Sizes` overrides the derived figures for tests and benchmarks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "firn/platform.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {

class Snapshot;

// What "Ok" means for a write when the process, or the machine, stops right after it.
enum class Durability : std::uint8_t {
  kNone = 0,      // No log: lost back to the last flush when the process stops.
  kBuffered = 1,  // With the operating system: survives the process; power loss takes a suffix.
  kPeriodic = 2,  // As kBuffered, and on the device within Options::sync_period_ms. The default.
  kSync = 3,      // On the device before the call returns and before any reader sees it.
};

// Values are stored on disk: never renumber.
enum class Compression : std::uint8_t { kNone = 0, kZstd = 1, kLz4 = 2 };

// Whether this build has the codec (lz4 is optional).
FIRN_EXPORT bool compression_available(Compression codec);

inline constexpr int kLevelCount = 7;

// Per level, L0 first. With dynamic level targets data settles in the last levels.
using LevelCompression = std::array<Compression, kLevelCount>;

// Explicit sizes in bytes; 0 derives the figure from Options::memory_bytes. Checked at open.
struct Sizes {
  std::uint64_t memtable_bytes = 0;     // 64 KiB..4 GiB; a full memtable, per family; half of it where writes are fast.
  std::uint64_t cache_bytes = 0;        // 0..1 TiB; the block cache, shared by all families.
  std::uint64_t block_bytes = 0;        // 512 B..1 MiB; data of one block before compression, about.
  std::uint64_t table_bytes = 0;        // 64 KiB..4 GiB; target size of a table below L0.
  std::uint64_t log_segment_bytes = 0;  // 64 KiB..4 GiB.
  std::uint32_t level_ratio = 0;        // 2..100; size of a level over the one above it.
  std::uint32_t l0_tables = 0;          // 1..64; L0 tables that start a compaction.
};

struct FamilyOptions {
  // Absent: the database's.
  std::optional<LevelCompression> compression;
  std::uint32_t filter_bits_per_key = 10;  // 0 (no filter)..32.
  // Values of at least so many bytes are kept apart from the keys, in value files: compactions then move references of
  // a few bytes; a read takes one step more. 0 (none)..1 GiB.
  std::uint32_t separate_value_bytes = 4096;
  // How much of the family's value files may belong to values that no table refers to any more: beyond that, the live
  // values of the emptiest files are moved to new ones. After a flush that was asked for, it holds for each file. 1..90
  // per cent.
  std::uint32_t value_garbage_percent = 30;

  // kInvalidArgument naming the field, its value and its range.
  FIRN_EXPORT Status validate() const;
};

struct Options {
  bool create_if_missing = true;
  bool error_if_exists = false;
  bool read_only = false;                                 // Never writes a byte; needs no write permission.
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;  // 1 MiB..; memtables and block cache together.
  Durability durability = Durability::kPeriodic;          // Of writes that do not say.
  std::uint32_t sync_period_ms = 1000;                    // 1..3,600,000; for kPeriodic.
  // Default: none above, the last level lz4 (zstd where this build lacks lz4).
  LevelCompression compression = default_compression();
  std::uint32_t background_threads = 2;  // 1..64.
  FamilyOptions default_family;          // Of the family "default" when the database is created.
  Sizes sizes;
  const Platform* platform = nullptr;  // Null: real_platform().

  FIRN_EXPORT static LevelCompression default_compression();
  // kInvalidArgument naming the field, its value and its range.
  FIRN_EXPORT Status validate() const;
};

struct ReadOptions {
  const Snapshot* snapshot = nullptr;  // Null: what is visible when the call starts.
};

struct WriteOptions {
  std::optional<Durability> durability;  // Absent: the database's.
};

// [lower, upper) in bytewise order; absent means unbounded on that side.
struct IteratorOptions {
  std::optional<std::string> lower;
  std::optional<std::string> upper;
  const Snapshot* snapshot = nullptr;  // Null: what is visible when the iterator is made.
  // Moving does not read values that lie in value files; Iterator::load_value() does. For scans that need few of them.
  bool lazy_values = false;
};

}  // namespace firn
