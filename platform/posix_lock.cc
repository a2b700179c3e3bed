// Tested in file_system_test.cc.
#include "platform/posix_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

#include "platform/file_descriptor.h"
#include "platform/io.h"
#include "platform/posix_calls.h"

namespace firn {

namespace {

// A file, whatever path leads to it.
using FileIdentity = std::pair<dev_t, ino_t>;

// The files this process holds locked.
class HeldFiles {
 public:
  bool insert(const FileIdentity& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return held_.insert(file).second;
  }
  void erase(const FileIdentity& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_.erase(file);
  }

 private:
  // A plain std::mutex: never held over a wait, so no schedule depends on it.
  std::mutex mutex_;
  std::set<FileIdentity> held_;  // Guarded by mutex_.
};

// Never destroyed: a database may be closed while the process exits.
HeldFiles& held_files() {
  static HeldFiles* const held = new HeldFiles;
  return *held;
}

Status busy(const std::string& path, const char* holder) {
  return Status(StatusCode::kBusy, "lock " + path + ": held by " + holder + " (close the database there first)");
}

class PosixLock final : public FileLock {
 public:
  PosixLock(FileDescriptor file, const FileIdentity& identity) : file_(std::move(file)), identity_(identity) {}
  ~PosixLock() override {
    if (held_) held_files().erase(identity_);
  }

  Status take(const std::string& path) {
    held_ = held_files().insert(identity_);
    if (!held_) return busy(path, "this process");
    if (flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return Status();
    return errno == EWOULDBLOCK ? busy(path, "another process") : errno_status("lock", path, errno);
  }

 private:
  const FileDescriptor file_;  // Closing it releases the lock.
  const FileIdentity identity_;
  bool held_ = false;  // By this object, in held_files().
};

}  // namespace

Result<std::unique_ptr<FileLock>> lock_posix_file(const std::string& path) {
  FileDescriptor file(posix_open(path, O_RDWR | O_CREAT));
  struct stat info;
  if (!file.valid() || fstat(file.get(), &info) != 0) return errno_status("lock", path, errno);
  auto lock = std::make_unique<PosixLock>(std::move(file), FileIdentity(info.st_dev, info.st_ino));
  if (Status status = lock->take(path); !status.ok()) return status;
  return std::unique_ptr<FileLock>(std::move(lock));
}

}  // namespace firn
