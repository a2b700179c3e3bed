// FileLock over flock(2). Internal to platform.
//
// Thread safety: any thread. A child made by fork() shares its parent's lock and cannot take it again.
#pragma once

#include <memory>
#include <string>

#include "firn/file_system.h"

namespace firn {

// As FileSystem::lock.
Result<std::unique_ptr<FileLock>> lock_posix_file(const std::string& path);

}  // namespace firn
