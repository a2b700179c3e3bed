// The bytes of a file in memory: sparse, in pages that copies share until one of them writes, and so is the table of
// the pages. Copying costs a pointer; the first write after it a pointer per page that was ever written, so a mostly
// empty 64 MiB log is cheap to keep and to clone.
//
// Thread safety: as for any value; distinct objects may be used from distinct threads although they share pages.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

namespace firn::sim {

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
  // Of size and bytes. Each page is hashed once as long as nobody writes to it, in whatever copy.
  std::uint64_t hash() const;

 private:
  static constexpr std::size_t kPageBytes = 4096;
  struct Page {
    Page() = default;
    Page(const Page& other) : bytes(other.bytes) {}

    std::uint64_t owner = 0;
    mutable std::atomic<std::uint64_t> hash{0};  // 0: not known.
    std::array<std::byte, kPageBytes> bytes{};
  };
  struct Table {
    std::uint64_t owner = 0;
    std::map<std::uint64_t, std::shared_ptr<Page>> pages;  // Missing: zeros. Bytes beyond size_ are zeros.
  };

  std::uint64_t owner() const { return owner_.load(std::memory_order_relaxed); }
  Table& writable_table();
  Page& writable_page(std::uint64_t index);
  static std::uint64_t page_hash(const Page& page);

  // Who may write the table or a page: it, and nobody else, carries this number. Copying gives both sides a new one,
  // which makes all of both shared without touching it.
  // Atomic: a constant may be copied by many threads at once.
  mutable std::atomic<std::uint64_t> owner_;
  std::shared_ptr<Table> table_;
  std::uint64_t size_ = 0;
};

}  // namespace firn::sim
