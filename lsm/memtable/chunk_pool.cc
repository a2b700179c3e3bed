#include "lsm/memtable/chunk_pool.h"

#include "platform/memory.h"

namespace firn::memtable {

void* ChunkPool::take() {
  const MutexLock lock(mutex_);
  if (chunks_.empty()) return nullptr;
  void* const chunk = chunks_.back();
  chunks_.pop_back();
  return chunk;
}

void ChunkPool::give(void* chunk) {
  {
    const MutexLock lock(mutex_);
    if ((chunks_.size() + 1) * kHugePageBytes <= bytes_max_) {
      chunks_.push_back(chunk);
      return;
    }
  }
  free_pages(chunk, kHugePageBytes);
}

void ChunkPool::keep(std::uint64_t bytes_max) {
  std::vector<void*> surplus;
  {
    const MutexLock lock(mutex_);
    bytes_max_ = bytes_max;
    while (chunks_.size() * kHugePageBytes > bytes_max) {
      surplus.push_back(chunks_.back());
      chunks_.pop_back();
    }
  }
  for (void* const chunk : surplus) free_pages(chunk, kHugePageBytes);
}

std::uint64_t ChunkPool::bytes() const {
  const MutexLock lock(mutex_);
  return chunks_.size() * kHugePageBytes;
}

}  // namespace firn::memtable
