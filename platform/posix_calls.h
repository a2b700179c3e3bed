// System calls in the shape the POSIX files share: interruptions hidden where nothing was transferred, no descriptor
// inherited by programs the process starts. Internal to platform.
//
// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "firn/file_system.h"

namespace firn {

// open(2) with O_CLOEXEC; new files may be read by all and written by their owner. -1 and errno on failure.
int posix_open(const std::string& path, int flags);

// pwrite(2). At most 1 GiB a call.
IoResult posix_write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes);
// pread(2). At most 1 GiB a call.
IoResult posix_read_at(int descriptor, std::uint64_t offset, std::span<std::byte> into);

}  // namespace firn
