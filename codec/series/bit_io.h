// Bits in the order of the Gorilla paper: most significant first, within bytes and across them.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "codec/varint.h"
#include "firn/slice.h"

namespace firn::codec {

class BitWriter {
 public:
  // Appends the low `count` bits of `value`, 1 to 64; the bits above are 0.
  void put(std::uint64_t value, unsigned count) {
    if (count < free_) {
      free_ -= count;
      pending_ |= value << free_;
      return;
    }
    const unsigned rest = count - free_;  // 0 to 63: bits that do not fit any more.
    append_word(bytes_, pending_ | value >> rest);
    pending_ = rest == 0 ? 0 : value << (64 - rest);
    free_ = 64 - rest;
  }

  // Appends everything to `out`, the last byte filled with zeros.
  void append_to(std::string& out) const {
    out.append(bytes_);
    char word[8];
    store(word, __builtin_bswap64(pending_));
    out.append(word, (64 - free_ + 7) / 8);
  }

  void clear() {
    bytes_.clear();
    pending_ = 0;
    free_ = 64;
  }

 private:
  static void append_word(std::string& out, std::uint64_t word) { append_fixed(out, __builtin_bswap64(word)); }

  std::string bytes_;
  std::uint64_t pending_ = 0;  // The bits after bytes_, from the top.
  unsigned free_ = 64;         // Of pending_; 1 to 64.
};

// Never looks past the bytes: bits after the end are 0, and `bit() > bit_count()` says that some were asked for.
class BitReader {
 public:
  BitReader(Slice bytes, std::uint64_t bit) : bytes_(bytes), bit_(bit) {}

  // The next 57 bits or more, from the top of the word; nothing is consumed.
  std::uint64_t peek() const {
    const std::uint64_t byte = bit_ / 8;
    if (byte + 8 <= bytes_.size()) {
      return __builtin_bswap64(load<std::uint64_t>(bytes_.data() + byte)) << (bit_ % 8);
    }
    return peek_at_end(byte) << (bit_ % 8);
  }

  void skip(unsigned count) { bit_ += count; }

  // The next `count` bits, 1 to 64.
  std::uint64_t get(unsigned count) {
    if (count > 32) {
      const std::uint64_t high = get(count - 32);
      return high << 32 | get(32);
    }
    const std::uint64_t value = peek() >> (64 - count);
    bit_ += count;
    return value;
  }

  std::uint64_t bit() const { return bit_; }
  std::uint64_t bit_count() const { return std::uint64_t{bytes_.size()} * 8; }

 private:
  std::uint64_t peek_at_end(std::uint64_t byte) const {
    std::uint64_t word = 0;
    for (std::uint64_t i = 0; i < 8; ++i) {
      word = word << 8 | (byte + i < bytes_.size() ? static_cast<unsigned char>(bytes_[byte + i]) : 0U);
    }
    return word;
  }

  Slice bytes_;
  std::uint64_t bit_;
};

}  // namespace firn::codec
