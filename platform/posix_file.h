// File over a POSIX descriptor. Internal to platform.
//
// Thread safety: as File.
#pragma once

#include <memory>
#include <string>

#include "firn/file_system.h"
#include "platform/file_descriptor.h"

namespace firn {

// `mappings_allowed` false: map() answers kNotSupported.
std::unique_ptr<File> make_posix_file(std::string path, FileDescriptor file, bool mappings_allowed);

}  // namespace firn
