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
#include <utility>

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
  std::uint16_t used_slots;            // The writer's alone, as the next: one bit a slot,
  bool append_run;                     // and whether the last insertion was behind all others, and the leaf not split.
  std::atomic<std::uint64_t> heads[kLeafNodes];
  std::atomic<const Node*> nodes[kLeafNodes];
};
static_assert(sizeof(Leaf) == 256);

// What a leaf held at one moment, in key order, and the leaf that followed it then: together they miss no node.
struct LeafCopy {
  const Leaf* leaf = nullptr;
  const Leaf* next = nullptr;
  std::uint32_t count = 0;
  std::array<std::uint64_t, kLeafNodes> heads;
  std::array<const Node*, kLeafNodes> nodes;

  // The rank of the first node at or after `key`; count when there is none.
  std::uint32_t lower_bound(Slice key, std::uint64_t head) const;
};

class SkipList {
 public:
  explicit SkipList(Arena& arena);
  SkipList(const SkipList&) = delete;
  SkipList& operator=(const SkipList&) = delete;

  // Makes room for `nodes` insertions. False, with no effect, when there is no memory.
  [[nodiscard]] bool reserve(std::size_t nodes);
  // Precondition: reserved; no node has this key yet. `head` is any function of the key, always the same one, of which
  // head(a) < head(b) implies a < b.
  void insert(const Node* node, std::uint64_t head);

  const Leaf* first_leaf() const { return &first_leaf_; }
  // The last leaf, or one left of it.
  const Leaf* last_leaf() const { return last_leaf_.load(std::memory_order_acquire); }
  // The leaf where `key` belongs, or one left of it.
  const Leaf* find_leaf(Slice key, std::uint64_t head) const;
  static void copy(const Leaf* leaf, LeafCopy& copy);

  // How many nodes came behind all others.
  std::uint64_t appended() const { return appended_.load(std::memory_order_relaxed); }
  // The first and the last of a random sample of at least `size` nodes; nulls when there are too few.
  std::pair<const Node*, const Node*> sample(std::size_t size) const;

 private:
  static constexpr unsigned kHeightMax = 12;

  struct Tower;
  struct Link {  // The head is stored after, and loaded before, the tower: the tower's own head is never larger.
    std::atomic<std::uint64_t> head;
    std::atomic<Tower*> tower;
  };
  struct Tower {
    Leaf* leaf;
    const Node* low;  // The leaf's first node.

    Link& link(unsigned level) { return reinterpret_cast<Link*>(this + 1)[level]; }
    const Link& link(unsigned level) const { return reinterpret_cast<const Link*>(this + 1)[level]; }
  };
  struct FullTower {
    Tower tower;
    Link links[kHeightMax];
  };

  template <class AnyTower>
  static AnyTower* descend(AnyTower* from, unsigned height, Slice key, std::uint64_t head, AnyTower* path[]);
  void split(Leaf& leaf, unsigned rank, const Node* node, std::uint64_t head, Tower* path[]);
  void raise_tower(Leaf& leaf, Tower* path[]);

  Arena& arena_;
  std::atomic<unsigned> height_{1};  // Levels in use.
  std::atomic<std::uint64_t> appended_{0};
  std::atomic<Leaf*> last_leaf_;

  // The writer's alone. By level, the tower whose link leads nowhere: where towers of appended leaves are linked.
  std::array<Tower*, kHeightMax> tail_;
  std::size_t leaf_count_ = 1;
  const Node* last_node_ = nullptr;
  std::uint64_t last_head_ = 0;

  FullTower top_;  // Of the first leaf.
  Leaf first_leaf_;
};

}  // namespace firn::memtable
