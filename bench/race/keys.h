// Keys, values and random choices of the race, the same for every engine from the same seed. All are cheap beside the
// operation they feed: a few nanoseconds, and no allocation.
//
// Thread safety: const members any thread; each thread has its own Rng and KeyBuffer.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace firn::race {

// splitmix64 of Steele, Lea and Flood (2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t next() { return mix(state_++); }
  // Uniform in [0, bound).
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

// Visits 0..count-1 in a random order, each once, without a table: a bijection on the next power of two, walked until
// it falls below count.
class Permutation {
 public:
  Permutation(std::uint64_t count, std::uint64_t seed);
  std::uint64_t operator()(std::uint64_t i) const {
    do i = scramble(i);
    while (i >= count_);
    return i;
  }

 private:
  // Each line is invertible on `bits` bits.
  std::uint64_t scramble(std::uint64_t x) const {
    x = (x * multiplier_ + addend_) & mask_;
    x ^= x >> half_;
    x = (x * 0xD6E8FEB86659FD93) & mask_;
    x ^= x >> half_;
    x = (x * 0xD6E8FEB86659FD93) & mask_;
    return x ^ (x >> half_);
  }

  std::uint64_t count_;
  std::uint64_t mask_;
  int half_;
  std::uint64_t multiplier_;  // Odd.
  std::uint64_t addend_;
};

// The layout of keys. kNumber is db_bench's: the index in 8 big-endian bytes and eight '0's.
enum class KeyForm : std::uint8_t {
  kNumber,   // 16 bytes.
  kMissing,  // As kNumber, but ends in '1': between the keys of kNumber, never one of them.
  kPrefix,   // 8 bytes that name an owner, a tag byte, 8 bytes of suffix; kRowsPerPrefix rows to an owner.
  kUser,     // YCSB's: "user" and the decimal digits of a hash.
};

inline constexpr std::uint64_t kRowsPerPrefix = 10;
inline constexpr std::size_t kOwnerBytes = 8;

class KeyBuffer {
 public:
  explicit KeyBuffer(KeyForm form) : form_(form) { bytes_.fill('0'); }
  // The key of row `index`; valid until the next call.
  std::string_view operator()(std::uint64_t index) {
    if (form_ == KeyForm::kNumber) return number(index);
    return other(index);
  }

 private:
  std::string_view number(std::uint64_t index) {
    const std::uint64_t big_endian = __builtin_bswap64(index);
    std::memcpy(bytes_.data(), &big_endian, sizeof(big_endian));
    return {bytes_.data(), 16};
  }
  std::string_view other(std::uint64_t index);

  KeyForm form_;
  std::array<char, 32> bytes_;
};

// The bytes shared by the keys (of form kPrefix) of one owner.
std::array<char, kOwnerBytes> owner_prefix(std::uint64_t owner);

// Values that do not compress, cut from one pool: the value of a row never changes, so any read can be checked.
class Values {
 public:
  explicit Values(std::size_t value_bytes);
  std::string_view operator()(std::uint64_t index) const {
    return {pool_.data() + mix(index) % kPoolBytes, value_bytes_};
  }
  // Whether `value` is that of row `index`, judged by its size and both ends.
  bool matches(std::string_view value, std::uint64_t index) const {
    if (value.size() != value_bytes_) return false;
    const std::string_view expected = (*this)(index);
    const std::size_t tail = value_bytes_ - 8;
    return std::memcmp(value.data(), expected.data(), 8) == 0 &&
           std::memcmp(value.data() + tail, expected.data() + tail, 8) == 0;
  }
  std::size_t bytes() const { return value_bytes_; }

 private:
  static constexpr std::size_t kPoolBytes = std::size_t{64} << 10;  // Small: it must not push the engine out of caches.

  std::size_t value_bytes_;  // At least 8.
  std::string pool_;
};

// `count` row numbers in [0, rows) with YCSB's scrambled Zipf distribution of exponent 0.99; made before the clock
// runs.
std::vector<std::uint32_t> zipf_choices(std::uint64_t rows, std::uint64_t count, std::uint64_t seed, bool scrambled);

}  // namespace firn::race
