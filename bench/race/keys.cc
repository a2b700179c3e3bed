#include "bench/race/keys.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

namespace firn::race {

Permutation::Permutation(std::uint64_t count, std::uint64_t seed)
    : count_(count),
      mask_(std::bit_ceil(std::max<std::uint64_t>(count, 4)) - 1),
      multiplier_(mix(seed) | 1),
      addend_(mix(seed + 1)) {
  half_ = static_cast<int>(std::bit_width(mask_)) / 2;
}

std::array<char, kOwnerBytes> owner_prefix(std::uint64_t owner) {
  const std::uint64_t hash = mix(owner);
  std::array<char, kOwnerBytes> bytes;
  std::memcpy(bytes.data(), &hash, sizeof(hash));
  return bytes;
}

std::string_view KeyBuffer::other(std::uint64_t index) {
  if (form_ == KeyForm::kMissing) {
    number(index);
    bytes_[15] = '1';
    return {bytes_.data(), 16};
  }
  if (form_ == KeyForm::kPrefix) {
    const auto prefix = owner_prefix(index / kRowsPerPrefix);
    std::memcpy(bytes_.data(), prefix.data(), prefix.size());
    bytes_[8] = static_cast<char>('a' + index % kRowsPerPrefix / 4);
    const std::uint64_t suffix = mix(~index);
    std::memcpy(bytes_.data() + 9, &suffix, sizeof(suffix));
    return {bytes_.data(), 17};
  }
  std::memcpy(bytes_.data(), "user", 4);
  const auto end = std::to_chars(bytes_.data() + 4, bytes_.data() + bytes_.size(), mix(index));
  return {bytes_.data(), static_cast<std::size_t>(end.ptr - bytes_.data())};
}

Values::Values(std::size_t value_bytes) : value_bytes_(value_bytes), pool_(kPoolBytes + value_bytes, '\0') {
  Rng rng(1);
  for (char& byte : pool_) byte = static_cast<char>(rng.next());
}

// Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD 1994), as in YCSB.
std::vector<std::uint32_t> zipf_choices(std::uint64_t rows, std::uint64_t count, std::uint64_t seed, bool scrambled) {
  constexpr double kTheta = 0.99;
  double zeta = 0;
  for (std::uint64_t i = 1; i <= rows; ++i) zeta += 1 / std::pow(static_cast<double>(i), kTheta);
  const double n = static_cast<double>(rows);
  const double zeta2 = 1 + std::pow(0.5, kTheta);
  const double alpha = 1 / (1 - kTheta);
  const double eta = (1 - std::pow(2 / n, 1 - kTheta)) / (1 - zeta2 / zeta);

  Rng rng(seed);
  std::vector<std::uint32_t> choices(count);
  for (std::uint32_t& choice : choices) {
    const double u = static_cast<double>(rng.next() >> 11) * 0x1p-53;
    const double uz = u * zeta;
    std::uint64_t rank = static_cast<std::uint64_t>(n * std::pow(eta * u - eta + 1, alpha));
    if (uz < 1) {
      rank = 0;
    } else if (uz < zeta2) {
      rank = 1;
    }
    rank = std::min(rank, rows - 1);
    choice = static_cast<std::uint32_t>(scrambled ? mix(rank) % rows : rank);
  }
  return choices;
}

}  // namespace firn::race
