#include "lsm/space.h"

#include <algorithm>

namespace firn::lsm {

std::uint64_t space_reserve_bytes(const DerivedSizes& sizes, std::uint64_t total_bytes) {
  return std::min(2 * sizes.memtable_bytes + sizes.log_segment_bytes, total_bytes / 20);
}

Status check_space(FileSystem& files, const std::string& directory, const DerivedSizes& sizes) {
  const auto space = files.space(directory);
  if (!space.ok()) return {};
  const std::uint64_t reserve = space_reserve_bytes(sizes, space->total_bytes);
  if (space->free_bytes >= reserve) return {};
  return Status(StatusCode::kNoSpace, directory + ": " + std::to_string(space->free_bytes) +
                                          " bytes of the disk are free, the last " + std::to_string(reserve) +
                                          " are kept for deletions and compactions (delete keys or free space: "
                                          "writes work again by themselves)");
}

}  // namespace firn::lsm
