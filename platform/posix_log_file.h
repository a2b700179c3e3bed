// Log segments over POSIX, in two forms behind one interface. Mapped: reserve() hands out the file's own pages and
// publish() only moves the end; for file systems that keep the promise of posix_fallocate (ext4, xfs, tmpfs), so that
// a store never meets a full disk. Staged: reserve() hands out a buffer and publish() writes it; for all others.
// Why: a store into a populated mapping costs 8 ns where a write costs 800 and more. Syncing dirty mapped pages is the
// one thing that is slower, hence LogFile::write in both. Internal to platform.
//
// Thread safety: as LogFile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "firn/file_system.h"

namespace firn {

// Creates the segment `path`. `mapped_allowed` false: staged always.
// Errors: as FileSystem::create_log; after one no file is left behind.
Result<std::unique_ptr<LogFile>> create_posix_log(const std::string& path, std::uint64_t capacity_bytes,
                                                  bool mapped_allowed);

}  // namespace firn
