#include "lsm/memtable/arena.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "platform/assert.h"
#include "platform/memory.h"

namespace firn::memtable {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kAlignmentMax = 64;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) & ~(unit - 1); }

}  // namespace

struct alignas(kAlignmentMax) Arena::Chunk {
  Chunk* next;
  std::size_t bytes;  // With this head.
};

Arena::Arena(std::size_t first_chunk_bytes, std::size_t chunk_bytes_max, std::shared_ptr<ChunkPool> pool)
    : first_chunk_bytes_(first_chunk_bytes), chunk_bytes_max_(chunk_bytes_max), pool_(std::move(pool)) {}

Arena::~Arena() {
  while (chunks_ != nullptr) {
    Chunk* const chunk = std::exchange(chunks_, chunks_->next);
    if (pool_ != nullptr && chunk->bytes == kHugePageBytes) {
      pool_->give(chunk);
    } else {
      free_pages(chunk, chunk->bytes);
    }
  }
}

bool Arena::open_chunk(std::size_t bytes) {
  // Doubles what there is. A large request gets a chunk of its own size: the rest of a full one would only lie idle.
  const std::size_t usual = std::clamp(chunk_bytes_, first_chunk_bytes_, chunk_bytes_max_);
  const std::size_t needed = bytes + sizeof(Chunk);
  const std::size_t chosen = needed > usual / 8 ? round_up(std::max(needed, first_chunk_bytes_), kPageBytes) : usual;
  void* pages = pool_ != nullptr && chosen == kHugePageBytes ? pool_->take() : nullptr;
  if (pages == nullptr) pages = allocate_pages(chosen);
  if (pages == nullptr) return false;
  char* const chunk = add_chunk(pages, chosen);
  if (open_[0].bytes() < open_[1].bytes()) std::swap(open_[0], open_[1]);
  open_[1] = {chunk + sizeof(Chunk), chunk + chosen, chunk};
  return true;
}

void* Arena::allocate(std::size_t bytes, std::size_t alignment) {
  for (Open& open : open_) {
    const std::size_t padding = (0 - reinterpret_cast<std::uintptr_t>(open.at)) & (alignment - 1);
    if (open.bytes() < padding + bytes) continue;
    char* const at = open.at + padding;
    open.at = at + bytes;
    if (open.at > open.counted) {
      // Chunks that have huge pages are aligned to them, and begin where the system's pages do in any case.
      const bool huge = static_cast<std::size_t>(open.end - open.counted) >= kHugePageBytes;
      const std::size_t touched =
          std::min(round_up(static_cast<std::size_t>(open.at - open.counted), huge ? kHugePageBytes : kPageBytes),
                   static_cast<std::size_t>(open.end - open.counted));
      open.counted += touched;
      count(touched);
    }
    return at;
  }
  assertion_failed("allocated no more than was reserved", __FILE__, __LINE__);
}

void* Arena::allocate_zeroed(std::size_t bytes) {
  if (bytes <= kPageBytes) {
    if (!reserve(bytes + kAlignmentMax - 1)) return nullptr;
    return std::memset(allocate(bytes, kAlignmentMax), 0, bytes);
  }
  const std::size_t chunk_bytes = round_up(bytes + sizeof(Chunk), kPageBytes);
  void* const pages = allocate_pages(chunk_bytes);
  if (pages == nullptr) return nullptr;
  count(chunk_bytes);
  return add_chunk(pages, chunk_bytes) + sizeof(Chunk);
}

// Where the chunk begins; its head is in use.
char* Arena::add_chunk(void* pages, std::size_t bytes) {
  chunks_ = new (pages) Chunk{chunks_, bytes};
  chunk_bytes_ += bytes;
  return static_cast<char*>(pages);
}

void Arena::count(std::size_t bytes) { memory_bytes_.store(memory_bytes() + bytes, std::memory_order_relaxed); }

}  // namespace firn::memtable
