#include "platform/io.h"

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "platform/planted_bug.h"

namespace firn {

namespace {

StatusCode errno_code(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return StatusCode::kNoSpace;
    case ENOENT: return StatusCode::kNotFound;
    case ENOMEM: return StatusCode::kOutOfMemory;
    default: return StatusCode::kIo;
  }
}

// The reason in words, with the remedy where there is one.
std::string errno_reason(int error) {
  switch (error) {
    case ENOSPC: return "no space left on device (free some: reads go on, writes work again when there is space)";
    case EDQUOT: return "disk quota exceeded (raise it or free space: reads go on)";
    case EACCES:
    case EPERM: return "permission denied (give this user read and write access to the file and its directory)";
    case EROFS: return "permission denied: read-only file system (mount it writable, or open read-only)";
    case EMFILE: return "too many open files in this process (raise the limit, ulimit -n)";
    case ENFILE: return "too many open files in the system (raise fs.file-max)";
    default: return std::generic_category().message(error);
  }
}

}  // namespace

Status errno_status(std::string_view operation, std::string_view path, int error) {
  std::string message(operation);
  message.append(" ").append(path).append(": ").append(errno_reason(error));
  return Status(errno_code(error), std::move(message));
}

Status read_exactly(File& file, std::uint64_t offset, std::span<std::byte> into) {
  std::size_t done = 0;
  bool retried = false;
  while (done < into.size()) {
    const IoResult result = file.read_at(offset + done, into.subspan(done));
    done += result.bytes;
    if (result.error == EINTR) continue;
    if (result.error == EIO && !retried) {
      retried = true;
      continue;
    }
    if (result.error != 0) return errno_status("read", file.path(), result.error);
    if (result.bytes == 0) {
      // Where nothing was read the file may have ended earlier.
      const std::string end = (done > 0 ? "file ends at " : "file ends at or before ") + std::to_string(offset + done);
      return Status::corruption(file.path(), offset, end + ", expected " + std::to_string(into.size()) + " bytes");
    }
  }
  return Status();
}

Result<std::string> read_file(FileSystem& files, const std::string& path, FileKind kind) {
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kRead, kind);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> size = (*file)->size();
  if (!size.ok()) return size.status();
  std::string contents;
  contents.resize(*size);
  Status status = read_exactly(**file, 0, std::as_writable_bytes(std::span(contents)));
  if (!status.ok()) return status;
  return contents;
}

Status write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const IoResult result = file.write_at(offset + done, bytes.subspan(done));
    done += result.bytes;
    if (result.error == EINTR) continue;
    if (result.error != 0) return errno_status("write", file.path(), result.error);
    if (FIRN_PLANTED_BUG(short_write_ignored)) break;
    // POSIX leaves a write of nothing unexplained; trying for ever would hang.
    if (result.bytes == 0) return errno_status("write", file.path(), EIO);
  }
  return Status();
}

Status replace_file(FileSystem& files, const std::string& directory, const std::string& name,
                    std::string_view contents) {
  const std::string path = join_path(directory, name);
  const std::string temporary = path + ".tmp";
  // One may be left from a crash.
  if (Status status = files.remove(temporary); !status.ok() && !status.is_not_found()) return status;
  Result<std::unique_ptr<File>> file = files.open(temporary, OpenMode::kCreate, FileKind::kCurrent);
  if (!file.ok()) return file.status();
  if (Status status = write_all(**file, 0, std::as_bytes(std::span(contents))); !status.ok()) return status;
  if (!FIRN_PLANTED_BUG(rename_before_sync)) {
    if (Status status = (*file)->sync(); !status.ok()) return status;
  }
  return files.rename(temporary, path);
}

std::string parent_directory(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

}  // namespace firn
