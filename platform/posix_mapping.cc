// Tested in posix_mapping_test.cc.
#include "platform/posix_mapping.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <optional>

#include "platform/address_space.h"
#include "platform/io.h"
#include "platform/mapping_guard.h"
#include "platform/memory.h"

namespace firn {

namespace {

class PosixMapping final : public FileMapping {
 public:
  PosixMapping(void* address, std::size_t bytes, bool resident)
      : address_(address), bytes_(bytes), resident_(resident) {
    if (bytes_ > 0) guard_.emplace(address_, bytes_, false);
  }
  ~PosixMapping() override {
    guard_.reset();
    if (bytes_ > 0) munmap(address_, bytes_);
  }

  std::span<const std::byte> bytes() const override { return {static_cast<const std::byte*>(address_), bytes_}; }
  bool damaged() const override { return guard_.has_value() && guard_->failed(); }
  const std::atomic<bool>* damage_flag() const override {
    return guard_.has_value() ? &guard_->failed_flag() : nullptr;
  }
  bool resident() const override { return resident_; }

 private:
  void* const address_;
  const std::size_t bytes_;
  const bool resident_;
  std::optional<MappingGuard> guard_;
};

// Whether all pages of a piece of a mapping, at most a huge page long, are in the page cache. The first page is asked
// for alone: where nothing is there a look at all of them takes 20 times as long.
bool is_resident(char* piece, std::size_t bytes) {
  std::array<unsigned char, kHugePageBytes / 4096> resident;
  const std::size_t pages = (bytes + page_bytes() - 1) / page_bytes();
  if (mincore(piece, 1, resident.data()) != 0 || (resident[0] & 1) == 0) return false;
  return mincore(piece, bytes, resident.data()) == 0 &&
         std::all_of(resident.begin(), resident.begin() + static_cast<std::ptrdiff_t>(pages),
                     [](unsigned char flags) { return (flags & 1) != 0; });
}

// Tells the kernel how each huge page's worth of the file will be read. What is in the page cache enters the page table
// at once, in one entry where the cache holds it in one piece. The rest is read a page at a time as it is touched:
// huge, a fault would read 2 MiB to show 4 KiB. Hints only: errors are ignored. Whether all was in the page cache.
bool advise(char* address, std::size_t bytes) {
  const auto piece_bytes = [&](std::size_t offset) { return std::min(bytes - offset, kHugePageBytes); };
  bool all_resident = true;
  for (std::size_t begin = 0, end = 0; begin < bytes; begin = end) {
    const bool resident = is_resident(address + begin, piece_bytes(begin));
    for (end = begin + piece_bytes(begin); end < bytes; end += piece_bytes(end)) {
      if (is_resident(address + end, piece_bytes(end)) != resident) break;
    }
    if (!resident) {
      all_resident = false;
      madvise(address + begin, end - begin, MADV_RANDOM);
      continue;
    }
    if (bytes >= kHugePageBytes) madvise(address + begin, end - begin, MADV_HUGEPAGE);
#if defined(MADV_POPULATE_READ)
    madvise(address + begin, end - begin, MADV_POPULATE_READ);
#endif
  }
  return all_resident;
}

}  // namespace

Result<std::unique_ptr<FileMapping>> map_file(int descriptor, std::uint64_t bytes, const std::string& path) {
  if (bytes == 0) return std::unique_ptr<FileMapping>(std::make_unique<PosixMapping>(nullptr, 0, true));
  const std::size_t length = static_cast<std::size_t>(bytes);
  const bool huge = length >= kHugePageBytes;
  // A huge page needs address and file offset to agree modulo its size.
  void* const wanted = huge ? reserve_addresses(length, kHugePageBytes) : nullptr;
  const int fixed = wanted != nullptr ? MAP_FIXED : 0;
  void* const address = mmap(wanted, length, PROT_READ, MAP_SHARED | fixed, descriptor, 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    if (wanted != nullptr) munmap(wanted, length);
    if (error == ENODEV) return Status(StatusCode::kNotSupported, "map " + path + ": the file system has no mappings");
    return errno_status("map", path, error);
  }
  const bool resident = advise(static_cast<char*>(address), length);
  return std::unique_ptr<FileMapping>(std::make_unique<PosixMapping>(address, length, resident));
}

}  // namespace firn
