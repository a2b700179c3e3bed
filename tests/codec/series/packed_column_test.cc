#include "codec/series/packed_column.h"

#include <vector>

#include "tests/codec/property.h"

namespace firn::codec {
namespace {

using Numbers = std::vector<std::int64_t>;

std::string pack(const Numbers& numbers, const ColumnPlan& plan) {
  std::string out, scratch;
  append_column(out, scratch, numbers, plan);
  return out;
}

Numbers unpack(Slice bytes, std::size_t count, std::int64_t first) {
  PackedColumn column;
  const char* end = bytes.data() + bytes.size();
  EXPECT_EQ(open_column(bytes.data(), end, count, column), end);
  column.previous = static_cast<std::uint64_t>(first) - column.base;
  Numbers numbers(count);
  for (std::size_t i = 0; i < count; i += kGroupPoints) {
    std::uint64_t group[kGroupPoints];
    const std::size_t size = std::min(count - i, kGroupPoints);
    read_column(column, i, size, group);
    for (std::size_t j = 0; j < size; ++j) numbers[i + j] = static_cast<std::int64_t>(group[j]);
  }
  return numbers;
}

rc::Gen<Numbers> numbers_gen() {
  return rc::gen::exec([] {
    const auto count = *range_gen<std::size_t>(1, 200);
    const int width = *range_gen(0, 65);
    const int outlier_one_in = *range_gen(1, 40);
    const std::int64_t start = *integer_gen();
    Numbers numbers(count);
    for (std::int64_t& number : numbers) {
      const std::uint64_t bits = *range_gen<std::uint64_t>(0, UINT64_MAX);
      const std::uint64_t offset = width == 0 ? 0 : bits >> (64 - width);
      number = static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + offset);
      if (*range_gen(0, outlier_one_in + 1) == 0) number = *integer_gen();
    }
    return numbers;
  });
}

TEST(PackedColumn, ARegularColumnTakesNoBits) {
  Numbers numbers(1000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int64_t>(i) * 7;
  const ColumnPlan plan = plan_column(numbers);
  EXPECT_TRUE(plan.delta);
  EXPECT_EQ(plan.width, 0U);
  EXPECT_EQ(pack(numbers, plan).size(), 3U);
}

TEST(PackedColumn, AnOutlierIsAPatchAndNotAWiderColumn) {
  Numbers numbers(1000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int64_t>(i * 2654435761 % 256);
  numbers[500] = INT64_MAX;
  numbers[700] = INT64_MIN;
  const ColumnPlan plan = plan_column(numbers);
  EXPECT_LE(plan.width, 8U);
  const std::string bytes = pack(numbers, plan);
  EXPECT_LE(bytes.size(), 1000 + 10 * kPatchBytes);
  EXPECT_EQ(unpack(bytes, numbers.size(), numbers[0]), numbers);
}

TEST(PackedColumn, NumbersComeBack) {
  expect_property([] {
    const Numbers numbers = *numbers_gen();
    for (const ColumnPlan& plan : {plan_column(numbers), plan_delta_column(numbers)}) {
      RC_ASSERT(unpack(pack(numbers, plan), numbers.size(), numbers[0]) == numbers);
    }
  });
}

TEST(PackedColumn, AnyWidthAndBaseHoldsAnyNumbers) {
  expect_property([] {
    const Numbers numbers = *numbers_gen();
    const ColumnPlan plan{
        .delta = *rc::gen::arbitrary<bool>(), .width = static_cast<unsigned>(*range_gen(0, 65)), .base = *bits_gen()};
    RC_ASSERT(unpack(pack(numbers, plan), numbers.size(), numbers[0]) == numbers);
  });
}

TEST(PackedColumn, DamagedHeadsAreRefused) {
  expect_property([] {
    const Numbers numbers = *numbers_gen();
    std::string bytes = pack(numbers, plan_column(numbers));
    const bool cut = *rc::gen::arbitrary<bool>();
    if (cut) {
      bytes.resize(*range_gen<std::size_t>(0, bytes.size()));
    } else {
      bytes[*range_gen<std::size_t>(0, bytes.size())] ^= static_cast<char>(1 << *range_gen(0, 8));
    }
    PackedColumn column;
    const char* end = bytes.data() + bytes.size();
    const char* after = open_column(bytes.data(), end, numbers.size(), column);
    RC_ASSERT(!cut || after == nullptr);
    if (after == nullptr) return;
    // What was accepted can be read in full; the sanitizers watch.
    for (std::size_t i = 0; i < numbers.size(); i += kGroupPoints) {
      std::uint64_t group[kGroupPoints];
      read_column(column, i, std::min(numbers.size() - i, kGroupPoints), group);
    }
  });
}

}  // namespace
}  // namespace firn::codec
