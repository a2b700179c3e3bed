#include "lsm/memtable/hash_index.h"

#include <algorithm>
#include <bit>

#include "platform/assert.h"

namespace firn::memtable {

namespace {

constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kGrowthMax = 32;           // Of one step: an estimate may be wrong.
constexpr std::size_t kMigratedPerInsert = 8;    // An old array has moved long before the new one is full.
constexpr std::size_t kMigrationLookahead = 16;  // Slots whose nodes are being loaded.

// How many keys an array may hold: a search then ends within a line or two, and 64 bits a slot are well used.
std::size_t keys_in(std::size_t slots) { return slots / 8 * 5; }
std::size_t slots_for(std::size_t keys) { return std::bit_ceil(keys / 5 * 8 + 8); }
std::size_t tight_slots_for(std::size_t keys) { return std::bit_ceil(keys / 3 * 4 + 4); }

}  // namespace

bool HashIndex::grow(std::size_t keys, std::size_t keys_expected) {
  const Array old = current_.load(std::memory_order_relaxed);
  const std::size_t slots = std::max(
      {kSlotsMin, slots_for(keys_ + keys), std::min(tight_slots_for(keys_expected), kGrowthMax * slot_count(old))});
  FIRN_ASSERT(slots > slot_count(old));
  void* const area = arena_.allocate_zeroed(slots * sizeof(Slot));  // Zeros are empty slots.
  if (area == nullptr) return false;
  migrate(slot_count(previous_.load(std::memory_order_relaxed)));
  migrated_slots_ = 0;
  keys_max_ = keys_in(slots);
  previous_.store(old, std::memory_order_release);
  const auto address = reinterpret_cast<std::uint64_t>(area);
  FIRN_ASSERT((address & ~kArrayMask) == 0);
  current_.store(address | static_cast<unsigned>(std::countr_zero(slots)), std::memory_order_release);
  return true;
}

void HashIndex::insert(Node* node, std::uint64_t hash) {
  const auto address = reinterpret_cast<std::uint64_t>(node);
  FIRN_ASSERT((address & ~kPointerMask) == 0);
  migrate(kMigratedPerInsert);
  const std::uint64_t before = newest_.load(std::memory_order_relaxed);
  if (before != 0) place(current_.load(std::memory_order_relaxed), before);
  newest_.store(address | (hash & ~kPointerMask), std::memory_order_release);
  ++keys_;
}

void HashIndex::place(Array array, std::uint64_t entry) {
  Slot* const slots = slots_of(array);
  const std::size_t mask = mask_of(array);
  std::size_t i = node_of(entry)->hash_low & mask;
  while (slots[i].load(std::memory_order_relaxed) != 0) i = (i + 1) & mask;
  slots[i].store(entry, std::memory_order_release);
}

// Moves the next `slots` slots of the old array, if there is one.
void HashIndex::migrate(std::size_t slots) {
  const Array previous = previous_.load(std::memory_order_relaxed);
  if (previous == 0) return;
  const Array current = current_.load(std::memory_order_relaxed);
  const std::size_t count = slot_count(previous);
  const std::size_t end = std::min(migrated_slots_ + slots, count);
  for (; migrated_slots_ < end; ++migrated_slots_) {
    const std::size_t ahead = (migrated_slots_ + kMigrationLookahead) & (count - 1);
    __builtin_prefetch(node_of(slots_of(previous)[ahead].load(std::memory_order_relaxed)));
    const std::uint64_t entry = slots_of(previous)[migrated_slots_].load(std::memory_order_relaxed);
    if (entry != 0) place(current, entry);
  }
  if (end == count) previous_.store(0, std::memory_order_release);
}

}  // namespace firn::memtable
