// A file mapped for reading. Large files are mapped in 2 MiB pages where the kernel can (ext4 and xfs do for files
// written in aligned pieces of that size), which makes a random access as cheap as one to huge-page memory. What lies
// in the page cache is mapped at once; nothing is read from the device before it is asked for. Internal to platform.
//
// Thread safety: as FileMapping. Lifetime: independent of the file descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "firn/file_system.h"

namespace firn {

// The first `bytes` bytes of the open file `descriptor`. `path` is for messages.
Result<std::unique_ptr<FileMapping>> map_file(int descriptor, std::uint64_t bytes, const std::string& path);

}  // namespace firn
