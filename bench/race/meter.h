// What a piece of work cost this process: time, memory, bytes written, by the kernel's own accounts.
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <semaphore>
#include <string>
#include <thread>

namespace firn::race {

// Since the process started.
struct Usage {
  double wall_seconds = 0;        // Of a monotonic clock.
  double cpu_seconds = 0;         // User and system, all threads.
  std::uint64_t write_bytes = 0;  // Pages made dirty for a device, whether or not they have reached it.
  std::uint64_t read_bytes = 0;   // Fetched from a device.
};

Usage process_usage();

// Largest resident set since the last reset, in bytes: anonymous memory and mapped file pages.
std::uint64_t peak_rss_bytes();
void reset_peak_rss();
// Largest resident memory that is not file pages, which the kernel cannot drop: what the process takes from others,
// where a mapped file page only shows that it is in the page cache. The kernel keeps no peak of it, so a thread looks
// every few milliseconds for as long as this lives.
class AnonymousPeak {
 public:
  AnonymousPeak();
  ~AnonymousPeak();
  AnonymousPeak(const AnonymousPeak&) = delete;
  AnonymousPeak& operator=(const AnonymousPeak&) = delete;

  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  void look_until_ended();

  std::atomic<std::uint64_t> bytes_{0};
  std::binary_semaphore end_{0};
  std::thread thread_;
};

// Sum of what the files below `directory` occupy on the device, in bytes.
std::uint64_t disk_bytes(const std::string& directory);
// Writes the files below `directory` out and drops them from the page cache: the next read comes from the device.
void drop_page_cache(const std::string& directory);
// Reads the files below `directory` once, so that they are in the page cache while there is room: a system may have
// reclaimed what lay idle while another engine had its turn.
void fill_page_cache(const std::string& directory);

}  // namespace firn::race
