// Chimp128, to measure the chunks of firn/codec/chunk.h against (Liakos, Papakonstantinopoulou, Kotidis, "Chimp:
// Efficient Lossless Floating Point Compression for Time Series Databases", VLDB 2022, section 5). Values are XORed
// with one of the last 128. Times take one bit where they are regular and 65 where not.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/series/bit_io.h"
#include "firn/codec/chunk.h"

namespace firn::codec {

class Chimp128 {
 public:
  void append(Point point) {
    const auto bits = std::bit_cast<std::uint64_t>(point.value);
    put_time(point.time);
    put_value(bits);
    by_low_bits_[bits & kLowMask] = index_;
    recent_[index_++ % kRecent] = bits;
  }

  std::string finish() const {
    std::string out;
    out_.append_to(out);
    return out;
  }

  static std::vector<Point> read(const std::string& bytes, std::size_t count) {
    std::vector<Point> points(count);
    std::array<std::uint64_t, kRecent> recent{};
    BitReader in(bytes, 0);
    std::uint64_t time = 0, delta = 0, previous = 0;
    unsigned leading = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (in.get(1) != 0) delta += in.get(64);
      time += delta;
      if (i == 0) {
        previous = in.get(64);
      } else {
        previous = get_value(in, recent, previous, leading);
      }
      recent[i % kRecent] = previous;
      points[i] = {static_cast<std::int64_t>(time), std::bit_cast<double>(previous)};
    }
    return points;
  }

 private:
  static constexpr std::uint64_t kRecent = 128;
  static constexpr unsigned kRecentBits = 7;
  static constexpr unsigned kTrailingMin =
      6 + kRecentBits;  // More zeros than this make an older value worth its index.
  static constexpr std::uint64_t kLowMask = (std::uint64_t{1} << (kTrailingMin + 1)) - 1;
  static constexpr unsigned kNone = 65;
  static constexpr std::array<unsigned, 8> kLeading = {0, 8, 12, 16, 18, 20, 22, 24};
  enum Form : unsigned { kSame = 0, kOlder = 1, kSameLeading = 2, kNewLeading = 3 };

  static unsigned leading_code(std::uint64_t change) {
    const auto zeros = static_cast<unsigned>(std::countl_zero(change));
    unsigned code = 7;
    while (kLeading[code] > zeros) --code;
    return code;
  }

  void put_time(std::int64_t time) {
    const std::uint64_t delta = static_cast<std::uint64_t>(time) - time_;
    if (delta == delta_) {
      out_.put(0, 1);
    } else {
      out_.put(1, 1);
      out_.put(delta - delta_, 64);
    }
    delta_ = delta;
    time_ = static_cast<std::uint64_t>(time);
  }

  void put_value(std::uint64_t bits) {
    if (index_ == 0) return out_.put(bits, 64);
    const std::uint64_t candidate = by_low_bits_[bits & kLowMask];
    const bool known = candidate < index_ && index_ - candidate <= kRecent;
    const std::uint64_t older = known ? bits ^ recent_[candidate % kRecent] : ~std::uint64_t{0};
    if (older == 0) {
      leading_ = kNone;
      out_.put(std::uint64_t{kSame} << kRecentBits | candidate % kRecent, 2 + kRecentBits);
      return;
    }
    if (known && static_cast<unsigned>(std::countr_zero(older)) > kTrailingMin) {
      const unsigned code = leading_code(older);
      const auto trailing = static_cast<unsigned>(std::countr_zero(older));
      const unsigned length = 64 - kLeading[code] - trailing;
      out_.put(std::uint64_t{kOlder} << kRecentBits | candidate % kRecent, 2 + kRecentBits);
      out_.put(std::uint64_t{code} << 6 | length, 3 + 6);
      out_.put(older >> trailing, length);
      leading_ = kNone;
      return;
    }
    const std::uint64_t change = bits ^ recent_[(index_ - 1) % kRecent];
    const unsigned code = change == 0 ? 7 : leading_code(change);
    if (kLeading[code] == leading_) {
      out_.put(kSameLeading, 2);
    } else {
      out_.put(std::uint64_t{kNewLeading} << 3 | code, 2 + 3);
      leading_ = kLeading[code];
    }
    out_.put(change, 64 - leading_);
  }

  static std::uint64_t get_value(BitReader& in, const std::array<std::uint64_t, kRecent>& recent,
                                 std::uint64_t previous, unsigned& leading) {
    const std::uint64_t form = in.get(2);
    if (form == kSame || form == kOlder) {
      const std::uint64_t base = recent[in.get(kRecentBits)];
      leading = kNone;
      if (form == kSame) return base;
      const std::uint64_t head = in.get(3 + 6);
      const unsigned zeros = kLeading[head >> 6];
      const auto length = static_cast<unsigned>(head & 63);
      return base ^ in.get(length) << (64 - zeros - length);
    }
    if (form == kNewLeading) leading = kLeading[in.get(3)];
    return previous ^ in.get(64 - leading);
  }

  BitWriter out_;
  std::uint64_t time_ = 0;
  std::uint64_t delta_ = 0;
  std::uint64_t index_ = 0;  // Of the next point.
  unsigned leading_ = kNone;
  std::array<std::uint64_t, kRecent> recent_{};
  // Index of the last value with these low bits; an index that was never written is not below index_ by chance only.
  std::vector<std::uint64_t> by_low_bits_ = std::vector<std::uint64_t>(kLowMask + 1, ~std::uint64_t{0});
};

}  // namespace firn::codec
