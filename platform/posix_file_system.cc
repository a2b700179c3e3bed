// Tested in file_system_test.cc.
#include "platform/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "platform/file_descriptor.h"
#include "platform/io.h"
#include "platform/memory_limit.h"
#include "platform/posix_calls.h"
#include "platform/posix_file.h"
#include "platform/posix_lock.h"
#include "platform/posix_log_file.h"
#include "platform/posix_remove.h"

namespace firn {

namespace {

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY;
    case OpenMode::kReadWrite: return O_RDWR;
    case OpenMode::kCreate: break;
  }
  return O_RDWR | O_CREAT | O_EXCL;
}

bool is_directory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode, FileKind) {
  FileDescriptor file(posix_open(path, open_flags(mode)));
  if (!file.valid()) return errno_status(mode == OpenMode::kCreate ? "create" : "open", path, errno);
  return make_posix_file(path, std::move(file), mappings_ == Mappings::kAllowed);
}

Result<std::unique_ptr<LogFile>> PosixFileSystem::create_log(const std::string& path, std::uint64_t capacity_bytes) {
  return create_posix_log(path, capacity_bytes, mappings_ == Mappings::kAllowed);
}

Status PosixFileSystem::create_directory(const std::string& path) {
  constexpr mode_t kMode = 0755;
  if (mkdir(path.c_str(), kMode) == 0) return Status();
  const int error = errno;
  if (error == EEXIST && is_directory(path)) return Status();
  return errno_status("create directory", path, error);
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? Status() : errno_status("rename " + from + " to", to, errno);
}

Status PosixFileSystem::remove(const std::string& path) {
  return posix_remove(path) == 0 ? Status() : errno_status("remove", path, errno);
}

Status PosixFileSystem::remove_directory(const std::string& path) {
  return rmdir(path.c_str()) == 0 ? Status() : errno_status("remove directory", path, errno);
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  const FileDescriptor directory(posix_open(path, O_RDONLY | O_DIRECTORY));
  const bool synced = directory.valid() && fsync(directory.get()) == 0;
  return synced ? Status() : errno_status("sync directory", path, errno);
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (directory == nullptr) return errno_status("list directory", path, errno);
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* found = readdir(directory.get());
    if (found == nullptr) break;
    std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat info;
    if (fstatat(dirfd(directory.get()), found->d_name, &info, 0) != 0) {
      if (errno == ENOENT) continue;  // Removed meanwhile, or a link to nowhere.
      return errno_status("list directory", join_path(path, name), errno);
    }
    const bool is_file = !S_ISDIR(info.st_mode);
    entries.push_back({std::move(name), !is_file, is_file ? static_cast<std::uint64_t>(info.st_size) : 0});
  }
  if (errno != 0) return errno_status("list directory", path, errno);
  return entries;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) { return lock_posix_file(path); }

Result<SpaceInfo> PosixFileSystem::space(const std::string& path) {
  struct statvfs info;
  if (statvfs(path.c_str(), &info) != 0) return errno_status("get the free space of", path, errno);
  const std::uint64_t unit = info.f_frsize;
  return SpaceInfo{info.f_bavail * unit, info.f_blocks * unit};
}

std::uint64_t PosixFileSystem::mapping_budget_bytes() {
  return mappings_ == Mappings::kAllowed ? memory_limit_bytes() / 2 : 0;
}

}  // namespace firn
