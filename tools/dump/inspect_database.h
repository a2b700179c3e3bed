// One page about the database in a directory.
#pragma once

#include <string>

#include "firn/file_system.h"
#include "tools/dump/output.h"

namespace firn::tools {

// Errors: kNotADatabase, kNewerFormat, kIo before anything was printed; damage goes to Output::damage().
Status inspect_database(FileSystem& files, const std::string& directory, Output& out);

}  // namespace firn::tools
