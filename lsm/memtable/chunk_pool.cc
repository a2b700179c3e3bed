#include "lsm/memtable/chunk_pool.h"

#include "platform/address_space.h"
#include "platform/memory.h"

namespace firn::memtable {

void* ChunkPool::take() {
  MutexLock lock(mutex_);
  void* chunk = nullptr;
  if (!chunks_.empty()) {
    chunk = chunks_.back();
    chunks_.pop_back();
  }
  if (!chunks_.empty() || making_ || executor_ == nullptr) return chunk;
  making_ = true;
  Executor* const executor = executor_;
  lock.unlock();
  executor->submit(TaskPriority::kHigh, [pool = shared_from_this()] { pool->make_one(); });
  return chunk;
}

void ChunkPool::make_ahead_by(Executor* executor) {
  const MutexLock lock(mutex_);
  executor_ = executor;
  making_ = false;
}

void ChunkPool::make_one() {
  auto* const chunk = static_cast<char*>(allocate_pages(kHugePageBytes));
  // Where the system has no huge pages each of the others is touched.
  for (std::size_t at = 0; chunk != nullptr && at < kHugePageBytes; at += page_bytes()) {
    *const_cast<volatile char*>(chunk + at) = 0;
  }
  const MutexLock lock(mutex_);
  making_ = false;
  if (chunk != nullptr) chunks_.push_back(chunk);
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
