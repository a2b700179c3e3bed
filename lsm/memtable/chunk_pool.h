// Chunks of one huge page on their way from a memtable that was flushed to the one that fills. While writes go on, the
// same memory goes round: no page is mapped, cleared and unmapped again for each memtable, and the writer does not wait
// for the process's page tables while the background changes them. Where there is nothing to hand on, a background
// thread makes the next chunk while the last one fills: the system takes 0.1 to 2 ms to find and clear 2 MiB.
//
// Thread safety: any thread. Lifetime: arenas share it, so that readers may outlive the database.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "firn/platform.h"
#include "platform/sync.h"

namespace firn::memtable {

class ChunkPool : public std::enable_shared_from_this<ChunkPool> {
 public:
  ChunkPool() = default;
  ~ChunkPool() { keep(0); }
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // kHugePageBytes of any content, aligned to that; null when there are none.
  void* take();
  // From now on whoever takes the last chunk, or finds none, has one made by `executor`; null: by nobody. When an
  // executor goes, this is called first, with no take() under way.
  void make_ahead_by(Executor* executor);
  // Of allocate_pages(kHugePageBytes), or take(). Given back to the system when there are enough.
  void give(void* chunk);
  // From now on holds at most `bytes_max`.
  void keep(std::uint64_t bytes_max);
  std::uint64_t bytes() const;

 private:
  void make_one();

  mutable Mutex mutex_;
  Executor* executor_ FIRN_GUARDED_BY(mutex_) = nullptr;
  bool making_ FIRN_GUARDED_BY(mutex_) = false;
  std::vector<void*> chunks_ FIRN_GUARDED_BY(mutex_);
  std::uint64_t bytes_max_ FIRN_GUARDED_BY(mutex_) = 0;
};

}  // namespace firn::memtable
