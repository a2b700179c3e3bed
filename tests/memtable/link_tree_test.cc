#include "lsm/memtable/link_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "codec/key_head.h"

namespace firn::memtable {

namespace {

std::uint64_t scrambled(std::uint64_t n) {
  n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
  n = (n ^ n >> 27) * 0x94D049BB133111EB;
  return n ^ n >> 31;
}

// A tree and the nodes in it.
class TestTree {
 public:
  static std::uint64_t head(Slice key) { return key_head(key); }

  void insert(const std::string& key) {
    const std::size_t bytes = Node::kKeyOffset + key.size();
    ASSERT_TRUE(nodes_.reserve(bytes + 7));
    auto* const node = new (nodes_.allocate(bytes, 8)) Node;
    node->key_bytes = static_cast<std::uint16_t>(key.size());
    key.copy(reinterpret_cast<char*>(node) + Node::kKeyOffset, key.size());
    tree_.insert(node, head(key), tree_.place_of(key, head(key)));
  }
  void reserve_and_insert(const std::string& key) {
    ASSERT_TRUE(tree_.reserve(1));
    insert(key);
  }
  // Inserts key_of(0), key_of(1), ... in batches, each within its reservation (else the arena stops the process).
  void insert_batches(std::size_t count, std::size_t batch, const std::function<std::string(std::size_t)>& key_of) {
    for (std::size_t i = 0; i < count; ++i) {
      if (i % batch == 0) {
        ASSERT_TRUE(tree_.reserve(batch));
      }
      insert(key_of(i));
    }
  }

  static std::vector<std::string> keys_from(const Page* leaf) {
    std::vector<std::string> keys;
    for (LeafCopy copy; leaf != nullptr; leaf = copy.next) {
      copy.take(leaf);
      for (std::uint32_t i = 0; i < copy.count; ++i) keys.emplace_back(copy.nodes[i]->key());
    }
    return keys;
  }
  std::size_t leaf_count() const {
    std::size_t count = 0;
    for (const Page* leaf = tree_.first_leaf(); leaf != nullptr; leaf = leaf->next.load()) ++count;
    return count;
  }

  // What a reader that starts at find_leaf(key) comes to.
  std::string first_at_or_after(Slice key) const {
    LeafCopy copy;
    for (const Page* leaf = tree_.find_leaf(key, head(key)); leaf != nullptr; leaf = copy.next) {
      copy.take(leaf);
      const std::uint32_t rank = copy.lower_bound(key, head(key));
      if (rank < copy.count) return std::string(copy.nodes[rank]->key());
    }
    return "end";
  }
  void expect_holds(std::vector<std::string> keys) const {
    std::sort(keys.begin(), keys.end());
    EXPECT_EQ(keys_from(tree_.first_leaf()), keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_EQ(first_at_or_after(keys[i]), keys[i]);
      ASSERT_EQ(first_at_or_after(keys[i] + '\0'), i + 1 < keys.size() ? keys[i + 1] : "end");
    }
  }

  const LinkTree& operator*() const { return tree_; }
  const LinkTree* operator->() const { return &tree_; }

 private:
  Arena pages_{4096, 1 << 20};
  Arena nodes_{16384, 1 << 20};
  LinkTree tree_{pages_};
};

std::string padded(std::size_t number) {
  std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

TEST(LinkTree, KeepsOrderHoweverKeysCome) {
  struct Pattern {
    const char* name;
    std::string (*key_of)(std::size_t);
  };
  const Pattern patterns[] = {
      {"rising", [](std::size_t i) { return padded(i); }},
      {"falling", [](std::size_t i) { return padded(90'000 - i); }},
      {"random", [](std::size_t i) { return std::to_string(scrambled(i)); }},
      {"one head", [](std::size_t i) { return "12345678" + std::to_string(scrambled(i)); }},
      {"rising streams", [](std::size_t i) { return std::to_string(i % 7) + padded(i); }},
      {"falling pairs", [](std::size_t i) { return padded(90'000 - i / 2 * 10 + i % 2); }},
      {"falling behind a full page", [](std::size_t i) { return i < 14 ? padded(i) : padded(90'000 - i); }},
      {"nested prefixes", [](std::size_t i) { return std::string(i % 300, '\0') + std::to_string(i / 300); }},
  };
  for (const Pattern& pattern : patterns) {
    SCOPED_TRACE(pattern.name);
    for (const std::size_t batch : {1U, 5U, 1000U}) {
      TestTree tree;
      tree.insert_batches(5000, batch, pattern.key_of);
      std::vector<std::string> keys;
      for (std::size_t i = 0; i < 5000; ++i) keys.push_back(pattern.key_of(i));
      tree.expect_holds(keys);
      EXPECT_LE(tree.leaf_count(), 5000U / 6);
    }
  }
}

TEST(LinkTree, RisingKeysFillTheirPages) {
  TestTree tree;
  for (std::size_t i = 0; i < 100 * kPageEntries; ++i) tree.reserve_and_insert(padded(i));
  EXPECT_EQ(tree.leaf_count(), 100U);
  EXPECT_EQ(tree->appended(), 100U * kPageEntries);
}

TEST(LinkTree, FallingKeysFillTheirPages) {
  TestTree tree;
  for (std::size_t i = 0; i < 7000; ++i) tree.reserve_and_insert(padded(7000 - i));
  EXPECT_LE(tree.leaf_count(), 7000U / 13);
}

TEST(LinkTree, RisingStreamsFillTheirPages) {
  TestTree tree;
  for (std::size_t i = 0; i < 7000; ++i) tree.reserve_and_insert(std::to_string(i % 7) + padded(i));
  EXPECT_LE(tree.leaf_count(), 7000U / 12);
}

TEST(LinkTree, PageInTheMiddleOfASplitIsReadOnce) {
  TestTree tree;
  for (std::size_t i = 0; i < kPageEntries; ++i) tree.reserve_and_insert(padded(i));
  auto& leaf = const_cast<Page&>(*tree->first_leaf());
  const std::uint64_t full = leaf.order.load();
  // In the middle, so that the page splits there: in the right half, so that the left one stays as it is.
  tree.reserve_and_insert(padded(10) + "a");
  const std::uint64_t halved = leaf.order.load();
  Page* const right = leaf.next.load();
  ASSERT_NE(right, nullptr);
  ASSERT_EQ(leaf.version.load(), 2U);

  LeafCopy copy;
  leaf.version.store(1);  // The split has begun:
  leaf.next.store(nullptr);
  leaf.order.store(full);
  copy.take(&leaf);
  EXPECT_EQ(copy.count, kPageEntries);
  EXPECT_EQ(copy.next, nullptr);
  leaf.next.store(right);  // the new page is linked, and still holds what this one does:
  copy.take(&leaf);
  EXPECT_EQ(copy.count, 7U);
  EXPECT_EQ(copy.next, right);
  EXPECT_EQ(tree.keys_from(&leaf).size(), kPageEntries + 1);
  leaf.order.store(halved);  // this one is halved.
  copy.take(&leaf);
  EXPECT_EQ(copy.count, 7U);
  EXPECT_EQ(copy.next, right);
}

TEST(LinkTree, SearchThatASplitOvertookGoesOnToTheRight) {
  TestTree tree;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 3000; ++i) keys.push_back(padded(i * 7919 % 3000));
  for (const std::string& key : keys) tree.reserve_and_insert(key);
  // From the first leaf, as if nothing above it had heard of any split.
  for (const std::string& key : keys) {
    LeafCopy copy;
    std::uint32_t rank = 0;
    for (const Page* leaf = tree->first_leaf();; leaf = copy.next) {
      ASSERT_NE(leaf, nullptr);
      copy.take(leaf);
      rank = copy.lower_bound(key, TestTree::head(key));
      if (rank < copy.count) break;
    }
    ASSERT_EQ(copy.nodes[rank]->key(), key);
  }
}

TEST(LinkTree, LeafBeforeIsFoundFromAnyLeafFurtherLeft) {
  TestTree tree;
  for (std::size_t i = 0; i < 2000; ++i) tree.reserve_and_insert(std::to_string(scrambled(i)));
  LeafCopy copy;
  std::vector<const Page*> leaves;
  for (const Page* leaf = tree->first_leaf(); leaf != nullptr; leaf = copy.next) {
    copy.take(leaf);
    leaves.push_back(leaf);
  }
  EXPECT_EQ(tree->last_leaf(), leaves.back());
  EXPECT_FALSE(copy.take_before(leaves[0]));
  for (std::size_t i = 1; i < leaves.size(); ++i) {
    EXPECT_EQ(leaves[i]->prev.load(), leaves[i - 1]);
    // As it is until the writer has told the leaf that its neighbour has split.
    const_cast<Page*>(leaves[i])->prev.store(const_cast<Page*>(leaves[i < 5 ? 0 : i - 5]));
    ASSERT_TRUE(copy.take_before(leaves[i]));
    EXPECT_EQ(copy.page, leaves[i - 1]);
  }
}

TEST(LinkTree, SampleSpansTheKeys) {
  TestTree tree;
  EXPECT_EQ(tree->sample(1).first, nullptr);
  for (std::size_t i = 0; i < 10; ++i) tree.reserve_and_insert(padded(i));
  EXPECT_EQ(tree->sample(11).first, nullptr);
  EXPECT_EQ(tree->sample(10).first->key(), padded(0));
  EXPECT_EQ(tree->sample(10).second->key(), padded(9));
  for (std::size_t i = 10; i < 10'000; ++i) tree.reserve_and_insert(padded(i));
  const auto [first, last] = tree->sample(16);
  EXPECT_LT(first->key(), padded(2000));
  EXPECT_GT(last->key(), padded(8000));
}

}  // namespace

}  // namespace firn::memtable
