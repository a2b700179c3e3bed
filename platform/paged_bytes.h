// The bytes of a file in memory: sparse, in pages that copies share until one of them writes. Copying costs a pointer
// per page that was ever written, so a mostly empty 64 MiB log is cheap to keep and to clone.
//
// Thread safety: as for any value; distinct objects may be used from distinct threads although they share pages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

namespace firn {

class PagedBytes {
 public:
  PagedBytes();
  PagedBytes(const PagedBytes& other);
  PagedBytes& operator=(const PagedBytes& other);

  std::uint64_t size() const { return size_; }
  // Copies what lies at `offset`; returns how much: less than into.size() at the end.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  // Overwrites, growing where needed; a gap reads as zeros.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  // Cuts, or grows by zeros.
  void resize(std::uint64_t bytes);

 private:
  static constexpr std::size_t kPageBytes = 4096;
  struct Page {
    std::uint64_t owner = 0;
    std::array<std::byte, kPageBytes> bytes{};
  };

  Page& writable_page(std::uint64_t index);

  // Who may write a page: it, and nobody else, carries this number. Copying gives both sides a new one, which makes
  // every page of both shared without touching a page.
  mutable std::uint64_t owner_;
  std::map<std::uint64_t, std::shared_ptr<Page>> pages_;  // Missing: zeros. Bytes beyond size_ are zeros.
  std::uint64_t size_ = 0;
};

}  // namespace firn
