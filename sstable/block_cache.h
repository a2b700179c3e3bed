// Blocks read from tables that are not mapped: decompressed, verified, shared by all tables of a database.
//
// A hit takes no lock and writes nothing that threads share: each open table owns an array of slots, block index ->
// block, read inside an EpochGuard. Replacement is CLOCK (Corbato, 1968): a hit marks the slot if it is not marked yet,
// the hand clears marks and takes what it finds unmarked and unreferenced. A block that leaves the cache is freed when
// no guard can still see it and its last reference is gone.
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

namespace firn {

class BlockCache;

// One block in memory. Its bytes never change once others can see it.
class alignas(64) CachedBlock {
 public:
  CachedBlock(const CachedBlock&) = delete;
  CachedBlock& operator=(const CachedBlock&) = delete;

  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }  // To be filled by its maker, before it is shared.
  std::size_t size() const { return size_; }

  // Precondition: the caller is inside the EpochGuard in which it found the block, or holds a reference.
  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
  // Gives one reference back; `block` is a CachedBlock*. (The shape of PinnedValue::Release.)
  static void drop_reference(void* block) noexcept;

 private:
  friend class BlockCache;
  struct Usage;

  CachedBlock(std::size_t size, std::shared_ptr<Usage> usage) : size_(size), usage_(std::move(usage)) {}
  ~CachedBlock() = default;
  std::uint64_t charge() const { return sizeof(CachedBlock) + size_; }

  const std::size_t size_;
  std::shared_ptr<Usage> usage_;                 // Charged with this block until it is freed.
  std::atomic<std::uint32_t> references_{1};     // The maker's, later the cache's, and one for each user.
  std::uint32_t position_ = 0;                   // In its shard's ring; under the shard's mutex.
  std::atomic<std::uintptr_t>* slot_ = nullptr;  // Likewise.
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
  ~BlockRef() { reset(); }

  void reset() {
    if (block_ != nullptr) CachedBlock::drop_reference(std::exchange(block_, nullptr));
  }
  CachedBlock* get() const { return block_; }
  CachedBlock* operator->() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }
  // The caller takes over the reference and gives it back through CachedBlock::drop_reference.
  [[nodiscard]] CachedBlock* release() { return std::exchange(block_, nullptr); }

 private:
  CachedBlock* block_ = nullptr;
};

class BlockCache {
 public:
  // Where a table keeps a block of its own that is in the cache: the CachedBlock's address, its lowest bit set when it
  // was used since the hand last passed; 0 when it is not in the cache.
  using Slot = std::atomic<std::uintptr_t>;

  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };

  explicit BlockCache(std::uint64_t capacity_bytes);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  std::uint64_t capacity_bytes() const { return capacity_bytes_; }
  // Bytes of all blocks alive, their bookkeeping included: cached, referenced, and readers' own. Beyond the capacity
  // only by what readers hold and by what waits for guards to end.
  std::uint64_t used_bytes() const;
  Counts counts() const;

  // The block in `slot`, or null. Valid until `guard` ends; to keep it longer, add_reference() first.
  CachedBlock* lookup(const EpochGuard&, Slot& slot) {
    const std::uintptr_t found = slot.load(std::memory_order_acquire);
    Stripe& counts = stripe();
    if (found == 0) {
      counts.misses.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
    counts.hits.fetch_add(1, std::memory_order_relaxed);
    if ((found & kMark) == 0) mark(slot, found);
    return block_of(found);
  }
  // The same, neither counted nor marked: to prefetch.
  static const CachedBlock* peek(const EpochGuard&, const Slot& slot) {
    return block_of(slot.load(std::memory_order_acquire));
  }

  // A block of `bytes` unspecified bytes that nobody else sees; none when there is no memory.
  BlockRef make_block(std::size_t bytes);
  // Shares `block` through `slot` if it fits. The block to use from here on, valid until `guard` ends: `block`, or the
  // one that another reader put there first.
  CachedBlock* insert(const EpochGuard& guard, Slot& slot, BlockRef block);
  // Lets `block` live until `guard` ends without caching it.
  static CachedBlock* lend(const EpochGuard& guard, BlockRef block);
  // Takes a table's blocks out. Precondition: no reader uses these slots any more.
  void remove(std::span<Slot> slots);

 private:
  struct Shard;
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
  };
  static constexpr std::size_t kStripes = 32;
  static constexpr std::uintptr_t kMark = 1;

  static CachedBlock* block_of(std::uintptr_t slot) { return reinterpret_cast<CachedBlock*>(slot & ~kMark); }
  static void mark(Slot& slot, std::uintptr_t found) {
    // Fails when the block has left meanwhile: then there is nothing to mark.
    slot.compare_exchange_strong(found, found | kMark, std::memory_order_relaxed);
  }
  // This thread's counters. Threads take stripes in the order of their first use.
  Stripe& stripe() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
    return stripes_[mine];
  }
  std::size_t shard_of(const Slot& slot) const;
  bool make_room(std::size_t first_shard);

  const std::uint64_t capacity_bytes_;
  std::shared_ptr<CachedBlock::Usage> usage_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace firn
