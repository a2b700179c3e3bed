// From a user key to its node: open addressing in one array of {16-bit tag, 48-bit pointer}, at most half full.
//
// It grows without a pause: a larger array becomes the current one, each insertion moves a few slots of the old array
// over, and until that is done a search that fails in the current array goes on in the old one, which no longer
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

  // Makes room for `keys` more; where that takes a new array, one for about `keys_expected` in all. False, with no
  // effect, when there is no memory.
  [[nodiscard]] bool reserve(std::size_t keys, std::size_t keys_expected);
  // Precondition: reserved, and the key is not there.
  void insert(Node* node, std::uint64_t hash);

  // Null when the key is not there.
  Node* find(Slice key, std::uint64_t hash) const;
  void prefetch(std::uint64_t hash) const;

 private:
  using Slot = std::atomic<std::uint64_t>;
  // An array: its address, aligned to 64, and in the low bits the binary logarithm of its slots. 0 is no array.
  using Array = std::uint64_t;

  static Node* find_in(Array array, Slice key, std::uint64_t hash);
  static void place(Array array, std::uint64_t entry, std::uint64_t hash);
  void migrate(std::size_t slots);

  Arena& arena_;
  std::atomic<Array> current_{0};
  std::atomic<Array> previous_{0};  // While its entries are moving to current_; set before current_ is.
  std::size_t migrated_slots_ = 0;  // Of previous_.
  std::size_t keys_ = 0;
};

}  // namespace firn::memtable
