// From a user key to its node: open addressing in one array of {16-bit tag, 48-bit pointer}, at most five eighths full,
// or three quarters where its owner would rather have it tight than grow.
//
// The newest entry has no slot yet: it gets one when the next one comes. By then the slot's line, asked for when the
// entry's own write began, has come from memory; a writer that put it there at once would wait for it.
//
// The array grows without a pause: a larger array becomes the current one, each insertion moves a few slots of the old
// array over, and until that is done a search that fails in the current array goes on in the old one, which no longer
// changes. Old arrays stay in the arena, so a reader never looks at freed memory.
//
// Thread safety: one writer, any number of readers, no locks. Lifetime: `arena` outlives the index.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "firn/slice.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/node.h"

namespace firn::memtable {

class HashIndex {
 public:
  explicit HashIndex(Arena& arena) : arena_(arena) {}

  bool has_room(std::size_t keys) const { return keys_ + keys <= keys_max_; }
  // Whether `keys` more still fit, if tightly.
  bool has_tight_room(std::size_t keys) const {
    return keys_ + keys <= tight_keys_in(slot_count(current_.load(std::memory_order_relaxed)));
  }
  // What the next array takes at least.
  std::size_t growth_bytes() const { return 2 * sizeof(Slot) * slot_count(current_.load(std::memory_order_relaxed)); }
  // Makes room for `keys` more, by a new array for about `keys_expected` in all. False, with no effect, when there is
  // no memory. Ends what was reserved of the arena.
  [[nodiscard]] bool grow(std::size_t keys, std::size_t keys_expected);
  // Precondition: has_tight_room(1), and the key is not there.
  void insert(Node* node, std::uint64_t hash);

  // Null when the key is not there.
  Node* find(Slice key, std::uint64_t hash) const {
    // In this order: what is no longer the newest entry is in an array; an array that is current when no other is seen
    // to be moving into it is complete.
    const std::uint64_t newest = newest_.load(std::memory_order_acquire);
    if (is_of(newest, key, hash)) return node_of(newest);
    const Array current = current_.load(std::memory_order_acquire);
    const Array previous = previous_.load(std::memory_order_acquire);
    if (current == 0) return nullptr;
    Node* const node = find_in(current, key, hash);
    if (node != nullptr || previous == 0) [[likely]]
      return node;
    return find_in(previous, key, hash);
  }
  void prefetch(std::uint64_t hash) const {
    const Array array = current_.load(std::memory_order_acquire);
    if (array != 0) __builtin_prefetch(slots_of(array) + (hash & mask_of(array)));
  }

 private:
  // The top 16 bits of the key's hash, and the address of its node; 0 when free.
  using Slot = std::atomic<std::uint64_t>;
  // An array: its address, aligned to 64, and in the low bits the binary logarithm of its slots. 0 is no array.
  using Array = std::uint64_t;

  static constexpr unsigned kTagShift = 48;
  static constexpr std::uint64_t kPointerMask = (std::uint64_t{1} << kTagShift) - 1;
  static constexpr std::uint64_t kArrayMask = ~std::uint64_t{63};

  static Slot* slots_of(Array array) { return reinterpret_cast<Slot*>(array & kArrayMask); }
  static std::size_t mask_of(Array array) { return (std::size_t{1} << (array & ~kArrayMask)) - 1; }
  static std::size_t slot_count(Array array) { return array == 0 ? 0 : mask_of(array) + 1; }
  static std::size_t tight_keys_in(std::size_t slots) { return slots / 4 * 3; }
  static Node* node_of(std::uint64_t entry) { return reinterpret_cast<Node*>(entry & kPointerMask); }
  static bool is_of(std::uint64_t entry, Slice key, std::uint64_t hash) {
    return (entry ^ hash) >> kTagShift == 0 && entry != 0 && node_of(entry)->has_key(key);
  }

  // Precondition: array != 0.
  static Node* find_in(Array array, Slice key, std::uint64_t hash) {
    const Slot* const slots = slots_of(array);
    const std::size_t mask = mask_of(array);
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      const std::uint64_t entry = slots[i].load(std::memory_order_acquire);
      if (entry == 0) return nullptr;
      if (is_of(entry, key, hash)) return node_of(entry);
    }
  }
  static void place(Array array, std::uint64_t entry);
  void migrate(std::size_t slots);

  Arena& arena_;
  std::atomic<std::uint64_t> newest_{0};  // What insert() took last; 0 before.
  std::atomic<Array> current_{0};
  std::atomic<Array> previous_{0};  // While its entries are moving to current_; set before current_ is.
  std::size_t migrated_slots_ = 0;  // Of previous_.
  std::size_t keys_ = 0;            // With the newest.
  std::size_t keys_max_ = 0;        // That current_ may hold.
};

}  // namespace firn::memtable
