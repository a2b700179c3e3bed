// Chunks of one huge page on their way from a memtable that was flushed to the one that fills. While writes go on, the
// same memory goes round: no page is mapped, cleared and unmapped again for each memtable, and the writer does not wait
// for the process's page tables while the background changes them.
//
// Thread safety: any thread. Lifetime: arenas share it, so that readers may outlive the database.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/sync.h"

namespace firn::memtable {

class ChunkPool {
 public:
  ChunkPool() = default;
  ~ChunkPool() { keep(0); }
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // kHugePageBytes of any content, aligned to that; null when there are none.
  void* take();
  // Of allocate_pages(kHugePageBytes), or take(). Given back to the system when there are enough.
  void give(void* chunk);
  // From now on holds at most `bytes_max`.
  void keep(std::uint64_t bytes_max);
  std::uint64_t bytes() const;

 private:
  mutable Mutex mutex_;
  std::vector<void*> chunks_ FIRN_GUARDED_BY(mutex_);
  std::uint64_t bytes_max_ FIRN_GUARDED_BY(mutex_) = 0;
};

}  // namespace firn::memtable
