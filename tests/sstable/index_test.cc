#include "sstable/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/codec/property.h"

namespace firn::sstable {
namespace {

// Bytes of an index over blocks of one kSectionAlignment each, with these separators.
std::string build(const std::vector<std::string>& separators) {
  IndexBuilder builder;
  for (std::size_t i = 0; i <= separators.size(); ++i) {
    builder.begin_block(i * kSectionAlignment, i == 0 ? Slice() : Slice(separators[i - 1]));
    builder.end_block(1000 + i);
  }
  std::string section;
  builder.finish((separators.size() + 1) * kSectionAlignment, section);
  return section;
}

std::uint32_t locate(const Index& index, Slice key) { return index.finish_locate(key, index.start_locate(key)); }

void expect_like_upper_bound(const std::vector<std::string>& separators, const std::vector<std::string>& keys) {
  const std::string section = build(separators);
  Index index;
  ASSERT_EQ(index.open(section, (separators.size() + 1) * kSectionAlignment), "");
  ASSERT_EQ(index.blocks(), separators.size() + 1);
  for (const std::string& key : keys) {
    const auto expected = std::upper_bound(separators.begin(), separators.end(), key) - separators.begin();
    ASSERT_EQ(locate(index, key), expected) << key;
  }
  for (std::uint32_t i = 0; i < separators.size(); ++i) {
    ASSERT_EQ(index.separator(i), separators[i]);
    ASSERT_EQ(index.block_offset(i), i * kSectionAlignment);
    ASSERT_EQ(index.block_checksum(i), 1000 + i);
  }
}

TEST(Index, OneBlockHasEverything) { expect_like_upper_bound({}, {"", "a", std::string(100, '\xff')}); }

TEST(Index, EverySizeAroundNodes) {
  std::vector<std::string> separators;
  for (int i = 0; i < 700; ++i) {
    separators.push_back("p" + std::to_string(10000 + 2 * i));
    if (i > 70 && i % 64 > 2 && i % 64 < 60) continue;
    std::vector<std::string> keys = {"", "o", "p", "q", std::string(9, '\xff')};
    for (int k = -1; k <= 2 * i + 2; ++k) keys.push_back("p" + std::to_string(10000 + k));
    expect_like_upper_bound(separators, keys);
  }
}

TEST(Index, StructuredKeysNeedMorePlanes) {
  std::vector<std::string> separators;
  for (int t = 0; t < 5; ++t) {
    for (int o = 0; o < 400; ++o) {
      separators.push_back("tenant-" + std::to_string(10 + t) + "/object-" + std::to_string(100000 + 7 * o));
    }
  }
  std::vector<std::string> keys = {"tenant-", "tenant-12", "tenant-12/object-", "tenant-99"};
  for (const std::string& s : separators) {
    keys.push_back(s);
    keys.push_back(s + "/attribute");
    keys.push_back(s.substr(0, s.size() - 1));
  }
  const std::string section = build(separators);
  EXPECT_EQ(load<std::uint32_t>(section.data() + kIndexPlanesOffset), 2U);
  expect_like_upper_bound(separators, keys);
}

TEST(Index, AnySeparatorsAnyKeys) {
  const auto make = [] {
    const std::string letters(
        "\0\x01"
        "aab\xff",
        6);
    std::string key(static_cast<std::size_t>(*rc::gen::element(0, 0, 3, 8, 20)), *rc::gen::element('\0', 'p', '\xff'));
    const int tail = *codec::range_gen(0, 20);
    for (int i = 0; i < tail; ++i) key += letters[static_cast<std::size_t>(*codec::range_gen(0, 6))];
    return key;
  };
  codec::expect_fewer_cases(300, [&] {
    std::set<std::string> separators;
    const int count = *codec::range_gen(0, 300);
    for (int i = 0; i < count; ++i) separators.insert(make());
    separators.erase("");  // A separator is above some key.
    std::vector<std::string> keys(separators.begin(), separators.end());
    for (const std::string& s : separators) {
      keys.push_back(s + '\0');
      keys.push_back(s.substr(0, s.size() - 1));
    }
    for (int i = 0; i < 30; ++i) keys.push_back(make());
    expect_like_upper_bound({separators.begin(), separators.end()}, keys);
    RC_ASSERT(!::testing::Test::HasFatalFailure());
  });
}

TEST(Index, NoBytesMakeItStray) {
  std::vector<std::string> separators;
  for (int i = 0; i < 100; ++i)
    separators.push_back("separator-number-" + std::to_string(1000 + i) + std::string(3, '\0'));
  const std::string original = build(separators);
  const std::uint64_t data_bytes = (separators.size() + 1) * kSectionAlignment;
  codec::expect_fewer_cases(300, [&] {
    std::string section = original;
    const int changes = *codec::range_gen(1, 5);
    for (int i = 0; i < changes; ++i) {
      const auto limit = *rc::gen::element<std::size_t>(24, 64, section.size());
      section[*codec::range_gen<std::size_t>(0, limit)] = *rc::gen::arbitrary<char>();
    }
    const std::string exact(section);
    Index index;
    if (!index.open(exact, data_bytes).empty()) return;
    for (std::uint32_t i = 0; i + 1 < index.blocks(); ++i) {
      const std::string key = index.separator(i);
      RC_ASSERT(locate(index, key) < index.blocks());
      RC_ASSERT(locate(index, key + "x") < index.blocks());
    }
    for (const std::string& key : separators) RC_ASSERT(locate(index, key) < index.blocks());
    for (std::uint32_t i = 0; i < index.blocks(); ++i) RC_ASSERT(index.block_offset(i) < index.block_offset(i + 1));
  });
}

}  // namespace
}  // namespace firn::sstable
