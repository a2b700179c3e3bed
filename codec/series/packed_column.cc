// Tested by tests/codec/series/packed_column_test.cc.
#include "codec/series/packed_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "codec/varint.h"

namespace firn::codec {
namespace {

constexpr unsigned char kDeltaBit = 0x80;  // Of the byte that holds the width.

std::uint64_t mask(unsigned width) { return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1; }

// The difference of numbers[i] to the one before; precondition: i > 0.
std::int64_t difference(std::span<const std::int64_t> numbers, std::size_t i) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(numbers[i]) - static_cast<std::uint64_t>(numbers[i - 1]));
}

// Plans the `count` numbers that `at` gives, from their range and a sample of them: a window that leaves out some of
// the sample may be so much narrower that the patches are paid for.
template <class At>
ColumnPlan plan(std::size_t count, At at) {
  std::int64_t lowest = at(0);
  std::int64_t highest = lowest;
  for (std::size_t i = 1; i < count; ++i) {
    const std::int64_t number = at(i);
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
  }
  const auto low = static_cast<std::uint64_t>(lowest);
  const std::uint64_t range = static_cast<std::uint64_t>(highest) - low;
  const auto full_width = static_cast<unsigned>(std::bit_width(range));
  const auto all = static_cast<double>(count);
  ColumnPlan best{.delta = false, .width = full_width, .base = low, .bits = full_width * all};
  if (full_width == 0) return best;

  std::array<std::uint64_t, kSampleMax> sample;  // Offsets from the lowest number, in order.
  const std::size_t size = std::min(count, kSampleMax);
  for (std::size_t i = 0; i < size; ++i) {
    sample[i] = static_cast<std::uint64_t>(at(i * count / size)) - low;
  }
  std::sort(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));
  for (std::size_t left_out = 0; left_out < size / 2; left_out = left_out == 0 ? 1 : left_out * 2) {
    const std::size_t kept = size - left_out;
    std::size_t start = 0;
    for (std::size_t i = 1; i <= left_out; ++i) {
      if (sample[i + kept - 1] - sample[i] < sample[start + kept - 1] - sample[start]) start = i;
    }
    const std::uint64_t span = sample[start + kept - 1] - sample[start];
    const auto width = static_cast<unsigned>(std::bit_width(span));
    const double patches = all * static_cast<double>(left_out) / static_cast<double>(size);
    const double bits = width * all + patches * 8 * kPatchBytes;
    if (bits >= best.bits) continue;
    // What the width covers beyond the window goes to both sides, within the range.
    const std::uint64_t spare = mask(width) - span;
    std::uint64_t base = sample[start] - std::min(sample[start], spare / 2);
    if (base > range - mask(width)) base = range - mask(width);
    best = {.delta = false, .width = width, .base = low + base, .bits = bits};
  }
  return best;
}

// Appends the numbers that `at` gives; see append_column.
template <class At>
void append_packed(std::string& out, std::string& patches, std::size_t count, const ColumnPlan& plan, At at) {
  out.push_back(static_cast<char>(plan.width | (plan.delta ? kDeltaBit : 0U)));
  append_varint(out, zigzag(plan.base));
  patches.clear();
  std::uint64_t word = 0;
  unsigned used = 0;  // Bits of `word`, fewer than 64.
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint64_t>(at(i));
    std::uint64_t offset = number - plan.base;
    if (offset > mask(plan.width)) {
      append_patch(patches, i, number);
      offset = 0;
    }
    word |= offset << used;
    used += plan.width;
    if (used < 64) continue;
    append_fixed(out, word);
    used -= 64;
    word = used == 0 ? 0 : offset >> (plan.width - used);
  }
  char tail[8];
  store(tail, word);
  out.append(tail, (used + 7) / 8);
  append_varint(out, patches.size() / kPatchBytes);
  out.append(patches);
}

}  // namespace

ColumnPlan plan_delta_column(std::span<const std::int64_t> numbers) {
  ColumnPlan best;
  if (numbers.size() > 1) best = plan(numbers.size() - 1, [&](std::size_t i) { return difference(numbers, i + 1); });
  best.delta = true;
  return best;
}

ColumnPlan plan_column(std::span<const std::int64_t> numbers) {
  const ColumnPlan direct = plan(numbers.size(), [&](std::size_t i) { return numbers[i]; });
  const ColumnPlan delta = plan_delta_column(numbers);
  return delta.bits + 64 < direct.bits ? delta : direct;  // The number before the first is stored, too.
}

void append_column(std::string& out, std::string& scratch, std::span<const std::int64_t> numbers,
                   const ColumnPlan& plan) {
  if (plan.delta) {
    append_packed(out, scratch, numbers.size(), plan, [&](std::size_t i) {
      return i == 0 ? static_cast<std::int64_t>(plan.base) : difference(numbers, i);
    });
  } else {
    append_packed(out, scratch, numbers.size(), plan, [&](std::size_t i) { return numbers[i]; });
  }
}

std::size_t patch_position(const char* patches, std::size_t index) {
  return load<std::uint16_t>(patches + index * kPatchBytes);
}

std::uint64_t patch_number(const char* patches, std::size_t index) {
  return load<std::uint64_t>(patches + index * kPatchBytes + 2);
}

void append_patch(std::string& out, std::size_t position, std::uint64_t number) {
  append_fixed(out, static_cast<std::uint16_t>(position));
  append_fixed(out, number);
}

const char* open_patches(const char* in, const char* end, std::size_t count, std::uint32_t& patch_count) {
  std::uint64_t patches = 0;
  in = get_varint(in, end, patches);
  if (in == nullptr || patches > count || static_cast<std::size_t>(end - in) < patches * kPatchBytes) return nullptr;
  for (std::size_t i = 0; i < patches; ++i) {
    if (patch_position(in, i) >= count) return nullptr;
    if (i > 0 && patch_position(in, i) <= patch_position(in, i - 1)) return nullptr;
  }
  patch_count = static_cast<std::uint32_t>(patches);
  return in + patches * kPatchBytes;
}

const char* open_column(const char* in, const char* end, std::size_t count, PackedColumn& column) {
  if (in == end) return nullptr;
  const auto head = static_cast<unsigned char>(*in++);
  column.delta = (head & kDeltaBit) != 0;
  column.width = head & ~unsigned{kDeltaBit};
  std::uint64_t base = 0;
  in = get_varint(in, end, base);
  if (in == nullptr || column.width > 64) return nullptr;
  const std::size_t packed_bytes = (count * column.width + 7) / 8;
  if (static_cast<std::size_t>(end - in) < packed_bytes) return nullptr;
  column.base = unzigzag(base);
  column.packed = in;
  const char* after = open_patches(in + packed_bytes, end, count, column.patch_count);
  if (after == nullptr) return nullptr;
  column.patches = after - column.patch_count * kPatchBytes;
  column.patches_used = 0;
  return after;
}

void read_column(PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out) {
  const unsigned width = column.width;
  if (width == 0) {
    std::fill(out, out + count, column.base);
  } else {
    // Eight bytes may be loaded at any number's first one: a copy with room behind it spares the check.
    std::array<char, kGroupPoints * 8 + 8> group;
    const std::size_t bytes = (count * width + 7) / 8;
    std::memcpy(group.data(), column.packed + first / 8 * width, bytes);
    std::memset(group.data() + bytes, 0, 8);
    const std::uint64_t wanted = mask(width);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bit = i * width;
      const char* at = group.data() + bit / 8;
      std::uint64_t number = load<std::uint64_t>(at) >> (bit % 8);
      if (width > 57 && bit % 8 != 0) number |= std::uint64_t{load<std::uint8_t>(at + 8)} << (64 - bit % 8);
      out[i] = column.base + (number & wanted);
    }
  }
  while (column.patches_used < column.patch_count) {
    const std::size_t position = patch_position(column.patches, column.patches_used);
    if (position >= first + count) break;
    out[position - first] = patch_number(column.patches, column.patches_used++);
  }
  if (!column.delta) return;
  for (std::size_t i = 0; i < count; ++i) out[i] = column.previous += out[i];
}

}  // namespace firn::codec
