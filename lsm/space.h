// The last of the disk is kept for making room: flushes and compactions may use it, and so may deletions; writes that
// add data are refused before it is touched. It is no file, only a line below which this database stops: another
// program can fill the disk all the same.
//
// Thread safety: pure functions beside the file system.
#pragma once

#include <cstdint>
#include <string>

#include "firn/file_system.h"
#include "firn/stats.h"

namespace firn::lsm {

// Room for two memtables on their way to tables and a log segment, but no more than a twentieth of the disk.
std::uint64_t space_reserve_bytes(const DerivedSizes& sizes, std::uint64_t total_bytes);

// kNoSpace, saying how much is free, while that is less than the reserve. Ok where the file system cannot tell.
Status check_space(FileSystem& files, const std::string& directory, const DerivedSizes& sizes);

}  // namespace firn::lsm
