#include "bench/race/meter.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "bench/race/engine.h"

namespace firn::race {

namespace {

// The number after "name:" in a file of /proc/self; 0 when it is not there.
std::uint64_t proc_number(const char* file, std::string_view name) {
  std::ifstream input(file);
  for (std::string line; std::getline(input, line);) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      return std::stoull(line.substr(name.size() + 1));
    }
  }
  return 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

constexpr std::chrono::milliseconds kLookEvery{4};

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

// Calls work(fd) for each file below `directory`.
template <class Work>
void for_each_file(const std::string& directory, Work&& work) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("open", entry.path().string());
    work(fd);
    close(fd);
  }
}

}  // namespace

Usage process_usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  Usage usage;
  usage.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  usage.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  usage.write_bytes = proc_number("/proc/self/io", "write_bytes");
  usage.read_bytes = proc_number("/proc/self/io", "read_bytes");
  return usage;
}

std::uint64_t peak_rss_bytes() { return proc_number("/proc/self/status", "VmHWM") * 1024; }

void reset_peak_rss() { std::ofstream("/proc/self/clear_refs") << 5; }

AnonymousPeak::AnonymousPeak() : thread_([this] { look_until_ended(); }) {}

AnonymousPeak::~AnonymousPeak() {
  end_.release();
  thread_.join();
}

void AnonymousPeak::look_until_ended() {
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  do {
    std::uint64_t mapped = 0;
    std::uint64_t resident = 0;
    std::uint64_t of_files = 0;
    std::ifstream("/proc/self/statm") >> mapped >> resident >> of_files;
    const std::uint64_t bytes = (resident - std::min(resident, of_files)) * page_bytes;
    bytes_.store(std::max(bytes, bytes_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
  } while (!end_.try_acquire_for(kLookEvery));
}

std::uint64_t disk_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat info {};
    // A file may be deleted between the listing and the question.
    if (entry.is_regular_file() && stat(entry.path().c_str(), &info) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

void drop_page_cache(const std::string& directory) {
  for_each_file(directory, [](int fd) {
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  });
}

void fill_page_cache(const std::string& directory) {
  std::vector<char> buffer(kReadBytes);
  for_each_file(directory, [&buffer](int fd) {
    while (read(fd, buffer.data(), buffer.size()) > 0) {
    }
  });
}

}  // namespace firn::race
