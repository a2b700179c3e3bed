#include "platform/paged_bytes.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace firn {

namespace {

std::uint64_t next_owner() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

PagedBytes::PagedBytes() : owner_(next_owner()) {}

PagedBytes::PagedBytes(const PagedBytes& other) : owner_(next_owner()), pages_(other.pages_), size_(other.size_) {
  other.owner_ = next_owner();
}

PagedBytes& PagedBytes::operator=(const PagedBytes& other) {
  if (this == &other) return *this;
  owner_ = next_owner();
  other.owner_ = next_owner();
  pages_ = other.pages_;
  size_ = other.size_;
  return *this;
}

PagedBytes::Page& PagedBytes::writable_page(std::uint64_t index) {
  std::shared_ptr<Page>& page = pages_[index];
  if (page == nullptr) {
    page = std::make_shared<Page>();
  } else if (page->owner != owner_) {
    page = std::make_shared<Page>(*page);
  } else {
    return *page;
  }
  page->owner = owner_;
  return *page;
}

std::size_t PagedBytes::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= size_) return 0;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
  for (std::size_t done = 0; done < count;) {
    const std::size_t within = static_cast<std::size_t>((offset + done) % kPageBytes);
    const std::size_t piece = std::min(count - done, kPageBytes - within);
    const auto page = pages_.find((offset + done) / kPageBytes);
    if (page == pages_.end()) {
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
    if (within > 0 && pages_.contains(last)) {
      std::memset(writable_page(last).bytes.data() + within, 0, static_cast<std::size_t>(kPageBytes - within));
    }
    pages_.erase(pages_.lower_bound(last + (within > 0 ? 1 : 0)), pages_.end());
  }
  size_ = bytes;
}

}  // namespace firn
