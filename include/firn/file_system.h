// Files as the engine sees them: the part of the seam to the machine that stores bytes. Implementations: POSIX
// (platform/posix_file_system.h) and simulated in memory (sim/file_system.h), which can lose what was not synced.
//
// Durability model: written bytes are with the operating system (they survive the process) when a call returns; they
// are on the device (they survive power loss) after sync(). A name (create, rename, remove) is on the device after
// FileSystem::sync_directory of its directory.
//
// Thread safety: FileSystem and File may be used from several threads at once; LogFile from one at a time, except
// sync() and populate(), which may run beside the one writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firn/export.h"
#include "firn/status.h"

namespace firn {

// What one transfer did. `error` is an errno value or 0; `bytes` were transferred before it (short transfers and EINTR
// stay visible here; platform/io.h has the loops that hide them).
struct IoResult {
  int error = 0;
  std::size_t bytes = 0;
};

// What a file is for: the tag by which faults are injected and I/O is counted.
enum class FileKind : std::uint8_t { kLog, kTable, kManifest, kCurrent, kLock, kValues, kOther };

// Read-only view of a whole file. Bytes stay valid until destruction.
// An unreadable page reads as zeros and sets damaged(): check it before trusting what was read through the mapping.
class FIRN_EXPORT FileMapping {
 public:
  virtual ~FileMapping() = default;
  virtual std::span<const std::byte> bytes() const = 0;
  virtual bool damaged() const = 0;
  // What damaged() answers, where it is the value of a variable: for those who ask after every few bytes. They order
  // what they read through the mapping before it. Null where it is not.
  virtual const std::atomic<bool>* damage_flag() const { return nullptr; }
  // Whether all of it was in memory when it was mapped: reading it is then not expected to wait for a device.
  virtual bool resident() const { return true; }
};

// A file opened for positional reads, and writes when it was created or opened writable.
class FIRN_EXPORT File {
 public:
  virtual ~File() = default;
  virtual const std::string& path() const = 0;
  // Reads up to into.size() bytes at `offset`; fewer at the end of the file or when interrupted.
  virtual IoResult read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
  virtual IoResult write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // On success all bytes written before the call (and the size) are on the device. After a failure nothing is known
  // about them and a later success proves nothing.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t bytes) = 0;
  // Reserves disk space for [0, bytes) without changing the size; kNoSpace when there is not enough.
  virtual Status allocate(std::uint64_t bytes) = 0;
  // Starts writing [offset, offset + bytes) to the device without waiting; a hint.
  virtual void start_writeback(std::uint64_t offset, std::uint64_t bytes) = 0;
  // Maps the file as it is now. kNotSupported where mappings are not to be had.
  virtual Result<std::unique_ptr<FileMapping>> map() = 0;
  // Tells the OS that [offset, offset + bytes) will be read soon; a hint.
  virtual void prefetch(std::uint64_t offset, std::uint64_t bytes) = 0;
};

// A file of fixed size written front to back, into disk space that is reserved beforehand: one segment of the
// write-ahead log. What was not written reads as zeros.
// Two ways to append, which may be mixed: reserve + publish (a store into mapped memory where the file system keeps its
// promise of preallocated space, a write elsewhere) costs no system call; write() is cheaper when sync() follows.
class FIRN_EXPORT LogFile {
 public:
  virtual ~LogFile() = default;
  virtual const std::string& path() const = 0;
  virtual std::uint64_t capacity_bytes() const = 0;
  virtual std::uint64_t end_offset() const = 0;  // Where the next byte goes.
  // Whether `bytes` more can be appended: the segment has room for them, and the disk has the space, which is theirs
  // from now on. A false answer is no failure of the segment; it may be asked again.
  virtual bool make_room(std::uint64_t bytes) = 0;
  // Room for the next `bytes` bytes at end_offset(); empty when make_room() says no, or after a device error.
  // The span is valid until the next call and its contents are unspecified.
  virtual std::span<std::byte> reserve(std::size_t bytes) = 0;
  // The first `bytes` bytes of the last reservation are with the operating system when it returns Ok.
  virtual Status publish(std::size_t bytes) = 0;
  // Appends `bytes` with a write system call. A failure leaves end_offset() as it was and the bytes after it unknown.
  virtual Status write(std::span<const std::byte> bytes) = 0;
  // Everything appended before the call is on the device.
  virtual Status sync() = 0;
  // Makes reservations in [begin, end) cheap (disk space, page tables, zeroed pages) and lets go of what memory is
  // held for bytes before `begin`, which is not beyond end_offset(). For a background thread; a hint.
  virtual void populate(std::uint64_t begin, std::uint64_t end) = 0;
};

// Held from a successful lock() until destruction. The lock file itself is never removed.
class FIRN_EXPORT FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,       // Must exist.
  kReadWrite,  // Must exist.
  kCreate,     // Must not exist; read and write.
};

struct DirectoryEntry {
  std::string name;  // Without the directory.
  bool is_directory = false;
  std::uint64_t bytes = 0;
};

struct SpaceInfo {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

// Errors of all calls: kNotFound for a missing path, kNoSpace for a full disk or quota, kIo for everything else, each
// with the path and the operating system's reason in the message.
class FIRN_EXPORT FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode, FileKind kind) = 0;
  // Creates `path` (it must not exist) with `capacity_bytes` of reserved, zero-reading space.
  virtual Result<std::unique_ptr<LogFile>> create_log(const std::string& path, std::uint64_t capacity_bytes) = 0;
  virtual Status create_directory(const std::string& path) = 0;  // Ok when it exists already.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status remove_directory(const std::string& path) = 0;  // Must be empty.
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  // kBusy when any opener, in this process or another, holds it. Creates the file where it is missing.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Result<SpaceInfo> space(const std::string& path) = 0;
  // How many bytes of files may be mapped so that they stay in memory beside everything else: half of the machine's
  // (or the control group's) memory on a real machine; 0 where File::map is not to be used.
  virtual std::uint64_t mapping_budget_bytes() { return 0; }
};

}  // namespace firn
