#include "lsm/sizes.h"

#include <algorithm>

namespace firn::lsm {

namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

// An explicit figure, or the derived one.
template <class T>
T chosen(T given, T derived) {
  return given != 0 ? given : derived;
}

}  // namespace

DerivedSizes derive_sizes(const Options& options) {
  const Sizes& given = options.sizes;
  DerivedSizes sizes;
  // Three memtables may exist at once (one filling, one waiting, one in flush); with the cache that is the memory.
  sizes.memtable_bytes = chosen(given.memtable_bytes, std::clamp(options.memory_bytes / 8, 64 * kKiB, 64 * kMiB));
  const std::uint64_t memtables = 3 * sizes.memtable_bytes;
  const std::uint64_t rest = options.memory_bytes > memtables ? options.memory_bytes - memtables : 0;
  sizes.cache_bytes = chosen(given.cache_bytes, std::max(rest, options.memory_bytes / 4));
  sizes.block_bytes = chosen(given.block_bytes, 4 * kKiB);
  sizes.table_bytes = chosen(given.table_bytes, std::max(sizes.memtable_bytes, 2 * kMiB));
  sizes.log_segment_bytes = chosen(given.log_segment_bytes, std::clamp(sizes.memtable_bytes, kMiB, 64 * kMiB));
  sizes.level_ratio = chosen(given.level_ratio, std::uint32_t{10});
  // A memtable makes a table of about 0.6 of its own size where values are small: so many are four memtables' worth.
  sizes.l0_tables = chosen(given.l0_tables, std::uint32_t{6});
  return sizes;
}

std::uint64_t block_bytes_for(const Options& options, const DerivedSizes& sizes, Compression codec) {
  if (options.sizes.block_bytes != 0 || codec == Compression::kNone) return sizes.block_bytes;
  return 4 * sizes.block_bytes;
}

std::uint64_t memtable_budget_bytes(const DerivedSizes& sizes, bool shared) {
  // Writers meet the pace of the flush at 0.81 of it (compaction/pacing.h).
  return (shared ? 6 : 3) * sizes.memtable_bytes / 2;
}

}  // namespace firn::lsm
