// Tested in file_system_test.cc.
#include "platform/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/io.h"
#include "platform/posix_calls.h"
#include "platform/posix_mapping.h"

namespace firn {

namespace {

class PosixFile final : public File {
 public:
  PosixFile(std::string path, FileDescriptor file, bool mappings_allowed)
      : path_(std::move(path)), file_(std::move(file)), mappings_allowed_(mappings_allowed) {}

  const std::string& path() const override { return path_; }

  IoResult read_at(std::uint64_t offset, std::span<std::byte> into) override {
    return posix_read_at(file_.get(), offset, into);
  }

  IoResult write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return posix_write_at(file_.get(), offset, bytes);
  }

  Result<std::uint64_t> size() override {
    struct stat info;
    if (fstat(file_.get(), &info) != 0) return errno_status("get the size of", path_, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  // On Linux fdatasync covers the size and all else that reading the bytes back needs.
  Status sync() override { return fdatasync(file_.get()) == 0 ? Status() : errno_status("sync", path_, errno); }

  Status truncate(std::uint64_t bytes) override {
    int outcome = -1;
    do {
      outcome = ftruncate(file_.get(), static_cast<off_t>(bytes));
    } while (outcome != 0 && errno == EINTR);
    return outcome == 0 ? Status() : errno_status("truncate", path_, errno);
  }

  Status allocate(std::uint64_t bytes) override {
    if (bytes == 0) return Status();
    int outcome = -1;
    do {
      outcome = fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes));
    } while (outcome != 0 && errno == EINTR);
    // Where space cannot be reserved, writes will tell.
    if (outcome == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return Status();
    return errno_status("allocate " + std::to_string(bytes) + " bytes for", path_, errno);
  }

  void start_writeback(std::uint64_t offset, std::uint64_t bytes) override {
    sync_file_range(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
  }

  Result<std::unique_ptr<FileMapping>> map() override {
    if (!mappings_allowed_) return Status(StatusCode::kNotSupported, "map " + path_ + ": mappings are switched off");
    const Result<std::uint64_t> bytes = size();
    if (!bytes.ok()) return bytes.status();
    return map_file(file_.get(), *bytes, path_);
  }

  void prefetch(std::uint64_t offset, std::uint64_t bytes) override {
    posix_fadvise(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
  }

 private:
  const std::string path_;
  const FileDescriptor file_;
  const bool mappings_allowed_;
};

}  // namespace

std::unique_ptr<File> make_posix_file(std::string path, FileDescriptor file, bool mappings_allowed) {
  return std::make_unique<PosixFile>(std::move(path), std::move(file), mappings_allowed);
}

}  // namespace firn
