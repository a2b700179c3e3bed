// Tested by tests/codec/series/chunk_test.cc.
//
// A block: varint of the bytes that follow; the exponent; varints of its first time less the chunk's, of its last time
// less its first, and (zigzag) of the number before the column of values, 0 unless that is one of differences; the
// column of times; the column of values; the exceptions.
#include "codec/series/decimal.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "codec/varint.h"

namespace firn::codec {
namespace {

constexpr unsigned kExponentMax = 17;
constexpr std::uint8_t kBitsExponent = 0xFF;  // The integers are the bits of the doubles, sign last.
constexpr double kPowers[] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
                              1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
constexpr double kExactLimit = 0x1p53;
constexpr double kWideBits = 40;  // From here on the bits of doubles may be no wider than their decimals.

static_assert(std::size(kPowers) == kExponentMax + 1);

// Sets `integer` with integer / power == value, bit for bit; false where there is none.
bool to_decimal(double value, double power, std::int64_t& integer) {
  const double scaled = value * power;
  if (!(std::fabs(scaled) < kExactLimit)) return false;  // NaN too.
  integer = std::llrint(scaled);
  return std::bit_cast<std::uint64_t>(static_cast<double>(integer) / power) == std::bit_cast<std::uint64_t>(value);
}

// The least exponent that makes `value` an integer; above kExponentMax where none does.
unsigned exponent_of(double value) {
  std::int64_t integer = 0;
  unsigned exponent = 0;
  while (exponent <= kExponentMax && !to_decimal(value, kPowers[exponent], integer)) ++exponent;
  return exponent;
}

// The exponent with the least estimated size, by a sample: the width of the range against the exceptions. Above
// kExponentMax where the sample holds no decimal.
unsigned choose_exponent(std::span<const double> values) {
  // Of the sampled values that need each exponent.
  struct Group {
    double lowest = HUGE_VAL;
    double highest = -HUGE_VAL;
    unsigned count = 0;
  };
  std::array<Group, kExponentMax + 2> groups;
  const std::size_t size = std::min(values.size(), kSampleMax);
  for (std::size_t i = 0; i < size; ++i) {
    const double value = values[i * values.size() / size];
    Group& group = groups[exponent_of(value)];
    group.lowest = std::min(group.lowest, value);
    group.highest = std::max(group.highest, value);
    ++group.count;
  }
  unsigned best = kExponentMax + 1;
  double best_bits = HUGE_VAL;
  Group covered;
  for (unsigned exponent = 0; exponent <= kExponentMax; ++exponent) {
    const Group& group = groups[exponent];
    if (group.count == 0) continue;
    covered.lowest = std::min(covered.lowest, group.lowest);
    covered.highest = std::max(covered.highest, group.highest);
    covered.count += group.count;
    const double width = std::log2((covered.highest - covered.lowest) * kPowers[exponent] + 1);
    const auto exceptions = static_cast<double>((size - covered.count) * 8 * kPatchBytes);
    const double bits = width * static_cast<double>(size) + exceptions;
    if (bits >= best_bits) continue;
    best_bits = bits;
    best = exponent;
  }
  return best;
}

std::int64_t ordered_by_magnitude(double value) {
  return static_cast<std::int64_t>(std::rotl(std::bit_cast<std::uint64_t>(value), 1));
}
double from_ordered(std::uint64_t number) { return std::bit_cast<double>(std::rotr(number, 1)); }

void decode_values(const std::uint64_t* integers, std::size_t count, std::uint8_t exponent, Point* points) {
  if (exponent == kBitsExponent) {
    for (std::size_t i = 0; i < count; ++i) points[i].value = from_ordered(integers[i]);
    return;
  }
  const double power = kPowers[exponent];
  for (std::size_t i = 0; i < count; ++i) {
    points[i].value = static_cast<double>(static_cast<std::int64_t>(integers[i])) / power;
  }
}

// Opens the block at position.offset, of `count` points. False where it is damaged.
bool open_block(Slice body, std::int64_t first_time, std::uint32_t count, DecimalPosition& position) {
  const char* end = body.data() + body.size();
  const char* in = body.data() + position.offset;
  std::uint64_t bytes = 0;
  in = get_varint(in, end, bytes);
  if (in == nullptr || bytes > static_cast<std::size_t>(end - in) || bytes == 0) return false;
  end = in + bytes;
  position.offset = static_cast<std::size_t>(end - body.data());
  position.block_index = 0;
  position.block_count = count;
  position.exponent = static_cast<std::uint8_t>(*in++);
  if (position.exponent > kExponentMax && position.exponent != kBitsExponent) return false;
  std::uint64_t start = 0;
  std::uint64_t span = 0;
  std::uint64_t before = 0;
  in = get_varint(in, end, start);
  if (in != nullptr) in = get_varint(in, end, span);
  if (in != nullptr) in = get_varint(in, end, before);
  if (in != nullptr) in = open_column(in, end, count, position.times);
  if (in == nullptr || !position.times.delta) return false;
  in = open_column(in, end, count, position.values);
  if (in == nullptr || open_patches(in, end, count, position.exception_count) != end) return false;
  position.exceptions = end - position.exception_count * kPatchBytes;
  position.exceptions_used = 0;
  const std::uint64_t block_first_time = static_cast<std::uint64_t>(first_time) + start;
  position.block_last_time = static_cast<std::int64_t>(block_first_time + span);
  position.times.previous = block_first_time - position.times.base;
  position.values.previous = unzigzag(before);
  return true;
}

}  // namespace

void DecimalEncoder::append(Point point) {
  if (blocks_.empty() && pending_count_ == 0) first_time_ = point.time;
  times_[pending_count_] = point.time;
  values_[pending_count_] = point.value;
  if (++pending_count_ < kBlockPoints) return;
  append_block(blocks_);
  pending_count_ = 0;
}

void DecimalEncoder::append_body(std::string& out) {
  out.append(blocks_);
  if (pending_count_ > 0) append_block(out);
}

void DecimalEncoder::clear() {
  blocks_.clear();
  pending_count_ = 0;
}

// Sets integers_, exponent_ and exceptions_ from `values`; false where too few of these are decimals.
bool DecimalEncoder::to_decimals(std::span<const double> values) {
  exceptions_.clear();
  const unsigned exponent = choose_exponent(values);
  if (exponent > kExponentMax) return false;
  exponent_ = static_cast<std::uint8_t>(exponent);
  // An exception has the integer of its neighbour, so that it needs no patch as well.
  std::size_t without = 0;  // Values before the first that is a decimal.
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (to_decimal(values[i], kPowers[exponent], integers_[i])) {
      if (without == i) std::fill_n(integers_.begin(), i, integers_[i]);
      continue;
    }
    if (without == i) ++without;
    integers_[i] = i == 0 ? 0 : integers_[i - 1];
    append_patch(exceptions_, i, std::bit_cast<std::uint64_t>(values[i]));
  }
  return without < values.size();
}

// Sets integers_, exponent_ and exceptions_ to what `values` need least room as; the plan for integers_.
ColumnPlan DecimalEncoder::plan_values(std::span<const double> values) {
  const std::span<const std::int64_t> integers(integers_.data(), values.size());
  ColumnPlan decimal{.bits = HUGE_VAL};
  if (to_decimals(values)) {
    decimal = plan_column(integers);
    decimal.bits += static_cast<double>(exceptions_.size() * 8);
  }
  if (decimal.bits < kWideBits * static_cast<double>(values.size())) return decimal;
  std::transform(values.begin(), values.end(), integers_.begin(), ordered_by_magnitude);
  const ColumnPlan bits = plan_column(integers);
  if (bits.bits < decimal.bits) {
    exponent_ = kBitsExponent;
    exceptions_.clear();
    return bits;
  }
  to_decimals(values);
  return decimal;
}

void DecimalEncoder::append_block(std::string& out) {
  const std::span<const std::int64_t> times(times_.data(), pending_count_);
  const std::span<const std::int64_t> integers(integers_.data(), pending_count_);
  const auto difference = [](std::int64_t a, std::int64_t b) {
    return static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
  };
  const ColumnPlan plan = plan_values(std::span(values_.data(), pending_count_));
  block_.clear();
  block_.push_back(static_cast<char>(exponent_));
  append_varint(block_, difference(times.front(), first_time_));
  append_varint(block_, difference(times.back(), times.front()));
  append_varint(block_, plan.delta ? zigzag(static_cast<std::uint64_t>(integers.front()) - plan.base) : 0);
  append_column(block_, scratch_, times, plan_delta_column(times));
  append_column(block_, scratch_, integers, plan);
  append_varint(block_, exceptions_.size() / kPatchBytes);
  block_.append(exceptions_);
  append_varint(out, block_.size());
  out.append(block_);
}

bool read_decimal(Slice body, std::int64_t first_time, std::int64_t from, DecimalPosition& position,
                  std::uint32_t& left, Point* points, std::uint32_t& count, const char*& why) {
  while (position.block_index == position.block_count) {
    const auto block_count = std::min(left, static_cast<std::uint32_t>(kBlockPoints));
    if (!open_block(body, first_time, block_count, position)) {
      why = "a block is damaged";
      return false;
    }
    // The last block is always read: with it the end of the chunk is checked.
    if (position.block_last_time >= from || left == block_count) break;
    position.block_index = block_count;
    left -= block_count;
  }
  const std::uint32_t first = position.block_index;
  count = std::min(count, position.block_count - first);
  std::array<std::uint64_t, kGroupPoints> times;
  std::array<std::uint64_t, kGroupPoints> integers;
  read_column(position.times, first, count, times.data());
  read_column(position.values, first, count, integers.data());
  for (std::uint32_t i = 0; i < count; ++i) points[i].time = static_cast<std::int64_t>(times[i]);
  decode_values(integers.data(), count, position.exponent, points);
  for (; position.exceptions_used < position.exception_count; ++position.exceptions_used) {
    const std::size_t at = patch_position(position.exceptions, position.exceptions_used);
    if (at >= first + count) break;
    points[at - first].value = std::bit_cast<double>(patch_number(position.exceptions, position.exceptions_used));
  }
  position.block_index += count;
  left -= count;
  const bool block_ended = position.block_index == position.block_count;
  if (block_ended && points[count - 1].time != position.block_last_time) {
    why = "the last time of a block is not its head's";
    return false;
  }
  if (left == 0 && position.offset != body.size()) {
    why = "bytes follow the last point";
    return false;
  }
  return true;
}

}  // namespace firn::codec
