#include "lsm/memtable/link_tree.h"

#include <algorithm>
#include <new>

#include "platform/assert.h"

namespace firn::memtable {

namespace {

constexpr std::uint8_t kNoRun = 0xFF;

// The order of a page's entries in one word: the count in the low four bits, then the slots of the entries, four bits
// each, in key order, then the free slots.
class PageOrder {
 public:
  explicit PageOrder(std::uint64_t word) : word_(word) {}
  // Of entries in slots 0, 1, ..., count - 1.
  static PageOrder straight(unsigned count) { return PageOrder(std::uint64_t{0xDCBA98765432100} | count); }

  std::uint64_t word() const { return word_; }
  unsigned count() const { return static_cast<unsigned>(word_ & 15); }
  unsigned slot(unsigned rank) const { return static_cast<unsigned>(word_ >> (4 * rank + 4) & 15); }
  // The slots in use, in key order.
  template <class Visit>
  void for_each_slot(Visit visit) const {
    std::uint64_t slots = word_ >> 4;
    for (unsigned rank = count(); rank > 0; --rank, slots >>= 4) visit(static_cast<unsigned>(slots & 15));
  }
  // Precondition: count() < kPageEntries.
  unsigned free_slot() const { return slot(count()); }
  // With the free slot's entry at `rank`.
  PageOrder with_inserted(unsigned rank) const {
    const std::uint64_t before = below(rank);
    const std::uint64_t moved = below(count()) & ~before;
    const std::uint64_t behind = ~below(count() + 1);
    const std::uint64_t inserted = std::uint64_t{free_slot()} << (4 * rank + 4);
    return PageOrder(((word_ & before) | inserted | (word_ & moved) << 4 | (word_ & behind)) + 1);
  }
  PageOrder with_count(unsigned count) const { return PageOrder((word_ & ~std::uint64_t{15}) | count); }

 private:
  // The bits of the count and of the ranks below one.
  static std::uint64_t below(unsigned rank) { return (std::uint64_t{1} << (4 * rank + 4)) - 1; }

  std::uint64_t word_;
};

PageOrder order_of(const Page& page) { return PageOrder(page.order.load(std::memory_order_acquire)); }

// The first node at or below an entry.
const Node* low_node(const Page& page, unsigned slot) {
  const Page* at = &page;
  for (; at->level > 0; slot = 0) at = at->child(slot);
  return at->node(slot);
}

// Of entries in order, the rank of the first from `rank` on that `precedes` does not hold for; `count` of them are
// left.
template <class Precedes>
unsigned partition_rank(unsigned rank, unsigned count, Precedes precedes) {
  while (count > 0) {
    const unsigned half = count / 2;
    if (precedes(rank + half)) {
      rank += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return rank;
}

// The same where `rank` of `count` heads are smaller than `head`; only keys of equal heads are compared.
template <class HeadAt, class Precedes>
unsigned rank_of_tie(unsigned rank, unsigned count, std::uint64_t head, HeadAt head_at, Precedes precedes) {
  unsigned ties = 0;
  while (rank + ties < count && head_at(rank + ties) == head) ++ties;
  return partition_rank(rank, ties, precedes);
}

// Precondition: the page is not full. Each store releases: a reader that finds the new entry in a slot used anew must
// see, afterwards, that the page has split since.
void put_in(Page& page, unsigned rank, void* entry, std::uint64_t head) {
  const PageOrder order = order_of(page);
  const unsigned slot = order.free_slot();
  page.heads[slot].store(head, std::memory_order_release);
  page.entries[slot].store(entry, std::memory_order_release);
  page.used_slots = static_cast<std::uint16_t>(page.used_slots | 1U << slot);
  page.run_rank = static_cast<std::uint8_t>(rank + 1);
  page.order.store(order.with_inserted(rank).word(), std::memory_order_release);
}

// What a full page does not keep, to an empty one. In the old one it stays where it is, for readers.
void copy_right_part(Page& from, unsigned kept, Page& to) {
  const PageOrder order = order_of(from);
  for (unsigned rank = kept; rank < kPageEntries; ++rank) {
    const unsigned slot = order.slot(rank);
    to.heads[rank - kept].store(from.heads[slot].load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.entries[rank - kept].store(from.entries[slot].load(std::memory_order_relaxed), std::memory_order_relaxed);
    from.used_slots = static_cast<std::uint16_t>(from.used_slots & ~(1U << slot));
  }
  to.used_slots = static_cast<std::uint16_t>((1U << (kPageEntries - kept)) - 1);
  to.order.store(PageOrder::straight(kPageEntries - kept).word(), std::memory_order_relaxed);
}

void initialize(Page& page, unsigned level) {
  page.order.store(PageOrder::straight(0).word(), std::memory_order_relaxed);
  page.next.store(nullptr, std::memory_order_relaxed);
  page.prev.store(nullptr, std::memory_order_relaxed);
  page.version.store(0, std::memory_order_relaxed);
  page.used_slots = 0;
  page.run_rank = kNoRun;
  page.level = static_cast<std::uint8_t>(level);
}

// The page below an inner one, or right of it, on the way to `key`.
const Page* step_towards(const Page* page, Slice key, std::uint64_t head) {
  for (;;) {
    const std::uint32_t version = page->version.load(std::memory_order_acquire);
    const PageOrder order = order_of(*page);
    const Page* const next = page->next.load(std::memory_order_acquire);
    const auto head_in = [&](unsigned slot) { return page->heads[slot].load(std::memory_order_acquire); };
    unsigned rank = 0;
    order.for_each_slot([&](unsigned slot) { rank += head_in(slot) < head; });
    rank = rank_of_tie(
        rank, order.count(), head, [&](unsigned i) { return head_in(order.slot(i)); },
        [&](unsigned i) { return low_node(*page, order.slot(i))->key() <= key; });
    const Page* const child = page->child(order.slot(std::max(rank, 1U) - 1));
    if (page->version.load(std::memory_order_relaxed) != version) continue;

    if (rank == order.count() && next != nullptr) {
      const std::uint64_t next_head = next->heads[0].load(std::memory_order_acquire);
      if (next_head < head || (next_head == head && low_node(*next, 0)->key() <= key)) return next;
    }
    return child;
  }
}

}  // namespace

void Page::prefetch_nodes() const {
  constexpr std::size_t kUsualKeyBytes = 24;  // The version behind such a key may begin on the next line.
  order_of(*this).for_each_slot([&](unsigned slot) {
    const auto* const bytes = reinterpret_cast<const char*>(node(slot));
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + Node::kKeyOffset + kUsualKeyBytes);
  });
}

// Lock-free: repeats itself only when the writer has split the page meanwhile. Each load acquires, so whoever has read
// any part of a split sees its version, and all before it, in what is loaded later.
void LeafCopy::take(const Page* leaf) {
  page = leaf;
  std::uint32_t version;
  do {
    version = leaf->version.load(std::memory_order_acquire);
    const PageOrder order = order_of(*leaf);
    next = leaf->next.load(std::memory_order_acquire);
    count = order.count();
    unsigned rank = 0;
    order.for_each_slot([&](unsigned slot) {
      heads[rank] = leaf->heads[slot].load(std::memory_order_acquire);
      nodes[rank++] = leaf->node(slot);
    });
  } while (leaf->version.load(std::memory_order_relaxed) != version);

  if (version % 2 == 0 || next == nullptr) return;
  // In the middle of one split: `next` may be the new page already and the order still the old one. What the new page
  // took over begins with its first entry, which never changes.
  const Node* const moved = next->node(0);
  count = static_cast<std::uint32_t>(std::find(nodes.begin(), nodes.begin() + count, moved) - nodes.begin());
}

bool LeafCopy::take_before(const Page* leaf) {
  const Page* left = leaf->prev.load(std::memory_order_acquire);
  if (left == nullptr) return false;
  // What lies between has split off since.
  for (take(left); next != leaf; take(next)) continue;
  return true;
}

std::uint32_t LeafCopy::lower_bound(Slice key, std::uint64_t head) const {
  unsigned rank = 0;
  for (unsigned i = 0; i < count; ++i) rank += heads[i] < head;
  return rank_of_tie(
      rank, count, head, [&](unsigned i) { return heads[i]; }, [&](unsigned i) { return nodes[i]->key() < key; });
}

LinkTree::LinkTree(Arena& arena)
    : arena_(arena), root_(&first_leaf_), last_leaf_(&first_leaf_), head_rank_(head_rank_kernel()) {
  initialize(first_leaf_, 0);
}

void LinkTree::insert(Node* node, std::uint64_t head, const Place& place) {
  if (ends_before(node->key(), head)) {
    last_node_ = node;
    last_head_ = head;
    appended_.store(appended() + 1, std::memory_order_relaxed);
  }
  void* entry = node;
  for (const Step& step : place) {
    if (order_of(*step.page).count() < kPageEntries) return put_in(*step.page, step.rank, entry, head);
    Page* const right = split(*step.page, step.rank, entry, head);
    head = right->heads[0].load(std::memory_order_relaxed);
    if (step.page == root_.load(std::memory_order_relaxed)) return add_root(right, head);
    entry = right;  // Of the level above.
  }
}

// How many of the page's entries begin before `key`, which is not in the tree.
unsigned LinkTree::rank_in(const Page& page, Slice key, std::uint64_t head) const {
  // Only the writer stores heads, so it may load them as it likes.
  const auto* const heads = reinterpret_cast<const std::uint64_t*>(page.heads.data());
  const HeadRank rank = head_rank_(heads, kPageEntries, page.used_slots, head);
  const PageOrder order = order_of(page);
  return partition_rank(rank.below, rank.equal, [&](unsigned i) { return low_node(page, order.slot(i))->key() < key; });
}

LinkTree::Place LinkTree::place_of(Slice key, std::uint64_t head) const {
  Place place;
  if (ends_before(key, head)) {
    Page& last = *last_leaf_.load(std::memory_order_relaxed);
    place[0] = {&last, order_of(last).count()};
    if (place[0].rank < kPageEntries) return place;
  }
  for (Page* page = root_.load(std::memory_order_relaxed);;) {
    page->prefetch();
    const unsigned rank = rank_in(*page, key, head);
    if (page->level == 0) {
      place[0] = {page, rank};
      return place;
    }
    // The leftmost page has no lower end. What splits off a child goes behind it.
    const unsigned behind = std::max(rank, 1U);
    place[page->level] = {page, behind};
    page = page->child(order_of(*page).slot(behind - 1));
  }
}

// Puts an entry at `rank` into a full page and its new right neighbour, which it returns.
Page* LinkTree::split(Page& page, unsigned rank, void* entry, std::uint64_t head) {
  Page* const next = page.next.load(std::memory_order_relaxed);
  Page* const right = make_page(page.level);
  right->next.store(next, std::memory_order_relaxed);
  right->prev.store(&page, std::memory_order_relaxed);
  // Next to the last insertion, in a rising or a falling run, there is more to come: the page splits there, so that the
  // run fills pages of its own. But not twice in a row, or keys that come in falling order behind the same full page
  // would get a page each.
  const bool run = rank == page.run_rank || rank + 1 == page.run_rank || (rank == kPageEntries && next == nullptr);
  const unsigned kept = run ? rank : kPageEntries / 2;
  copy_right_part(page, kept, *right);
  if (kept == kPageEntries) {
    put_in(*right, 0, entry, head);
    page.next.store(right, std::memory_order_release);
  } else {
    if (rank > kept) put_in(*right, rank - kept, entry, head);
    // LeafCopy::take() and step_towards() rely on this sequence.
    const std::uint32_t version = page.version.load(std::memory_order_relaxed);
    page.version.store(version + 1, std::memory_order_release);
    page.next.store(right, std::memory_order_release);
    page.order.store(order_of(page).with_count(kept).word(), std::memory_order_release);
    page.version.store(version + 2, std::memory_order_release);
    if (rank <= kept) put_in(page, rank, entry, head);
  }
  if (run) page.run_rank = kNoRun;
  if (next != nullptr) {
    next->prev.store(right, std::memory_order_release);
  } else if (page.level == 0) {
    last_leaf_.store(right, std::memory_order_release);
  }
  return right;
}

Page* LinkTree::make_page(unsigned level) {
  Page* const page = new (arena_.allocate(sizeof(Page), alignof(Page))) Page;
  initialize(*page, level);
  ++page_count_;
  return page;
}

// Over the old root and its new right neighbour.
void LinkTree::add_root(Page* right, std::uint64_t head) {
  Page* const left = root_.load(std::memory_order_relaxed);
  FIRN_ASSERT(left->level + 1U < kLevelsMax);
  Page* const root = make_page(left->level + 1U);
  put_in(*root, 0, left, 0);
  put_in(*root, 1, right, head);
  root_.store(root, std::memory_order_release);
}

const Page* LinkTree::find_leaf(Slice key, std::uint64_t head) const {
  const Page* page = root_.load(std::memory_order_acquire);
  while (page->level > 0) {
    page->prefetch();
    page = step_towards(page, key, head);
  }
  return page;
}

std::pair<const Node*, const Node*> LinkTree::sample(std::size_t size) const {
  // The entries of a level are a sample of those below it. (What begins the leftmost page of a level is not known.)
  for (const Page* first = root_.load(std::memory_order_acquire);; first = first->child(0)) {
    const unsigned skipped = first->level > 0 ? 1 : 0;
    std::size_t count = 0;
    const Page* last = first;
    for (const Page* page = first; page != nullptr; page = page->next.load(std::memory_order_acquire)) {
      count += order_of(*page).count();
      last = page;
    }
    if (count >= size + skipped) {
      const PageOrder order = order_of(*last);
      return {low_node(*first, order_of(*first).slot(skipped)), low_node(*last, order.slot(order.count() - 1))};
    }
    if (first->level == 0) return {};
  }
}

}  // namespace firn::memtable
