#include "lsm/memtable/hash_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "codec/key_hash.h"
#include "tests/support/cases.h"

namespace firn::memtable {

namespace {

class HashIndexTest : public ::testing::Test {
 protected:
  Node* node(const std::string& key, std::uint64_t hash) {
    EXPECT_TRUE(nodes_.reserve(Node::kKeyOffset + key.size() + 8));
    auto* const made = new (nodes_.allocate(Node::kKeyOffset + key.size(), 8)) Node;
    made->hash_low = static_cast<std::uint32_t>(hash);
    made->key_bytes = static_cast<std::uint16_t>(key.size());
    key.copy(reinterpret_cast<char*>(made) + Node::kKeyOffset, key.size());
    return made;
  }
  Node* insert(const std::string& key, std::uint64_t hash, std::size_t expected = 0) {
    EXPECT_TRUE(index_.has_room(1) || index_.grow(1, expected));
    Node* const made = node(key, hash);
    index_.insert(made, hash);
    return made;
  }

  Arena arena_{16384, 1 << 21};
  Arena nodes_{16384, 1 << 21};
  HashIndex index_{arena_};
};

TEST_F(HashIndexTest, FindsNothingWhenEmpty) {
  index_.prefetch(1);
  EXPECT_EQ(index_.find("a", 1), nullptr);
  EXPECT_EQ(arena_.memory_bytes(), 0U);
}

TEST_F(HashIndexTest, FindsEveryKeyAtEveryStepOfItsGrowth) {
  std::vector<Node*> nodes;
  for (std::uint64_t n = 0; n < 3000; ++n) {
    const std::string key = std::to_string(n);
    nodes.push_back(insert(key, key_hash(key)));
    if (n % 7 != 0 && n > 200) continue;
    for (std::uint64_t m = 0; m <= n; ++m) {
      const std::string other = std::to_string(m);
      ASSERT_EQ(index_.find(other, key_hash(other)), nodes[m]) << m << " of " << n;
    }
    ASSERT_EQ(index_.find("absent", key_hash("absent")), nullptr);
  }
}

TEST_F(HashIndexTest, TellsKeysOfOneHashApart) {
  std::vector<Node*> nodes;
  for (int n = 0; n < 200; ++n) nodes.push_back(insert(std::to_string(n), ~std::uint64_t{0}));
  for (int n = 0; n < 200; ++n)
    EXPECT_EQ(index_.find(std::to_string(n), ~std::uint64_t{0}), nodes[static_cast<std::size_t>(n)]);
  EXPECT_EQ(index_.find("200", ~std::uint64_t{0}), nullptr);
}

TEST_F(HashIndexTest, GrowsAtOnceToWhatABatchNeeds) {
  insert("before", key_hash("before"));
  ASSERT_TRUE(index_.grow(10'000, 0));
  const std::uint64_t held = arena_.memory_bytes();
  for (int n = 0; n < 10'000; ++n) {
    const std::string key = std::to_string(n);
    index_.insert(node(key, key_hash(key)), key_hash(key));
  }
  EXPECT_EQ(arena_.memory_bytes(), held);
  for (int n = 0; n < 10'000; ++n) EXPECT_NE(index_.find(std::to_string(n), key_hash(std::to_string(n))), nullptr);
  EXPECT_NE(index_.find("before", key_hash("before")), nullptr);
}

TEST_F(HashIndexTest, GrowsAgainBeforeAllHasMoved) {
  int count = 0;
  for (; count < 33; ++count) insert(std::to_string(count), key_hash(std::to_string(count)));
  ASSERT_TRUE(index_.grow(100, 0));
  ASSERT_TRUE(index_.grow(1000, 0));
  insert(std::to_string(count), key_hash(std::to_string(count)));
  for (int n = 0; n <= count; ++n) EXPECT_NE(index_.find(std::to_string(n), key_hash(std::to_string(n))), nullptr);
}

TEST_F(HashIndexTest, GrowsStepwiseTowardsAnEstimate) {
  std::uint64_t steps = 0;
  std::uint64_t held = 0;
  for (int n = 0; n < 100'000; ++n) {
    const std::string key = std::to_string(n);
    insert(key, key_hash(key), 100'000);
    if (arena_.memory_bytes() != held) {
      held = arena_.memory_bytes();
      ++steps;
    }
  }
  EXPECT_LE(steps, 5U);
  EXPECT_LE(held, std::uint64_t{3} << 20);
}

TEST_F(HashIndexTest, ReadersFindAcknowledgedKeysWhileItGrows) {
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> lost{0};
  const auto read = [&] {
    std::uint64_t at = 0;
    while (!done.load(std::memory_order_acquire)) {
      const std::uint64_t limit = acknowledged.load(std::memory_order_acquire);
      if (limit == 0) continue;
      at = (at * 31 + 7) % limit;
      for (const std::uint64_t n : {at, limit - 1}) {
        const std::string key = std::to_string(n);
        if (index_.find(key, key_hash(key)) == nullptr) lost.fetch_add(1);
      }
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  const std::uint64_t count = firn::testing::cases(200'000);
  for (std::uint64_t n = 0; n < count; ++n) {
    const std::string key = std::to_string(n);
    insert(key, key_hash(key));
    acknowledged.store(n + 1, std::memory_order_release);
  }
  done.store(true, std::memory_order_release);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(lost.load(), 0U);
}

}  // namespace

}  // namespace firn::memtable
