// Tested by tests/codec/series/chunk_test.cc.
#include "codec/series/gorilla.h"

#include <algorithm>
#include <bit>

namespace firn::codec {
namespace {

// Forms of a delta of delta: as many ones as the index, a zero (not after five), and `payload` bits. Payloads of fewer
// than 64 bits hold -2^(n-1)+1 to 2^(n-1), as in the paper.
constexpr unsigned kTimePayloads[] = {0, 7, 9, 12, 32, 64};
constexpr unsigned kTimeFormMax = 5;

constexpr unsigned kLeadingBits = 5;
constexpr unsigned kLeadingMax = 31;
constexpr unsigned kLengthBits = 6;  // A length of 64 is written as 0.

bool fits(std::int64_t value, unsigned payload) {
  const std::int64_t half = std::int64_t{1} << (payload - 1);
  return -half < value && value <= half;
}

std::int64_t payload_value(std::uint64_t bits, unsigned payload) {
  if (payload == 64) return static_cast<std::int64_t>(bits);
  const std::uint64_t half = std::uint64_t{1} << (payload - 1);
  return static_cast<std::int64_t>(bits > half ? bits - 2 * half : bits);
}

std::uint64_t low_bits(std::uint64_t value, unsigned count) {
  return count == 64 ? value : value & ((1ULL << count) - 1);
}

}  // namespace

void GorillaEncoder::append(Point point) {
  const auto bits = std::bit_cast<std::uint64_t>(point.value);
  if (last_.started) {
    put_time(point.time);
    put_value(bits);
  } else {
    bits_out_.put(bits, 64);
    last_.started = true;
  }
  last_.time = point.time;
  last_.bits = bits;
}

void GorillaEncoder::clear() {
  bits_out_.clear();
  last_ = {};
}

// Differences wrap around; the reader's sums wrap back.
void GorillaEncoder::put_time(std::int64_t time) {
  const std::uint64_t delta = static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(last_.time);
  const auto change = static_cast<std::int64_t>(delta - last_.delta);
  last_.delta = delta;
  if (change == 0) return bits_out_.put(0, 1);
  unsigned form = 1;
  while (form < kTimeFormMax && !fits(change, kTimePayloads[form])) ++form;
  const unsigned payload = kTimePayloads[form];
  if (form == kTimeFormMax) {
    bits_out_.put(0b11111, 5);
    return bits_out_.put(static_cast<std::uint64_t>(change), 64);
  }
  const std::uint64_t ones = ((1ULL << form) - 1) << 1;
  bits_out_.put(ones << payload | low_bits(static_cast<std::uint64_t>(change), payload), form + 1 + payload);
}

void GorillaEncoder::put_value(std::uint64_t bits) {
  const std::uint64_t change = bits ^ last_.bits;
  if (change == 0) return bits_out_.put(0, 1);
  const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(change)), kLeadingMax);
  const auto trailing = static_cast<unsigned>(std::countr_zero(change));
  const unsigned length = 64 - leading - trailing;
  const unsigned window_length = 64 - last_.leading - last_.trailing;
  const bool fits_window = last_.has_window && leading >= last_.leading && trailing >= last_.trailing;
  if (fits_window && window_length <= length + kLeadingBits + kLengthBits) {
    bits_out_.put(0b10, 2);
    return bits_out_.put(change >> last_.trailing, window_length);
  }
  const std::uint64_t window = std::uint64_t{leading} << kLengthBits | (length & 63);
  bits_out_.put(std::uint64_t{0b11} << (kLeadingBits + kLengthBits) | window, 2 + kLeadingBits + kLengthBits);
  bits_out_.put(change >> trailing, length);
  last_.leading = leading;
  last_.trailing = trailing;
  last_.has_window = true;
}

bool read_gorilla(Slice body, std::int64_t first_time, GorillaPosition& position, Point* points, std::uint32_t count,
                  const char*& why) {
  BitReader reader(body, position.bit);
  GorillaPosition p = position;
  std::uint32_t i = 0;
  if (!p.started) {
    p.started = true;
    p.time = first_time;
    p.bits = reader.get(64);
    points[i++] = {p.time, std::bit_cast<double>(p.bits)};
  }
  for (; i < count; ++i) {
    std::uint64_t word = reader.peek();
    if (word >> 63 == 0) {
      reader.skip(1);
    } else {
      const unsigned form = std::min(static_cast<unsigned>(std::countl_one(word)), kTimeFormMax);
      reader.skip(form == kTimeFormMax ? form : form + 1);
      const unsigned payload = kTimePayloads[form];
      p.delta += static_cast<std::uint64_t>(payload_value(reader.get(payload), payload));
    }
    p.time = static_cast<std::int64_t>(static_cast<std::uint64_t>(p.time) + p.delta);

    word = reader.peek();
    if (word >> 63 == 0) {
      reader.skip(1);
    } else {
      if (word >> 62 == 0b10) {
        reader.skip(2);
      } else {
        reader.skip(2 + kLeadingBits + kLengthBits);
        p.leading = static_cast<unsigned>(word >> 57) & kLeadingMax;
        const auto length = static_cast<unsigned>(word >> 51) & 63;
        const unsigned meaningful = length == 0 ? 64 : length;
        if (p.leading + meaningful > 64) {
          why = "meaningful bits beyond the end of a double";
          return false;
        }
        p.trailing = 64 - p.leading - meaningful;
        p.has_window = true;
      }
      if (!p.has_window) {
        why = "a window is used before there is one";
        return false;
      }
      p.bits ^= reader.get(64 - p.leading - p.trailing) << p.trailing;
    }
    points[i] = {p.time, std::bit_cast<double>(p.bits)};
  }
  p.bit = reader.bit();
  position = p;
  if (p.bit <= reader.bit_count()) return true;
  why = "the bits end before the points do";
  return false;
}

bool gorilla_ended(Slice body, const GorillaPosition& position) {
  const std::uint64_t bit_count = std::uint64_t{body.size()} * 8;
  if (bit_count - position.bit > 7) return false;
  const auto padding = static_cast<unsigned>(bit_count - position.bit);
  return padding == 0 || low_bits(static_cast<unsigned char>(body.back()), padding) == 0;
}

}  // namespace firn::codec
