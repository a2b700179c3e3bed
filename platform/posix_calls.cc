// Tested through file_system_test.cc.
#include "platform/posix_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace firn {

namespace {

// Linux transfers a little less than 2 GiB a call, macOS refuses more than that.
constexpr std::size_t kTransferBytesMax = std::size_t{1} << 30;

IoResult io_result(ssize_t transferred) {
  if (transferred < 0) return {errno, 0};
  return {0, static_cast<std::size_t>(transferred)};
}

}  // namespace

int posix_open(const std::string& path, int flags) {
  constexpr mode_t kMode = 0644;
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), flags | O_CLOEXEC, kMode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

IoResult posix_write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) {
  return io_result(
      pwrite(descriptor, bytes.data(), std::min(bytes.size(), kTransferBytesMax), static_cast<off_t>(offset)));
}

IoResult posix_read_at(int descriptor, std::uint64_t offset, std::span<std::byte> into) {
  return io_result(
      pread(descriptor, into.data(), std::min(into.size(), kTransferBytesMax), static_cast<off_t>(offset)));
}

}  // namespace firn
