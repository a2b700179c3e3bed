// Removes files without making others wait. Internal to platform.
//
// Where the file system tells the device of freed blocks (ext4 with `discard`), a file of 64 MiB is one request that
// the device takes tenths of a second for, and syncs of other files wait behind it. RocksDB truncates what it deletes
// in steps for the same reason (SstFileManager).
//
// Thread safety: any thread.
#pragma once

#include <string>

namespace firn {

// unlink(2): 0, or -1 and errno. A large file that has no other name and that nobody has open is then freed in steps;
// whoever has it open or mapped keeps all of it, in this process or another.
int posix_remove(const std::string& path);

}  // namespace firn
