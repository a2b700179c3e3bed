#include "platform/posix_log_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
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

// How much of a segment gets its space at a time: a segment that ends early has not taken much more than it holds.
constexpr std::uint64_t kReservedPieceBytes = std::uint64_t{4} << 20;
// The first piece, of which each segment that waits for its turn has one.
constexpr std::uint64_t kFirstPieceBytes = std::uint64_t{1} << 20;
// How much is zeroed ahead of group writes at a time, and for writes of how many bytes: smaller ones seldom come first
// into a block, and zeros are written too.
constexpr std::uint64_t kZeroedPieceBytes = std::uint64_t{128} << 10;
constexpr std::size_t kZeroedWriteBytesMin = 512;

int allocate(int descriptor, std::uint64_t offset, std::uint64_t bytes) {
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(descriptor, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  return error;
}

// The disk space behind a segment, reserved piece by piece from its front.
// Thread safety: any thread.
class ReservedSpace {
 public:
  // Whether the first `bytes` bytes of the file have their space; asks for it where they do not.
  bool reserve(int descriptor, std::uint64_t bytes, std::uint64_t capacity_bytes) {
    if (bytes <= this->bytes()) return true;
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::uint64_t begin = this->bytes();
    if (bytes <= begin) return true;
    const std::uint64_t generous = std::min(bytes + kReservedPieceBytes, capacity_bytes);
    for (const std::uint64_t end : {generous, bytes}) {
      error_ = allocate(descriptor, begin, end - begin);
      if (error_ != 0) continue;
      bytes_.store(end, std::memory_order_release);
      return true;
    }
    return false;
  }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_acquire); }
  // Why the last reserve() failed: an errno value.
  int error() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }

 private:
  std::atomic<std::uint64_t> bytes_{0};
  mutable std::mutex mutex_;
  int error_ = 0;
};

// What both forms share: the file, its end, and a first failure that is never forgotten.
class PosixLog : public LogFile {
 public:
  PosixLog(std::string path, FileDescriptor file, std::uint64_t capacity_bytes, std::unique_ptr<ReservedSpace> space)
      : path_(std::move(path)), file_(std::move(file)), capacity_bytes_(capacity_bytes), space_(std::move(space)) {}

  const std::string& path() const final { return path_; }
  std::uint64_t capacity_bytes() const final { return capacity_bytes_; }
  std::uint64_t end_offset() const final { return end_offset_; }

  bool make_room(std::uint64_t bytes) final {
    if (bytes > capacity_bytes_ - end_offset_) return false;
    return space_->reserve(file_.get(), end_offset_ + bytes, capacity_bytes_);
  }

  Status write(std::span<const std::byte> bytes) final {
    reserved_bytes_ = 0;
    if (const int error = failed_error(); error != 0) return errno_status("write", path_, error);
    if (bytes.size() > capacity_bytes_ - end_offset_) {
      return Status(StatusCode::kInvalidArgument, "write " + path_ + ": beyond the end of the log segment");
    }
    if (!make_room(bytes.size())) return errno_status("write", path_, space_->error());
    // The first write of a file says nothing of those that follow it.
    if (end_offset_ != 0 && bytes.size() >= kZeroedWriteBytesMin) zero_ahead(end_offset_ + bytes.size());
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
  // 0, or the errno value that ended the life of this segment.
  virtual int failed_error() const { return failed_error_.load(std::memory_order_relaxed); }
  void fail(int error) {
    int none = 0;
    failed_error_.compare_exchange_strong(none, error, std::memory_order_relaxed);
  }

  // A sync that finds its bytes in blocks that were never written must also make that durable, in the file system's
  // journal. So zeros are written ahead, and the first sync behind them pays for many later ones.
  void zero_ahead(std::uint64_t end) {
    if (end <= zeroed_bytes_) return;
    const std::uint64_t begin = std::max(zeroed_bytes_, end_offset_);
    const std::uint64_t wanted = std::min(end + kZeroedPieceBytes, space_->bytes());
    // Page by page: the page cache keeps what is written at once as one piece, and would count all of it as changed
    // with every record.
    static constexpr std::array<std::byte, 4096> kZeros{};
    for (std::uint64_t at = begin; at < wanted;) {
      const std::uint64_t bytes = std::min<std::uint64_t>(kZeros.size() - at % kZeros.size(), wanted - at);
      // What fails here is left to the write itself.
      static_cast<void>(posix_write_at(file_.get(), at, std::span(kZeros).first(static_cast<std::size_t>(bytes))));
      at += bytes;
    }
    zeroed_bytes_ = wanted;
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
  const std::unique_ptr<ReservedSpace> space_;
  std::uint64_t end_offset_ = 0;
  std::uint64_t zeroed_bytes_ = 0;
  std::size_t reserved_bytes_ = 0;  // Of the last reserve, until it is used.

 private:
  std::atomic<int> failed_error_{0};  // Atomic: sync runs beside the writer.
};

class MappedLog final : public PosixLog {
 public:
  MappedLog(std::string path, FileDescriptor file, std::uint64_t capacity_bytes, std::unique_ptr<ReservedSpace> space,
            void* address)
      : PosixLog(std::move(path), std::move(file), capacity_bytes, std::move(space)),
        address_(static_cast<std::byte*>(address)),
        guard_(std::in_place, address, static_cast<std::size_t>(capacity_bytes), true) {}
  ~MappedLog() override {
    guard_.reset();
    munmap(address_, static_cast<std::size_t>(capacity_bytes_));
  }

  std::span<std::byte> reserve(std::size_t bytes) override {
    reserved_bytes_ = 0;
    if (!make_room(bytes) || failed_error() != 0) return {};
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

  void populate(std::uint64_t begin, std::uint64_t end) override {
    const std::lock_guard<std::mutex> lock(populate_mutex_);
    drop_pages(begin);
    if (end > begin) populate_pages(begin, end);
  }

 protected:
  int failed_error() const override { return guard_->failed() ? EIO : PosixLog::failed_error(); }

 private:
  // Takes what is written out of the page tables: it stays in the page cache and counts as memory of this process no
  // longer.
  void drop_pages(std::uint64_t end) {
    end &= ~(page_bytes() - 1);
    if (end <= dropped_bytes_) return;
    madvise(address_ + dropped_bytes_, static_cast<std::size_t>(end - dropped_bytes_), MADV_DONTNEED);
    dropped_bytes_ = end;
  }

  void populate_pages(std::uint64_t begin, std::uint64_t end) {
#if defined(MADV_POPULATE_WRITE)
    const std::uint64_t mask = page_bytes() - 1;
    end = std::min(end, capacity_bytes_);
    // Further than that, so that the writer does not have to, nor wait for the one who does.
    const std::uint64_t space = std::min(end + kFirstPieceBytes, capacity_bytes_);
    if (!space_->reserve(file_.get(), space, capacity_bytes_) && space_->bytes() < end) return;
    end = (end + mask) & ~mask;
    populated_bytes_ = std::max(populated_bytes_, begin & ~mask);
    if (populated_bytes_ >= end) return;
    // Errors are ignored: the store that meets the page will see them.
    madvise(address_ + populated_bytes_, static_cast<std::size_t>(end - populated_bytes_), MADV_POPULATE_WRITE);
    populated_bytes_ = end;
#endif
  }

  std::byte* const address_;
  std::optional<MappingGuard> guard_;
  std::mutex populate_mutex_;  // Two background tasks may meet.
  std::uint64_t dropped_bytes_ = 0;
  std::uint64_t populated_bytes_ = 0;
};

class StagedLog final : public PosixLog {
 public:
  using PosixLog::PosixLog;

  std::span<std::byte> reserve(std::size_t bytes) override {
    reserved_bytes_ = 0;
    if (!make_room(bytes) || failed_error() != 0) return {};
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

  void populate(std::uint64_t, std::uint64_t) override {}

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

// Gives the file its size, which reads as zeros, and its first piece of space. Returns an errno value.
int make_log_space(int descriptor, std::uint64_t capacity_bytes, ReservedSpace& space) {
  int outcome = -1;
  do {
    outcome = ftruncate(descriptor, static_cast<off_t>(capacity_bytes));
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) return errno;
  const std::uint64_t first = std::min(kFirstPieceBytes, capacity_bytes);
  return space.reserve(descriptor, first, first) ? 0 : space.error();
}

}  // namespace

Result<std::unique_ptr<LogFile>> create_posix_log(const std::string& path, std::uint64_t capacity_bytes,
                                                  bool mapped_allowed) {
  FIRN_ASSERT(capacity_bytes > 0);
  FileDescriptor file(posix_open(path, O_RDWR | O_CREAT | O_EXCL));
  if (!file.valid()) return errno_status("create log", path, errno);
  auto space = std::make_unique<ReservedSpace>();
  if (const int error = make_log_space(file.get(), capacity_bytes, *space); error != 0) {
    unlink(path.c_str());
    return errno_status("allocate " + std::to_string(capacity_bytes) + " bytes for log", path, error);
  }
  if (mapped_allowed && allocation_is_a_promise(file.get())) {
    void* const address =
        mmap(nullptr, static_cast<std::size_t>(capacity_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address != MAP_FAILED) {
      return std::unique_ptr<LogFile>(
          std::make_unique<MappedLog>(path, std::move(file), capacity_bytes, std::move(space), address));
    }
  }
  return std::unique_ptr<LogFile>(std::make_unique<StagedLog>(path, std::move(file), capacity_bytes, std::move(space)));
}

}  // namespace firn
