#include "lsm/memtable/skip_list.h"

#include <algorithm>
#include <bit>
#include <new>

namespace firn::memtable {

namespace {

constexpr std::uint64_t kHeadEnd = ~std::uint64_t{0};  // Beside a link to no tower.
constexpr unsigned kKept = kLeafNodes / 2;             // What a leaf keeps in a split.

// The order of a leaf's nodes in one word: the count in the low four bits, then the slots of the nodes, four bits each,
// in key order, then the free slots.
class LeafOrder {
 public:
  explicit LeafOrder(std::uint64_t word) : word_(word) {}
  // Of the nodes in slots 0, 1, ..., count - 1.
  static LeafOrder straight(unsigned count) { return LeafOrder(std::uint64_t{0xDCBA98765432100} | count); }

  std::uint64_t word() const { return word_; }
  unsigned count() const { return static_cast<unsigned>(word_ & 15); }
  unsigned slot(unsigned rank) const { return static_cast<unsigned>(word_ >> (4 * rank + 4) & 15); }
  unsigned free_slot() const { return slot(count()); }
  // With the free slot's node at `rank`.
  LeafOrder with_inserted(unsigned rank) const {
    const std::uint64_t before = below(rank);
    const std::uint64_t moved = below(count()) & ~before;
    return LeafOrder(((word_ & before) | std::uint64_t{free_slot()} << (4 * rank + 4) | (word_ & moved) << 4 |
                      (word_ & ~below(count() + 1))) +
                     1);
  }
  LeafOrder with_count(unsigned count) const { return LeafOrder((word_ & ~std::uint64_t{15}) | count); }

 private:
  static std::uint64_t below(unsigned rank) { return (std::uint64_t{1} << (4 * rank + 4)) - 1; }

  std::uint64_t word_;
};

void initialize(Leaf& leaf) {
  leaf.order.store(LeafOrder::straight(0).word(), std::memory_order_relaxed);
  leaf.next.store(nullptr, std::memory_order_relaxed);
  leaf.prev.store(nullptr, std::memory_order_relaxed);
  leaf.version.store(0, std::memory_order_relaxed);
  leaf.used_slots = 0;
  leaf.append_run = false;
}

// A number that looks random, of a count (splitmix64).
std::uint64_t scramble(std::uint64_t count) {
  count *= 0x9E3779B97F4A7C15;
  count = (count ^ count >> 30) * 0xBF58476D1CE4E5B9;
  count = (count ^ count >> 27) * 0x94D049BB133111EB;
  return count ^ count >> 31;
}

// The writer's view of a leaf.
LeafOrder order_of(const Leaf& leaf) { return LeafOrder(leaf.order.load(std::memory_order_relaxed)); }
const Node* node_at(const Leaf& leaf, unsigned slot) { return leaf.nodes[slot].load(std::memory_order_relaxed); }

// How many of the leaf's nodes are smaller.
unsigned rank_in(const Leaf& leaf, Slice key, std::uint64_t head) {
  unsigned below = 0;
  unsigned equal = 0;
  for (unsigned slot = 0; slot < kLeafNodes; ++slot) {
    const std::uint64_t other = leaf.heads[slot].load(std::memory_order_relaxed);
    below |= static_cast<unsigned>(other < head) << slot;
    equal |= static_cast<unsigned>(other == head) << slot;
  }
  auto rank = static_cast<unsigned>(std::popcount(below & leaf.used_slots));
  unsigned ties = static_cast<unsigned>(std::popcount(equal & leaf.used_slots));
  const LeafOrder order = order_of(leaf);
  while (ties > 0) {
    const unsigned half = ties / 2;
    if (node_at(leaf, order.slot(rank + half))->key() < key) {
      rank += half + 1;
      ties -= half + 1;
    } else {
      ties = half;
    }
  }
  return rank;
}

// Each store releases: a reader that takes a node from a slot used anew must see that the leaf has split since.
void put_in(Leaf& leaf, unsigned rank, const Node* node, std::uint64_t head) {
  const LeafOrder order = order_of(leaf);
  const unsigned slot = order.free_slot();
  leaf.heads[slot].store(head, std::memory_order_release);
  leaf.nodes[slot].store(node, std::memory_order_release);
  leaf.used_slots = static_cast<std::uint16_t>(leaf.used_slots | 1U << slot);
  leaf.append_run = rank == order.count();
  leaf.order.store(order.with_inserted(rank).word(), std::memory_order_release);
}

// The right half of a full leaf to an empty one. Readers still see it in the old one, whose slots stay as they are.
void move_half(Leaf& from, Leaf& to) {
  const LeafOrder order = order_of(from);
  for (unsigned rank = kKept; rank < kLeafNodes; ++rank) {
    const unsigned slot = order.slot(rank);
    to.heads[rank - kKept].store(from.heads[slot].load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.nodes[rank - kKept].store(node_at(from, slot), std::memory_order_relaxed);
    from.used_slots = static_cast<std::uint16_t>(from.used_slots & ~(1U << slot));
  }
  from.append_run = false;
  to.used_slots = (1U << (kLeafNodes - kKept)) - 1;
  to.order.store(LeafOrder::straight(kLeafNodes - kKept).word(), std::memory_order_relaxed);
}

}  // namespace

std::uint32_t LeafCopy::lower_bound(Slice key, std::uint64_t head) const {
  std::uint32_t rank = 0;
  std::uint32_t ties = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    rank += heads[i] < head;
    ties += heads[i] == head;
  }
  while (ties > 0) {
    const std::uint32_t half = ties / 2;
    if (nodes[rank + half]->key() < key) {
      rank += half + 1;
      ties -= half + 1;
    } else {
      ties = half;
    }
  }
  return rank;
}

SkipList::SkipList(Arena& arena) : arena_(arena), last_leaf_(&first_leaf_) {
  initialize(first_leaf_);
  top_.tower = {&first_leaf_, nullptr};
  for (Link& link : top_.links) {
    link.head.store(kHeadEnd, std::memory_order_relaxed);
    link.tower.store(nullptr, std::memory_order_relaxed);
  }
  tail_.fill(&top_.tower);
}

bool SkipList::reserve(std::size_t nodes) {
  // A leaf splits when it is full, and twice at most (once by appending, once in the middle) before it must fill its
  // emptied half again.
  constexpr std::size_t kSplitBytes = sizeof(Leaf) + alignof(Leaf) + sizeof(FullTower) + alignof(FullTower);
  const std::size_t splits = std::min(nodes, 2 * leaf_count_ + nodes / 3 + 2);
  return arena_.reserve(splits * kSplitBytes);
}

void SkipList::insert(const Node* node, std::uint64_t head) {
  const Slice key = node->key();
  const bool append = last_node_ == nullptr || head > last_head_ || (head == last_head_ && key > last_node_->key());
  if (append) {
    last_node_ = node;
    last_head_ = head;
    appended_.store(appended() + 1, std::memory_order_relaxed);
    Leaf& leaf = *last_leaf_.load(std::memory_order_relaxed);
    const unsigned count = order_of(leaf).count();
    if (count < kLeafNodes) return put_in(leaf, count, node, head);
    return split(leaf, count, node, head, tail_.data());
  }
  Tower* path[kHeightMax];
  Leaf& leaf = *descend(&top_.tower, height_.load(std::memory_order_relaxed), key, head, path)->leaf;
  const unsigned rank = rank_in(leaf, key, head);
  if (order_of(leaf).count() < kLeafNodes) return put_in(leaf, rank, node, head);
  split(leaf, rank, node, head, path);
}

const Leaf* SkipList::find_leaf(Slice key, std::uint64_t head) const {
  return descend<const Tower>(&top_.tower, height_.load(std::memory_order_relaxed), key, head, nullptr)->leaf;
}

// The last tower whose leaf begins at or before `key`. `path`, unless null, gets the last such tower of each level.
template <class AnyTower>
AnyTower* SkipList::descend(AnyTower* tower, unsigned height, Slice key, std::uint64_t head, AnyTower* path[]) {
  const Tower* beyond = nullptr;  // Known to be.
  for (unsigned level = height; level-- > 0;) {
    for (;;) {
      const Link& link = tower->link(level);
      const std::uint64_t next_head = link.head.load(std::memory_order_acquire);
      if (next_head > head) break;
      Tower* const next = link.tower.load(std::memory_order_acquire);
      if (next_head == head && (next == nullptr || next == beyond || key < next->low->key())) {
        beyond = next;
        break;
      }
      tower = next;
    }
    if (path != nullptr) path[level] = tower;
  }
  return tower;
}

// Puts `node` at `rank` into a full leaf, whose right half moves to a new one.
void SkipList::split(Leaf& leaf, unsigned rank, const Node* node, std::uint64_t head, Tower* path[]) {
  Leaf* const next = leaf.next.load(std::memory_order_relaxed);
  auto* const right = new (arena_.allocate(sizeof(Leaf), alignof(Leaf))) Leaf;
  initialize(*right);
  right->next.store(next, std::memory_order_relaxed);
  right->prev.store(&leaf, std::memory_order_relaxed);
  ++leaf_count_;
  if (rank == kLeafNodes && (next == nullptr || leaf.append_run)) {
    // Whoever appends is likely to go on: the full leaf stays full. But not twice in a row, or keys that come in
    // falling order behind the same full leaf would get a leaf each.
    leaf.append_run = false;
    put_in(*right, 0, node, head);
    leaf.next.store(right, std::memory_order_release);
  } else {
    move_half(leaf, *right);
    if (rank > kKept) put_in(*right, rank - kKept, node, head);
    // copy() relies on this sequence.
    const std::uint32_t version = leaf.version.load(std::memory_order_relaxed);
    leaf.version.store(version + 1, std::memory_order_release);
    leaf.next.store(right, std::memory_order_release);
    leaf.order.store(order_of(leaf).with_count(kKept).word(), std::memory_order_release);
    leaf.version.store(version + 2, std::memory_order_release);
    if (rank <= kKept) put_in(leaf, rank, node, head);
  }
  if (next == nullptr) {
    last_leaf_.store(right, std::memory_order_release);
  } else {
    next->prev.store(right, std::memory_order_release);
  }
  raise_tower(*right, path);
}

// Links a new leaf behind, on each level it reaches, the tower that `path` names.
void SkipList::raise_tower(Leaf& leaf, Tower* path[]) {
  // One in four towers of a level reaches the next.
  const std::uint64_t random = scramble(leaf_count_) | std::uint64_t{1} << (2 * (kHeightMax - 1));
  const unsigned height = static_cast<unsigned>(std::countr_zero(random)) / 2 + 1;
  for (unsigned level = height_.load(std::memory_order_relaxed); level < height; ++level) {
    path[level] = &top_.tower;
    height_.store(level + 1, std::memory_order_relaxed);
  }

  void* const memory = arena_.allocate(sizeof(Tower) + height * sizeof(Link), alignof(FullTower));
  auto* const tower = new (memory) Tower{&leaf, node_at(leaf, 0)};
  const std::uint64_t head = leaf.heads[0].load(std::memory_order_relaxed);
  for (unsigned level = 0; level < height; ++level) {
    Link& before = path[level]->link(level);
    Link& link = *new (&tower->link(level)) Link;
    link.head.store(before.head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    link.tower.store(before.tower.load(std::memory_order_relaxed), std::memory_order_relaxed);
    before.tower.store(tower, std::memory_order_release);
    before.head.store(head, std::memory_order_release);
    if (link.tower.load(std::memory_order_relaxed) == nullptr) tail_[level] = tower;
  }
}

// Lock-free: it repeats itself only when the writer has split the leaf meanwhile. Each load acquires, so whoever read
// anything of a split sees that split's version, and everything before it, in what is loaded later.
void SkipList::copy(const Leaf* leaf, LeafCopy& copy) {
  copy.leaf = leaf;
  std::uint32_t version;
  do {
    version = leaf->version.load(std::memory_order_acquire);
    const LeafOrder order(leaf->order.load(std::memory_order_acquire));
    copy.next = leaf->next.load(std::memory_order_acquire);
    copy.count = order.count();
    for (unsigned rank = 0; rank < copy.count; ++rank) {
      copy.heads[rank] = leaf->heads[order.slot(rank)].load(std::memory_order_acquire);
      copy.nodes[rank] = leaf->nodes[order.slot(rank)].load(std::memory_order_acquire);
    }
  } while (leaf->version.load(std::memory_order_relaxed) != version);

  if (version % 2 == 0 || copy.next == nullptr) return;
  // In the middle of one split: the order may still be the old one though `next` is the new leaf. What that took over
  // begins with its first node, which never changes.
  const Node* const moved = copy.next->nodes[0].load(std::memory_order_acquire);
  for (unsigned rank = 0; rank < copy.count; ++rank) {
    if (copy.nodes[rank] == moved) copy.count = rank;
  }
}

std::pair<const Node*, const Node*> SkipList::sample(std::size_t size) const {
  // The towers of one level are a random sample of the leaves.
  for (unsigned level = height_.load(std::memory_order_relaxed); level-- > 0;) {
    std::pair<const Node*, const Node*> ends;
    std::size_t count = 0;
    for (const Tower* tower = &top_.tower; (tower = tower->link(level).tower.load(std::memory_order_acquire));) {
      if (count++ == 0) ends.first = tower->low;
      ends.second = tower->low;
    }
    if (count >= size) return ends;
  }
  return {};
}

}  // namespace firn::memtable
