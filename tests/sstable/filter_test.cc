#include "sstable/filter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "codec/key_hash.h"

namespace firn::sstable {
namespace {

std::string build(std::uint32_t bits_per_key, std::uint64_t keys) {
  FilterBuilder builder(bits_per_key);
  for (std::uint64_t i = 0; i < keys; ++i) EXPECT_TRUE(builder.add(key_hash("in" + std::to_string(i))));
  std::string lines(builder.bytes(), '?');
  builder.finish(lines.data());
  return lines;
}

double passing_share(const Filter& filter) {
  constexpr int kProbes = 100'000;
  int passed = 0;
  for (int i = 0; i < kProbes; ++i) passed += filter.may_contain(key_hash("out" + std::to_string(i))) ? 1 : 0;
  return static_cast<double>(passed) / kProbes;
}

TEST(Filter, NeverDeniesWhatWasAdded) {
  for (const std::uint64_t keys : {1U, 2U, 50U, 512U, 513U, 1000U, 100'000U}) {
    const std::string lines = build(10, keys);
    const Filter filter(lines);
    for (std::uint64_t i = 0; i < keys; ++i) EXPECT_TRUE(filter.may_contain(key_hash("in" + std::to_string(i))));
  }
}

TEST(Filter, DeniesMostOfTheRest) {
  const std::string ten = build(10, 20'000);
  EXPECT_LT(passing_share(Filter(ten)), 0.014);
  const std::string sixteen = build(16, 20'000);
  EXPECT_LT(passing_share(Filter(sixteen)), 0.0016);
}

TEST(FilterBits, AreInALineWhereEachWordHasItsBit) {
  constexpr std::uint64_t kHash = 0xFEDCBA9876543210;
  const FilterBits bits(kHash);
  std::string line(kFilterLineBytes, '\0');
  for (std::size_t word = 0; word < kFilterWords; ++word) {
    EXPECT_FALSE(bits.all_in(line.data())) << word;
    const std::uint64_t bit = std::uint64_t{1} << filter_bit(kHash, word);
    std::memcpy(line.data() + 8 * word, &bit, sizeof(bit));
  }
  EXPECT_TRUE(bits.all_in(line.data()));
  for (std::size_t word = 0; word < kFilterWords; ++word) {
    std::string others(kFilterLineBytes, '\xFF');
    const std::uint64_t without = ~(std::uint64_t{1} << filter_bit(kHash, word));
    std::memcpy(others.data() + 8 * word, &without, sizeof(without));
    EXPECT_FALSE(bits.all_in(others.data())) << word;
  }
}

TEST(Filter, NoBitsMeanNoFilter) {
  EXPECT_EQ(build(0, 100), "");
  EXPECT_EQ(build(10, 0), "");
  EXPECT_TRUE(Filter().may_contain(1));
}

TEST(Filter, BitsOnDiskNeverChange) {
  // One key, one line: a bit in each word. Stored filters depend on every one of these numbers.
  const std::uint64_t hash = 0x0123456789ABCDEF;
  EXPECT_EQ(filter_line(hash, 1000), 0x89ABCDEFULL * 1000 >> 32);
  unsigned sum = 0;
  for (std::size_t i = 0; i < kFilterWords; ++i) sum = sum * 31 + filter_bit(hash, i);
  EXPECT_EQ(sum, 1013929973U);
}

}  // namespace
}  // namespace firn::sstable
