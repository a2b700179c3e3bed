#include "platform/sim/paged_bytes.h"

#include <algorithm>
#include <cstring>

#include "platform/sim/hash.h"

namespace firn::sim {

namespace {

std::uint64_t next_owner() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

constexpr std::uint64_t kZeroPageHash = 1;

}  // namespace

PagedBytes::PagedBytes() : owner_(next_owner()), table_(std::make_shared<Table>()) { table_->owner = owner(); }

PagedBytes::PagedBytes(const PagedBytes& other) : owner_(next_owner()), table_(other.table_), size_(other.size_) {
  other.owner_.store(next_owner(), std::memory_order_relaxed);
}

PagedBytes& PagedBytes::operator=(const PagedBytes& other) {
  if (this == &other) return *this;
  owner_.store(next_owner(), std::memory_order_relaxed);
  other.owner_.store(next_owner(), std::memory_order_relaxed);
  table_ = other.table_;
  size_ = other.size_;
  return *this;
}

PagedBytes::Table& PagedBytes::writable_table() {
  if (table_->owner != owner()) {
    table_ = std::make_shared<Table>(*table_);
    table_->owner = owner();
  }
  return *table_;
}

PagedBytes::Page& PagedBytes::writable_page(std::uint64_t index) {
  std::shared_ptr<Page>& page = writable_table().pages[index];
  if (page == nullptr) {
    page = std::make_shared<Page>();
  } else if (page->owner != owner()) {
    page = std::make_shared<Page>(*page);
  }
  page->owner = owner();
  page->hash.store(0, std::memory_order_relaxed);
  return *page;
}

std::size_t PagedBytes::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= size_) return 0;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  for (std::size_t done = 0; done < count;) {
    const std::size_t within = static_cast<std::size_t>((offset + done) % kPageBytes);
    const std::size_t piece = std::min(count - done, kPageBytes - within);
    const auto page = table_->pages.find((offset + done) / kPageBytes);
    if (page == table_->pages.end()) {
      std::memset(into.data() + done, 0, piece);
    } else {
      std::memcpy(into.data() + done, page->second->bytes.data() + within, piece);
    }
    done += piece;
  }
  return count;
}

void PagedBytes::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t within = static_cast<std::size_t>((offset + done) % kPageBytes);
    const std::size_t piece = std::min(bytes.size() - done, kPageBytes - within);
    std::memcpy(writable_page((offset + done) / kPageBytes).bytes.data() + within, bytes.data() + done, piece);
    done += piece;
  }
  if (!bytes.empty()) size_ = std::max(size_, offset + bytes.size());
}

void PagedBytes::resize(std::uint64_t bytes) {
  if (bytes < size_) {
    const std::uint64_t within = bytes % kPageBytes;
    const std::uint64_t last = bytes / kPageBytes;
    std::map<std::uint64_t, std::shared_ptr<Page>>& pages = writable_table().pages;
    if (within > 0 && pages.contains(last)) {
      std::memset(writable_page(last).bytes.data() + within, 0, static_cast<std::size_t>(kPageBytes - within));
    }
    pages.erase(pages.lower_bound(last + (within > 0 ? 1 : 0)), pages.end());
  }
  size_ = bytes;
}

std::uint64_t PagedBytes::page_hash(const Page& page) {
  std::uint64_t hash = page.hash.load(std::memory_order_relaxed);
  if (hash != 0) return hash;
  const bool zeros =
      std::all_of(page.bytes.begin(), page.bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
  hash = zeros ? kZeroPageHash : hash_bytes(page.bytes, kPageBytes);
  page.hash.store(hash, std::memory_order_relaxed);
  return hash;
}

std::uint64_t PagedBytes::hash() const {
  std::uint64_t hash = hash_mix(size_, kPageBytes);
  for (const auto& [index, page] : table_->pages) {
    const std::uint64_t one = page_hash(*page);
    if (one != kZeroPageHash) hash = hash_mix(hash ^ index, one);  // A page of zeros is as good as none.
  }
  return hash;
}

}  // namespace firn::sim
