// Nodes in key order: a skip list whose bottom level is unrolled into leaves of up to 14 nodes. A leaf holds the heads
// of its keys (codec/key_head.h) side by side and a permutation word, which one release store changes when a node is
// inserted; towers above the leaves carry the head beside each link. So a search touches few cache lines and, unless
// heads tie, no key.
// Ideas: skip lists (Pugh 1990); the leaf's permutation and version as in Masstree (Mao, Kohler and Morris, EuroSys
// 2012, 4.6), but readers here never wait for the writer.
//
// Leaves split to the right and never go away, and the first node of a leaf other than the first leaf never changes.
// A search may come out left of its leaf, when a split is under way, and then goes right from leaf to leaf.
//
// Thread safety: one writer, any number of readers, no locks. Lifetime: `arena` outlives the list.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "firn/slice.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/node.h"

namespace firn::memtable {

inline constexpr unsigned kLeafNodes = 14;  // Makes a leaf four cache lines.

struct alignas(64) Leaf {
  std::atomic<std::uint64_t> order;  // See LeafOrder in skip_list.cc.
  std::atomic<Leaf*> next;
  std::atomic<Leaf*> prev;             // The leaf before this one, or one further to the left.
  std::atomic<std::uint32_t> version;  // Odd while the leaf splits; slots are used anew only under another version.
  std::uint32_t used_slots;            // One bit each; the writer's alone.
  std::atomic<std::uint64_t> heads[kLeafNodes];
  std::atomic<const Node*> nodes[kLeafNodes];
};
static_assert(sizeof(Leaf) == 256);

// What a leaf held at one moment, in order, and the leaf that followed it then: no node between the two was missed.
struct LeafCopy {
  const Leaf* leaf = nullptr;
  const Leaf* next = nullptr;
  std::uint32_t count = 0;
  std::array<const Node*, kLeafNodes> nodes;
};

class SkipList {
 public:
  explicit SkipList(Arena& arena);

  // Makes room for `nodes` insertions. False, with no effect, when there is no memory.
  [[nodiscard]] bool reserve(std::size_t nodes);
  // Precondition: reserved; no node has this key; heads are of one head function.
  void insert(const Node* node, std::uint64_t head);

  const Leaf* first_leaf() const { return &first_leaf_; }
  // Never null; may be left of the last leaf.
  const Leaf* last_leaf() const;
  // The leaf where `key` belongs, or one left of it.
  const Leaf* find_leaf(Slice key, std::uint64_t head) const;
  static void copy(const Leaf* leaf, LeafCopy& copy);

 private:
  static constexpr unsigned kHeightMax = 12;

  struct Tower;
  struct Link {  // The head is stored after, and loaded before, the tower, whose head is then never larger.
    std::atomic<std::uint64_t> head;
    std::atomic<Tower*> tower;
  };

  Arena& arena_;
  std::atomic<unsigned> height_{1};  // Levels in use.
  Link top_[kHeightMax];             // Of the first leaf.
  Leaf first_leaf_;
};

}  // namespace firn::memtable
