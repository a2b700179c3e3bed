// Tested in posix_file_system_test.cc.
#include "platform/posix_remove.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/file_descriptor.h"
#include "platform/posix_calls.h"

namespace firn {

namespace {

// The device takes one such step in 5 to 13 ms; smaller ones take longer in total.
constexpr off_t kStepBytes = off_t{4} << 20;

// The kernel grants a lease to write only where nobody else has the file open or mapped. Without a name nobody can open
// it later, so the lease has done its work when it is granted.
bool is_ours_alone(int descriptor) {
  if (fcntl(descriptor, F_SETLEASE, F_WRLCK) != 0) return false;
  return fcntl(descriptor, F_SETLEASE, F_UNLCK) == 0;
}

}  // namespace

int posix_remove(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return -1;
  FileDescriptor file;
  if (S_ISREG(info.st_mode) && info.st_size > kStepBytes) file = FileDescriptor(posix_open(path, O_WRONLY));
  if (unlink(path.c_str()) != 0) return -1;
  // Another name, a checkpoint's perhaps, has the same bytes.
  if (!file.valid() || fstat(file.get(), &info) != 0 || info.st_nlink != 0 || !is_ours_alone(file.get())) return 0;
  for (off_t left = info.st_size - kStepBytes; left > 0; left -= kStepBytes) {
    if (ftruncate(file.get(), left) != 0) break;
  }
  return 0;
}

}  // namespace firn
