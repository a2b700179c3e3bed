// What a piece of work cost this process: time, memory, bytes written, by the kernel's own accounts.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <string>

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
// Resident memory that is not file pages, which the kernel cannot drop. Bytes.
std::uint64_t anonymous_bytes();

// Sum of what the files below `directory` occupy on the device, in bytes.
std::uint64_t disk_bytes(const std::string& directory);
// Writes the files below `directory` out and drops them from the page cache: the next read comes from the device.
void drop_page_cache(const std::string& directory);
// Reads the files below `directory` once, so that they are in the page cache while there is room: a system may have
// reclaimed what lay idle while another engine had its turn.
void fill_page_cache(const std::string& directory);

}  // namespace firn::race
