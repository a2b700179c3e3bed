// Tested in posix_mapping_test.cc.
#include "platform/posix_mapping.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
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
  PosixMapping(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {
    if (bytes_ > 0) guard_.emplace(address_, bytes_, false);
  }
  ~PosixMapping() override {
    guard_.reset();
    if (bytes_ > 0) munmap(address_, bytes_);
  }

  std::span<const std::byte> bytes() const override { return {static_cast<const std::byte*>(address_), bytes_}; }
  bool damaged() const override { return guard_.has_value() && guard_->failed(); }

 private:
  void* const address_;
  const std::size_t bytes_;
  std::optional<MappingGuard> guard_;
};

// Enters what is in the page cache into the page table, a huge page at a time. Hints only: errors are ignored.
void map_resident_pages(char* address, std::size_t bytes) {
#if defined(MADV_POPULATE_READ)
  std::array<unsigned char, kHugePageBytes / 4096> resident;
  for (std::size_t offset = 0; offset < bytes; offset += kHugePageBytes) {
    const std::size_t piece = std::min(bytes - offset, kHugePageBytes);
    const std::size_t pages = (piece + page_bytes() - 1) / page_bytes();
    if (mincore(address + offset, piece, resident.data()) != 0) return;
    const bool all = std::all_of(resident.begin(), resident.begin() + static_cast<std::ptrdiff_t>(pages),
                                 [](unsigned char flags) { return (flags & 1) != 0; });
    if (all && madvise(address + offset, piece, MADV_POPULATE_READ) != 0) return;
  }
#endif
}

}  // namespace

Result<std::unique_ptr<FileMapping>> map_file(int descriptor, std::uint64_t bytes, const std::string& path) {
  if (bytes == 0) return std::unique_ptr<FileMapping>(std::make_unique<PosixMapping>(nullptr, 0));
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
  if (huge) madvise(address, length, MADV_HUGEPAGE);
  map_resident_pages(static_cast<char*>(address), length);
  return std::unique_ptr<FileMapping>(std::make_unique<PosixMapping>(address, length));
}

}  // namespace firn
