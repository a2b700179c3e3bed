#include "platform/posix_log_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "platform/address_space.h"
#include "platform/assert.h"
#include "platform/file_descriptor.h"
#include "platform/io.h"
#include "platform/mapping_guard.h"
#include "platform/posix_calls.h"

namespace firn {

namespace {

// linux/magic.h lacks it.
constexpr std::uint64_t kXfsMagic = 0x58465342;

// What both forms share: the file, its end, and a first failure that is never forgotten.
class PosixLog : public LogFile {
 public:
  PosixLog(std::string path, FileDescriptor file, std::uint64_t capacity_bytes)
      : path_(std::move(path)), file_(std::move(file)), capacity_bytes_(capacity_bytes) {}

  const std::string& path() const final { return path_; }
  std::uint64_t capacity_bytes() const final { return capacity_bytes_; }
  std::uint64_t end_offset() const final { return end_offset_; }

  Status write(std::span<const std::byte> bytes) final {
    reserved_bytes_ = 0;
    if (const int error = failed_error(); error != 0) return errno_status("write", path_, error);
    if (bytes.size() > free_bytes()) {
      return Status(StatusCode::kInvalidArgument, "write " + path_ + ": beyond the end of the log segment");
    }
    return append("write", bytes);
  }

  Status sync() final {
    if (const int error = failed_error(); error != 0) return errno_status("sync", path_, error);
    // After a failed sync the kernel takes the lost pages for clean: no later one may answer Ok.
    if (fdatasync(file_.get()) != 0) fail(errno);
    const int error = failed_error();
    return error == 0 ? Status() : errno_status("sync", path_, error);
  }

 protected:
  std::uint64_t free_bytes() const { return capacity_bytes_ - end_offset_; }

  // 0, or the errno value that ended the life of this segment.
  virtual int failed_error() const { return failed_error_.load(std::memory_order_relaxed); }
  void fail(int error) {
    int none = 0;
    failed_error_.compare_exchange_strong(none, error, std::memory_order_relaxed);
  }

  Status append(const char* operation, std::span<const std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const IoResult result = posix_write_at(file_.get(), end_offset_ + done, bytes.subspan(done));
      done += result.bytes;
      if (result.error == EINTR) continue;
      if (result.error != 0 || result.bytes == 0) {
        return errno_status(operation, path_, result.error != 0 ? result.error : EIO);
      }
    }
    end_offset_ += bytes.size();
    return Status();
  }

  const std::string path_;
  const FileDescriptor file_;
  const std::uint64_t capacity_bytes_;
  std::uint64_t end_offset_ = 0;
  std::size_t reserved_bytes_ = 0;  // Of the last reserve, until it is used.

 private:
  std::atomic<int> failed_error_{0};  // Atomic: sync runs beside the writer.
};

class MappedLog final : public PosixLog {
 public:
  MappedLog(std::string path, FileDescriptor file, std::uint64_t capacity_bytes, void* address)
      : PosixLog(std::move(path), std::move(file), capacity_bytes),
        address_(static_cast<std::byte*>(address)),
        guard_(std::in_place, address, static_cast<std::size_t>(capacity_bytes), true) {}
  ~MappedLog() override {
    guard_.reset();
    munmap(address_, static_cast<std::size_t>(capacity_bytes_));
  }

  std::span<std::byte> reserve(std::size_t bytes) override {
    reserved_bytes_ = 0;
    if (bytes > free_bytes() || failed_error() != 0) return {};
    reserved_bytes_ = bytes;
    return {address_ + end_offset_, bytes};
  }

  Status publish(std::size_t bytes) override {
    FIRN_ASSERT(bytes <= reserved_bytes_);
    reserved_bytes_ = 0;
    if (const int error = failed_error(); error != 0) [[unlikely]]
      return errno_status("write", path_, error);
    end_offset_ += bytes;
    return Status();
  }

  void populate(std::uint64_t offset) override {
#if defined(MADV_POPULATE_WRITE)
    const std::uint64_t mask = page_bytes() - 1;
    const std::uint64_t end = (std::min(offset, capacity_bytes_) + mask) & ~mask;
    const std::uint64_t begin = populated_bytes_.load(std::memory_order_relaxed);
    if (begin >= end) return;
    // Errors are ignored: the store that meets the page will see them.
    madvise(address_ + begin, static_cast<std::size_t>(end - begin), MADV_POPULATE_WRITE);
    populated_bytes_.store(end, std::memory_order_relaxed);
#endif
  }

 protected:
  int failed_error() const override { return guard_->failed() ? EIO : PosixLog::failed_error(); }

 private:
  std::byte* const address_;
  std::optional<MappingGuard> guard_;
  std::atomic<std::uint64_t> populated_bytes_{
      0};  // Atomic: two background tasks may meet; doing a page twice is harmless.
};

class StagedLog final : public PosixLog {
 public:
  using PosixLog::PosixLog;

  std::span<std::byte> reserve(std::size_t bytes) override {
    reserved_bytes_ = 0;
    if (bytes > free_bytes() || failed_error() != 0) return {};
    if (buffer_.size() < bytes) buffer_.resize(bytes);
    reserved_bytes_ = bytes;
    return std::span(buffer_).first(bytes);
  }

  Status publish(std::size_t bytes) override {
    FIRN_ASSERT(bytes <= reserved_bytes_);
    reserved_bytes_ = 0;
    if (const int error = failed_error(); error != 0) return errno_status("write", path_, error);
    return append("write", std::span<const std::byte>(buffer_).first(bytes));
  }

  void populate(std::uint64_t) override {}

 private:
  std::vector<std::byte> buffer_;
};

// Does a successful posix_fallocate mean that no later store into the file can lack space? Not where blocks are copied
// on write, and nobody knows on the network.
bool allocation_is_a_promise(int descriptor) {
  struct statfs info;
  if (fstatfs(descriptor, &info) != 0) return false;
  const std::uint64_t magic = static_cast<std::uint32_t>(info.f_type);
  return magic == EXT4_SUPER_MAGIC || magic == kXfsMagic || magic == TMPFS_MAGIC;
}

int allocate_log(int descriptor, std::uint64_t bytes) {
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  return error;
}

}  // namespace

Result<std::unique_ptr<LogFile>> create_posix_log(const std::string& path, std::uint64_t capacity_bytes,
                                                  bool mapped_allowed) {
  FIRN_ASSERT(capacity_bytes > 0);
  FileDescriptor file(posix_open(path, O_RDWR | O_CREAT | O_EXCL));
  if (!file.valid()) return errno_status("create log", path, errno);
  if (const int error = allocate_log(file.get(), capacity_bytes); error != 0) {
    unlink(path.c_str());
    return errno_status("allocate " + std::to_string(capacity_bytes) + " bytes for log", path, error);
  }
  if (mapped_allowed && allocation_is_a_promise(file.get())) {
    void* const address =
        mmap(nullptr, static_cast<std::size_t>(capacity_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address != MAP_FAILED) {
      return std::unique_ptr<LogFile>(std::make_unique<MappedLog>(path, std::move(file), capacity_bytes, address));
    }
  }
  return std::unique_ptr<LogFile>(std::make_unique<StagedLog>(path, std::move(file), capacity_bytes));
}

}  // namespace firn
