#include "sstable/block_cache.h"

#include <algorithm>
#include <new>

#include "platform/assert.h"
#include "platform/sync.h"

namespace firn {

namespace {

constexpr std::uint64_t kShardBytesMin = std::uint64_t{4} << 20;
constexpr std::uint64_t kShardsMax = 64;

}  // namespace

// Shared by a cache and its blocks, so that a referenced block may outlive the cache.
struct CachedBlock::Usage {
  std::atomic<std::uint64_t> charged{0};  // All blocks alive.
  std::atomic<std::uint64_t> leaving{0};  // Those of them that left the cache and wait for guards to end.
};

// The blocks of the slots that hash here, in a ring.
struct BlockCache::Shard {
  Mutex mutex;
  std::vector<CachedBlock*> ring;  // Guarded by mutex, as are `hand` and what the blocks say about their place.
  std::size_t hand = 0;

  void add(CachedBlock* block) {
    block->position_ = static_cast<std::uint32_t>(ring.size());
    ring.push_back(block);
  }
  void remove(CachedBlock* block) {
    ring[block->position_] = ring.back();
    ring[block->position_]->position_ = block->position_;
    ring.pop_back();
    block->slot_ = nullptr;
  }

  // Takes out the next block that was not used since the hand's last pass; null when two rounds find none.
  CachedBlock* evict() {
    for (std::size_t steps = 2 * ring.size(); steps > 0; --steps) {
      if (hand >= ring.size()) hand = 0;
      CachedBlock* const block = ring[hand];
      const auto unmarked = reinterpret_cast<std::uintptr_t>(block);
      std::uintptr_t found = block->slot_->load(std::memory_order_relaxed);
      if ((found & kMark) != 0) {
        block->slot_->fetch_and(~kMark, std::memory_order_relaxed);
      } else if (block->references_.load(std::memory_order_acquire) == 1 && found == unmarked &&
                 block->slot_->compare_exchange_strong(found, 0, std::memory_order_acq_rel)) {
        remove(block);
        return block;
      }
      ++hand;
    }
    return nullptr;
  }
};

void CachedBlock::drop_reference(void* block) noexcept {
  auto* const self = static_cast<CachedBlock*>(block);
  if (self->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  self->usage_->charged.fetch_sub(self->charge(), std::memory_order_relaxed);
  self->~CachedBlock();
  ::operator delete (block, std::align_val_t{alignof(CachedBlock)});
}

BlockCache::BlockCache(std::uint64_t capacity_bytes)
    : capacity_bytes_(capacity_bytes), usage_(std::make_shared<CachedBlock::Usage>()) {
  const std::uint64_t shards = std::clamp<std::uint64_t>(capacity_bytes / kShardBytesMin, 1, kShardsMax);
  for (std::uint64_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>());
}

BlockCache::~BlockCache() {
  for (const auto& shard : shards_) FIRN_ASSERT(shard->ring.empty());  // Its tables are gone.
}

std::uint64_t BlockCache::used_bytes() const { return usage_->charged.load(std::memory_order_relaxed); }

BlockCache::Counts BlockCache::counts() const {
  Counts sum;
  for (const Stripe& stripe : stripes_) {
    sum.hits += stripe.hits.load(std::memory_order_relaxed);
    sum.misses += stripe.misses.load(std::memory_order_relaxed);
  }
  return sum;
}

// By address, so that it can be told of an empty slot too.
std::size_t BlockCache::shard_of(const Slot& slot) const {
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&slot));
  return (address / sizeof(Slot) * 0x9E3779B97F4A7C15ULL >> 32) * shards_.size() >> 32;
}

BlockRef BlockCache::make_block(std::size_t bytes) {
  void* const memory =
      ::operator new (sizeof(CachedBlock) + bytes, std::align_val_t{alignof(CachedBlock)}, std::nothrow);
  if (memory == nullptr) return {};
  auto* const block = new (memory) CachedBlock(bytes, usage_);
  usage_->charged.fetch_add(block->charge(), std::memory_order_relaxed);
  return BlockRef(block);
}

CachedBlock* BlockCache::lend(const EpochGuard&, BlockRef block) {
  CachedBlock* const lent = block.release();
  epoch_retire(
      lent, [](void* retired) { CachedBlock::drop_reference(retired); }, Retire::kTogether);
  return lent;
}

// Whether what is charged, the new block included, fits; blocks that only wait for guards count as gone.
bool BlockCache::make_room(std::size_t first_shard) {
  const auto fits = [&] {
    const std::uint64_t leaving = usage_->leaving.load(std::memory_order_relaxed);
    const std::uint64_t charged = usage_->charged.load(std::memory_order_relaxed);
    return charged <= capacity_bytes_ + leaving;
  };
  for (std::size_t i = 0; i < shards_.size() && !fits(); ++i) {
    Shard& shard = *shards_[(first_shard + i) % shards_.size()];
    while (!fits()) {
      CachedBlock* evicted = nullptr;
      {
        MutexLock lock(shard.mutex);
        evicted = shard.evict();
      }
      if (evicted == nullptr) break;
      evicted->usage_->leaving.fetch_add(evicted->charge(), std::memory_order_relaxed);
      // Not under the lock: retiring may run other deleters, and those may close tables.
      epoch_retire(
          evicted,
          [](void* retired) {
            auto* const block = static_cast<CachedBlock*>(retired);
            block->usage_->leaving.fetch_sub(block->charge(), std::memory_order_relaxed);
            CachedBlock::drop_reference(block);
          },
          Retire::kTogether);
    }
  }
  return fits();
}

CachedBlock* BlockCache::insert(const EpochGuard& guard, Slot& slot, BlockRef block) {
  const std::size_t shard_index = shard_of(slot);
  if (!make_room(shard_index)) return lend(guard, std::move(block));
  Shard& shard = *shards_[shard_index];
  {
    MutexLock lock(shard.mutex);
    const std::uintptr_t present = slot.load(std::memory_order_acquire);
    if (present != 0) return block_of(present);  // `block` was never shared: it is freed on return.
    CachedBlock* const added = block.get();
    added->slot_ = &slot;
    shard.add(added);
    // Unmarked: a block used once goes before one used twice.
    slot.store(reinterpret_cast<std::uintptr_t>(block.release()), std::memory_order_release);
    return added;
  }
}

void BlockCache::remove(std::span<Slot> slots) {
  for (Slot& slot : slots) {
    // Acquires: who emptied it is done with it before the caller frees it.
    if (slot.load(std::memory_order_acquire) == 0) continue;
    Shard& shard = *shards_[shard_of(slot)];
    CachedBlock* removed = nullptr;
    {
      MutexLock lock(shard.mutex);
      removed = block_of(slot.load(std::memory_order_relaxed));
      if (removed != nullptr) shard.remove(removed);
      slot.store(0, std::memory_order_relaxed);
    }
    if (removed != nullptr) CachedBlock::drop_reference(removed);
  }
}

}  // namespace firn
