// Nodes in key order: a B-link tree of pages of up to 14 entries, four cache lines each. A page holds the heads of its
// keys (codec/key_head.h) side by side, compared all at once, and a permutation word that says which slots are in use
// and in what order. Inserting fills a free slot and publishes it with one release store of that word, so that readers
// never see half an entry. Unless heads tie, a search reads no key.
//
// Ideas: every page links to its right neighbour, so a search that a split overtook goes on to the right (Lehman and
// Yao, "Efficient locking for concurrent operations on B-trees", 1981); permutation and version of a page as in
// Masstree (Mao, Kohler and Morris, EuroSys 2012, section 4.6). Different: one writer, and readers that never wait for
// it; pages are never removed.
//
// What readers rely on: a page splits to the right, keeping its left entries in their slots; the first entry of a page,
// other than the leftmost ones, stays in slot 0 for ever; all keys of a page lie between that entry's and the next
// page's.
//
// Thread safety: one writer, any number of readers, no locks. Lifetime: `arena` outlives the tree.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "codec/head_rank.h"
#include "firn/slice.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/node.h"

namespace firn::memtable {

inline constexpr unsigned kPageEntries = 14;

struct alignas(64) Page {
  std::atomic<std::uint64_t> order;  // See PageOrder in link_tree.cc.
  std::atomic<Page*> next;
  std::atomic<Page*> prev;             // The page before this one, or one further to the left.
  std::atomic<std::uint32_t> version;  // Odd while the page splits; slots are used anew only under another version.
  std::uint16_t used_slots;            // One bit a slot; the writer's alone.
  std::uint8_t run_rank;               // The rank behind the last insertion; the writer's alone.
  std::uint8_t level;                  // 0: entries are nodes; else pages of the level below. Constant.
  std::array<std::atomic<std::uint64_t>, kPageEntries> heads;
  std::array<std::atomic<void*>, kPageEntries> entries;

  // Preconditions: level == 0; level > 0.
  const Node* node(unsigned slot) const { return static_cast<const Node*>(entries[slot].load(kAcquire)); }
  Page* child(unsigned slot) const { return static_cast<Page*>(entries[slot].load(kAcquire)); }

  void prefetch() const {
    for (std::size_t offset = 0; offset < sizeof(Page); offset += 64) {
      __builtin_prefetch(reinterpret_cast<const char*>(this) + offset);
    }
  }
  // Precondition: level == 0.
  void prefetch_nodes() const;

  static constexpr auto kAcquire = std::memory_order_acquire;
};
static_assert(sizeof(Page) == 256);

// What a page of level 0 held at one moment, in key order, and the page that followed it then: together they miss no
// node.
struct LeafCopy {
  const Page* page = nullptr;
  const Page* next = nullptr;
  std::uint32_t count = 0;
  std::array<std::uint64_t, kPageEntries> heads;
  std::array<const Node*, kPageEntries> nodes;

  // Takes over what `leaf` holds now.
  void take(const Page* leaf);
  // The same for the leaf before `leaf`; false, with no effect, when there is none.
  [[nodiscard]] bool take_before(const Page* leaf);
  // The rank of the first node at or after `key`; count when there is none.
  std::uint32_t lower_bound(Slice key, std::uint64_t head) const;
};

class LinkTree {
 public:
  explicit LinkTree(Arena& arena);
  LinkTree(const LinkTree&) = delete;
  LinkTree& operator=(const LinkTree&) = delete;

  // Makes room for `nodes` insertions. False, with no effect, when there is no memory.
  [[nodiscard]] bool reserve(std::size_t nodes) {
    return arena_.reserve(pages_max(nodes) * (sizeof(Page) + alignof(Page) - 1));
  }
  // Where an entry goes, by level, leaf first: a page, and its rank in there. Of the levels above a leaf with room only
  // what came along.
  struct Step {
    Page* page;
    unsigned rank;
  };
  using Place = std::array<Step, 16>;
  // Where a node of `key` belongs until the next insertion. `head` is any function of the key, always the same one, of
  // which head(a) < head(b) implies a < b. For the writer, as are the next two.
  Place place_of(Slice key, std::uint64_t head) const;
  // Precondition: reserved; `place` is its place_of(), and no node has this key yet.
  void insert(Node* node, std::uint64_t head, const Place& place);
  // Whether all nodes have smaller keys.
  bool ends_before(Slice key, std::uint64_t head) const {
    return last_node_ == nullptr || head > last_head_ || (head == last_head_ && key > last_node_->key());
  }

  const Page* first_leaf() const { return &first_leaf_; }
  // The last leaf, or one left of it.
  const Page* last_leaf() const { return last_leaf_.load(std::memory_order_acquire); }
  // The leaf where `key` belongs, or one left of it.
  const Page* find_leaf(Slice key, std::uint64_t head) const;

  // How many nodes came behind all others.
  std::uint64_t appended() const { return appended_.load(std::memory_order_relaxed); }
  // The first and the last of a sample of at least `size` nodes; nulls when there are too few.
  std::pair<const Node*, const Node*> sample(std::size_t size) const;

 private:
  static constexpr unsigned kLevelsMax = std::tuple_size_v<Place>;

  // How many pages the insertion of `nodes` can take. At worst each splits a page on every level and the root. But a
  // full page splits twice at most before it must fill again, and for that it takes two insertions or more: pages of a
  // level <= 2 * those it has + insertions / 2 + 3, summed up over the levels.
  std::size_t pages_max(std::size_t nodes) const {
    const std::size_t levels = root_.load(std::memory_order_relaxed)->level + 1U;
    return std::min(nodes * (levels + 1), nodes + 4 * page_count_ + 6 * kLevelsMax);
  }
  unsigned rank_in(const Page& page, Slice key, std::uint64_t head) const;
  Page* split(Page& page, unsigned rank, void* entry, std::uint64_t head);
  Page* make_page(unsigned level);
  void add_root(Page* right, std::uint64_t head);

  Arena& arena_;
  std::atomic<Page*> root_;
  std::atomic<Page*> last_leaf_;
  std::atomic<std::uint64_t> appended_{0};

  // The writer's alone.
  const HeadRankKernel head_rank_;
  std::size_t page_count_ = 1;
  const Node* last_node_ = nullptr;
  std::uint64_t last_head_ = 0;

  Page first_leaf_;
};

}  // namespace firn::memtable
