// Memory that only grows and is given back at once, for what readers may look at until the memtable dies. Chunks start
// small, so that thousands of nearly empty memtables stay cheap, and double up to 2 MiB huge pages.
//
// Two chunks are open at a time, so that a large request neither wastes the rest of the chunk in use nor breaks the
// promise of reserve(): as long as one of the two has room for all that was promised, each request fits one of them,
// and whichever it is taken from, one of the two still has room for the rest. Room that is never used costs addresses
// and no memory, so promises may be generous.
//
// Thread safety: one writer; memory_bytes() from any thread. Lifetime: all memory lives as long as the arena.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "lsm/memtable/chunk_pool.h"

namespace firn::memtable {

class Arena {
 public:
  // The first chunk has `first_chunk_bytes`, later ones up to `chunk_bytes_max`: both powers of two, pages at least.
  // Chunks of a huge page come from `pool` while it has some, and go back there; null: none does.
  Arena(std::size_t first_chunk_bytes, std::size_t chunk_bytes_max, std::shared_ptr<ChunkPool> pool = nullptr);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Makes sure that requests of `bytes` together, alignment included, succeed. False, with no effect, when there is no
  // memory.
  [[nodiscard]] bool reserve(std::size_t bytes) {
    return open_[0].bytes() >= bytes || open_[1].bytes() >= bytes || open_chunk(bytes);
  }
  // Precondition: reserved. `alignment`: a power of two up to 64. Counts bytes + alignment - 1 of what was reserved.
  void* allocate(std::size_t bytes, std::size_t alignment);
  // Zeros of their own, aligned to 64; null when there is no memory. Counts nothing of what was reserved.
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes);

  // What has been used so far, in whole pages (of 2 MiB in large chunks): what the machine has given.
  std::uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Chunk;
  struct Open {  // The unused rest of a chunk.
    char* at = nullptr;
    char* end = nullptr;
    char* counted = nullptr;  // What lies before is in memory_bytes().
    std::size_t bytes() const { return static_cast<std::size_t>(end - at); }
  };

  bool open_chunk(std::size_t bytes);
  char* add_chunk(void* pages, std::size_t bytes);
  void count(std::size_t bytes);

  const std::size_t first_chunk_bytes_;
  const std::size_t chunk_bytes_max_;
  const std::shared_ptr<ChunkPool> pool_;
  Open open_[2];
  Chunk* chunks_ = nullptr;      // All of them, newest first.
  std::size_t chunk_bytes_ = 0;  // Of all of them.
  std::atomic<std::uint64_t> memory_bytes_{0};
};

}  // namespace firn::memtable
