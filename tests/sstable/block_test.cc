// Tests of sstable/block_builder.h and sstable/block_reader.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sstable/block_builder.h"
#include "sstable/block_reader.h"
#include "tests/codec/property.h"
#include "tests/sstable/table_fixture.h"

namespace firn::sstable {
namespace {

using testing::Item;

std::string build(const std::vector<Item>& items) {
  BlockBuilder builder;
  for (const Item& item : items) {
    const std::size_t shared = builder.empty() ? 0 : common_prefix_bytes(builder.last_key(), item.key);
    const bool first = builder.empty();
    std::size_t limit = 1;
    while (!first && !builder.fits(item.entry(), shared, limit)) limit += 1 + limit / 64;
    builder.add(item.entry(), shared);
    if (!first) {
      EXPECT_GE(limit, builder.bytes());
    }
  }
  std::string block(builder.bytes(), '?');
  builder.finish(block.data());
  EXPECT_TRUE(builder.empty());
  return block;
}

std::vector<Item> read(const BlockReader& reader) {
  std::vector<Item> items;
  for (std::uint32_t i = 0; i < reader.entries(); ++i) {
    const std::uint64_t packed = reader.packed_sequence(i);
    items.push_back({reader.key(i), std::string(reader.body(i).value), sequence_of(packed), kind_of(packed)});
  }
  return items;
}

void expect_round_trip(const std::vector<Item>& items, std::uint8_t flags) {
  const std::string block = build(items);
  EXPECT_EQ(check_block(block), "");
  EXPECT_EQ(block[kBlockFlagsOffset], static_cast<char>(flags));
  const BlockReader reader(block.data());
  EXPECT_TRUE(check_order(reader));
  EXPECT_EQ(read(reader), items);
}

TEST(Block, ColumnsAreAsWideAsNeeded) {
  expect_round_trip({{"a", "1", 0}, {"b", "2", 0}}, 0);
  expect_round_trip({{"a", "1", 5}, {"b", "2", 5}}, 0);
  expect_round_trip({{"a", "1", 5}, {"b", "2", 6}}, kSequences32);
  expect_round_trip({{"a", "1", 0}, {"b", "2", (1 << 29) - 1}}, kSequences32);
  expect_round_trip({{"a", "1", 0}, {"b", "2", 1 << 29}}, kSequences64);
  expect_round_trip({{"a", "1", kSequenceMax}, {"b", "", 0, EntryKind::kTombstone}}, kSequences64);
  expect_round_trip({{"a", "", 7, EntryKind::kTombstone}, {"b", "", 7, EntryKind::kTombstone}}, 0);
  expect_round_trip({{"a", "1", 0}, {"bc", "2", 0}}, kMixedKeyBytes);
  expect_round_trip({{"a", std::string(70000, 'v'), 0}, {"b", "2", 0}}, kWideOffsets);
}

TEST(Block, OneEntryIsAllPrefix) {
  expect_round_trip({{"", "", 0}}, 0);
  expect_round_trip({{"key", "value", 3}}, 0);
  expect_round_trip({{std::string(kKeyBytesMax, 'k'), "value", 3}}, kWideOffsets);
}

TEST(Block, KeyOfZeroBytesComesBeforeLongerOnes) {
  std::vector<Item> items;
  for (std::size_t n = 0; n < 30; ++n) items.push_back({std::string(n, '\0'), std::to_string(n), 4});
  const std::string block = build(items);
  const BlockReader reader(block.data());
  for (std::uint32_t n = 0; n < 30; ++n) {
    const auto found = reader.lower_bound(items[n].key, 4);
    EXPECT_EQ(found.index, n);
    EXPECT_TRUE(found.same_key);
    EXPECT_EQ(reader.lower_bound(items[n].key, 3).index, n + 1);
    EXPECT_EQ(reader.lower_bound(items[n].key + '\x01', 9).index, 30U);
  }
}

TEST(Block, SearchGoesByVersionAfterKey) {
  const std::string block = build({{"aaaaaaaaaa", "", 9}, {"aaaaaaaaaa", "", 5}, {"aaaaaaaaaa", "", 2}, {"b", "", 1}});
  const BlockReader reader(block.data());
  const auto at = [&](Sequence sequence) { return reader.lower_bound("aaaaaaaaaa", sequence); };
  EXPECT_EQ(at(10).index, 0U);
  EXPECT_EQ(at(9).index, 0U);
  EXPECT_EQ(at(8).index, 1U);
  EXPECT_EQ(at(4).index, 2U);
  EXPECT_TRUE(at(2).same_key);
  EXPECT_EQ(at(1).index, 3U);
  EXPECT_FALSE(at(1).same_key);
  EXPECT_EQ(reader.lower_bound("c", 1).index, 4U);
}

TEST(Block, HeadsOfAllOnes) {
  const std::string ones(8, '\xff');
  const std::string block = build({{"x", "", 1}, {ones, "1", 1}, {ones + "a", "2", 1}, {ones + "b", "3", 1}});
  const BlockReader reader(block.data());
  EXPECT_EQ(reader.lower_bound(ones, 1).index, 1U);
  EXPECT_EQ(reader.lower_bound(ones + "a", 1).index, 2U);
  EXPECT_EQ(reader.lower_bound(ones + "aa", 1).index, 3U);
  EXPECT_EQ(reader.lower_bound(ones + "c", 1).index, 4U);
}

// Reads all there is to read in a block that check_block() let pass, whatever it holds.
TEST(Block, ComparesItsKeysWithAnyKey) {
  const std::vector<std::string> keys = {
      "", "pre", "pref", "prefix\1", "prefix12345678", "prefix2", "prefix23456", "prefix234567890", "prefix234567891"};
  std::vector<Item> items;
  for (const std::string& key : keys) {
    if (key.size() > 6) items.push_back({key, "value", 1});
  }
  const std::string block = build(items);
  const BlockReader reader(block.data());
  for (std::uint32_t i = 0; i < reader.entries(); ++i) {
    for (const std::string& key : keys) {
      const int order = reader.compare(i, key);
      EXPECT_EQ(order < 0, items[i].key < key) << items[i].key << " " << key;
      EXPECT_EQ(order == 0, items[i].key == key) << items[i].key << " " << key;
    }
  }
}

// Pages of a failing mapping turn to zeros after the block was checked.
TEST(Block, ReadsStayWithinABlockThatTurnsToZeros) {
  const std::vector<std::vector<Item>> blocks = {
      {{"prefix 1234567890", "a", 1}, {"prefix 1234567891", "b", 2}},
      {{"prefix 1234567890", "a", 1}, {"prefix 123456789", "b", 2}},
  };
  for (const std::vector<Item>& items : blocks) {
    const std::string whole = build(items);
    for (std::size_t from = 0; from < whole.size(); ++from) {
      for (std::size_t to = from; to <= whole.size(); ++to) {
        std::string block = whole;
        const BlockReader reader(block.data());
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(from), block.begin() + static_cast<std::ptrdiff_t>(to),
                  '\0');
        for (std::uint32_t i = 0; i < reader.entries(); ++i) {
          const BlockReader::Body body = reader.body(i);
          EXPECT_GE(body.suffix, block.data());
          EXPECT_EQ(body.value.data(), body.suffix + body.suffix_bytes);
          EXPECT_LE(body.value.size(), block.size());
          EXPECT_LE(body.value.data() + body.value.size(), block.data() + block.size());
        }
      }
    }
  }
}

void read_everything(const std::string& block) {
  const BlockReader reader(block.data());
  std::string last;
  for (std::uint32_t i = 0; i < reader.entries(); ++i) {
    const std::string key = reader.key(i);
    const auto found = reader.lower_bound(key, sequence_of(reader.packed_sequence(i)));
    ASSERT_LE(found.index, reader.entries());
    const Slice value = reader.body(i).value;
    ASSERT_TRUE(value.empty() ||
                (value.data() >= block.data() && value.data() + value.size() <= block.data() + block.size()));
    last = key;
  }
  static_cast<void>(check_order(reader));
  static_cast<void>(reader.lower_bound("", 0));
  static_cast<void>(reader.lower_bound(last + '\xff', 0));
}

TEST(Block, NoBytesMakeTheReaderStray) {
  std::vector<std::string> originals;
  originals.push_back(build({{"a", "1", 5}, {"b", "2", 6}, {"bc", "3", 1 << 30}, {"d", "", 9, EntryKind::kTombstone}}));
  originals.push_back(build({{"prefix-0001-x", "1", 0}, {"prefix-0002-y", "2", 0}, {"prefix-0003-z", "3", 0}}));
  originals.push_back(
      build({{"aaaaaaaa1", "1", 5}, {"bbbbbbbb2", "22", 6}, {"cccccccc3", "", 7}, {"dddddddd4", "4", 8}}));
  originals.push_back(build({{"aaaaaaaa", "1", 0}, {"bbbbbbbb", "22", 0}, {"cccccccc", "3", 0}}));
  originals.push_back(build({{"a", std::string(66000, 'v'), 5}, {"b", "2", 6}}));
  codec::expect_fewer_cases(5000, [&] {
    std::string block = *rc::gen::elementOf(originals);
    const int changes = *codec::range_gen(1, 5);
    for (int i = 0; i < changes; ++i) {
      const std::size_t limit = std::min<std::size_t>(block.size(), *rc::gen::element<std::size_t>(24, 100, 100000));
      const auto at = *codec::range_gen<std::size_t>(0, limit);
      block[at] =
          *rc::gen::element<char>('\0', '\1', '\2', '\4', '\x08', '\x7f', '\x80', '\xff', *rc::gen::arbitrary<char>());
    }
    if (*codec::range_gen(0, 4) == 0) block.resize(*codec::range_gen<std::size_t>(0, block.size()));
    // In a buffer of its exact size, so that the sanitizer sees every step outside it.
    const std::string exact(block);
    if (check_block(exact).empty()) read_everything(exact);
  });
}

TEST(Block, EveryTruncationIsNoticed) {
  const std::string block = build({{"a", "1", 5}, {"b", "2", 6}, {"bc", "3", 7}});
  for (std::size_t n = 0; n < block.size(); ++n) EXPECT_NE(check_block(Slice(block).substr(0, n)), "") << n;
  EXPECT_EQ(check_block(block + std::string(40, '\0')), "");
}

}  // namespace
}  // namespace firn::sstable
