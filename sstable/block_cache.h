// Blocks read from tables that are not mapped: decompressed, verified, shared by all tables of a database.
//
// A hit takes no lock and touches no shared counter: each open table owns an array of slots, block index -> block, read
// inside an EpochGuard. Replacement is CLOCK (Corbato, 1968): a hit sets a mark, the hand clears marks and takes what
// it finds unmarked and unreferenced. A block that leaves the cache is freed when no guard can still see it and its last
// reference is gone.
//
// Capacity is strict: a block enters only when it fits beside every block that is alive, referenced ones included;
// otherwise the reader gets a block of its own that dies with its last user.
//
// Thread safety: BlockCache and CachedBlock are thread safe; a BlockRef belongs to one thread at a time.
// Lifetime: a cache outlives the tables that use it; a referenced block may outlive both.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "firn/slice.h"
#include "platform/epoch.h"
#include "platform/sync.h"

namespace firn {

class BlockCache;
class CachedBlock;

// Where a table keeps a block of its own that is in the cache; null when it is not.
using BlockSlot = std::atomic<CachedBlock*>;

// One block in memory. Its bytes never change once it can be seen by others.
class CachedBlock {
 public:
  CachedBlock(const CachedBlock&) = delete;
  CachedBlock& operator=(const CachedBlock&) = delete;

  Slice bytes() const { return {data_, size_}; }
  std::span<char> writable() { return {data_, size_}; }  // Only for its maker, before it is shared.

  // Precondition: the caller is inside the EpochGuard in which it found the block, or holds a reference.
  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
  // Gives one reference back; `block` is a CachedBlock*. (The shape of PinnedValue::Release.)
  static void drop_reference(void* block) noexcept;

 private:
  friend class BlockCache;
  struct Usage;

  CachedBlock(std::shared_ptr<Usage> usage, std::size_t size);
  ~CachedBlock();

  char* data_;
  std::size_t size_;
  std::atomic<std::uint32_t> references_{1};  // The maker's, then the cache's, plus one for each user.
  std::atomic<bool> marked_{false};           // Used since the hand last passed.
  BlockSlot* slot_ = nullptr;                 // Null unless in the cache. Guarded by the shard's mutex.
  std::uint32_t shard_ = 0;
  std::uint32_t position_ = 0;                // In the shard's ring.
  std::shared_ptr<Usage> usage_;              // Charged with this block until it is freed.
};

// A reference to a block, or none.
class BlockRef {
 public:
  BlockRef() = default;
  // Takes over a reference that was added already.
  explicit BlockRef(CachedBlock* block) : block_(block) {}
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) CachedBlock::drop_reference(block_);
  }

  CachedBlock* get() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }
  // The caller takes over the reference and gives it back through CachedBlock::drop_reference.
  [[nodiscard]] CachedBlock* release() { return std::exchange(block_, nullptr); }

 private:
  CachedBlock* block_ = nullptr;
};

class BlockCache {
 public:
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };

  explicit BlockCache(std::uint64_t capacity_bytes);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  std::uint64_t capacity_bytes() const { return capacity_bytes_; }
  // Bytes of all blocks alive, their bookkeeping included: cached, referenced, and readers' own. Above the capacity only
  // when references alone exceed it (or for a moment, while blocks that left wait for guards to end).
  std::uint64_t used_bytes() const;
  Counts counts() const;

  // The block in `slot`, or null. Valid until `guard` ends; to keep it longer, add_reference() first.
  CachedBlock* lookup(const EpochGuard& guard, const BlockSlot& slot);

  // An unshared block of `bytes` unspecified bytes, to be filled and handed to insert().
  BlockRef make_block(std::size_t bytes);
  // Shares `block` through `slot`. The block to use from here on, valid until `guard` ends: `block`, or the one that
  // another reader put there first. It is in the cache only if it fits.
  CachedBlock* insert(const EpochGuard& guard, BlockSlot& slot, BlockRef block);
  // Empties the slots of a table that goes away. Nobody may use them any more.
  void remove(std::span<BlockSlot> slots);

 private:
  struct Shard;
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
  };
  static constexpr std::size_t kStripes = 32;

  Stripe& stripe();
  bool make_room(std::size_t first_shard, std::uint64_t bytes);
  static void retire(CachedBlock* block);

  const std::uint64_t capacity_bytes_;
  std::shared_ptr<CachedBlock::Usage> usage_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace firn
