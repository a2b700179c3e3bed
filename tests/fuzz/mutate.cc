#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace firn::fuzz {

namespace {

constexpr std::size_t kPieceBytesMax = 64;

std::size_t below(std::size_t end, std::mt19937_64& random) { return end == 0 ? 0 : random() % end; }

// Writes a number that is often on an edge, of 1, 2, 4 or 8 bytes, over what is at `at`.
void put_number(std::string& bytes, std::size_t at, std::mt19937_64& random) {
  static constexpr std::array<std::uint64_t, 8> kEdges = {0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFFFFFF, UINT64_MAX};
  std::uint64_t value = kEdges[below(kEdges.size(), random)];
  if (random() % 2 == 0) value += random() % 64 - 32;
  for (std::size_t left = std::size_t{1} << random() % 4; left > 0 && at < bytes.size(); --left, ++at) {
    bytes[at] = static_cast<char>(value);
    value >>= 8;
  }
}

void change(std::string& bytes, const std::vector<std::string>& inputs, std::mt19937_64& random) {
  const std::size_t at = below(bytes.size() + 1, random);
  const std::size_t piece = below(std::min(kPieceBytesMax, bytes.size() - at) + 1, random);
  switch (random() % 8) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    case 2: put_number(bytes, at, random); break;
    case 3: bytes.erase(at, piece); break;
    case 4: bytes.insert(at, bytes.substr(at, piece)); break;
    case 5: bytes.insert(at, std::string(1 + random() % 8, static_cast<char>(random()))); break;
    case 6: {
      const std::string& other = inputs[below(inputs.size(), random)];
      bytes.replace(at, piece, other, below(other.size() + 1, random), kPieceBytesMax);
      break;
    }
    default: {
      const std::string moved = bytes.substr(at, piece);
      bytes.replace(below(bytes.size() + 1, random), piece, moved);
      break;
    }
  }
}

}  // namespace

std::string mutate(const std::vector<std::string>& inputs, std::mt19937_64& random) {
  std::string bytes = inputs[below(inputs.size(), random)];
  for (std::uint64_t changes = 1 + random() % 8; changes > 0; --changes) change(bytes, inputs, random);
  return bytes;
}

}  // namespace firn::fuzz
