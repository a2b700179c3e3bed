#include "sstable/filter.h"

#include <algorithm>
#include <cstring>

namespace firn::sstable {

namespace {

constexpr std::size_t kPieceBytesMin = std::size_t{4} << 10;
constexpr std::size_t kPieceBytesMax = std::size_t{256} << 10;

// Misses on the lines are overlapped: each line is asked for this many hashes before it is needed.
constexpr std::size_t kAhead = 16;

void set_bits(char* line, std::uint64_t hash) {
  for (std::size_t w = 0; w < kFilterWords; ++w) {
    store(line + 8 * w, load<std::uint64_t>(line + 8 * w) | std::uint64_t{1} << filter_bit(hash, w));
  }
}

}  // namespace

bool FilterBuilder::add_piece() {
  const std::size_t bytes = std::clamp(capacity_ * sizeof(std::uint64_t), kPieceBytesMin, kPieceBytesMax);
  auto* const hashes = static_cast<std::uint64_t*>(allocate_pages(bytes));
  if (hashes == nullptr) return false;
  const Piece& piece = pieces_.emplace_back(hashes, FreePages{bytes});
  capacity_ += capacity_of(piece);
  at_ = hashes;
  end_ = hashes + capacity_of(piece);
  return true;
}

std::uint64_t FilterBuilder::bytes() const {
  if (count() == 0) return 0;
  constexpr std::uint64_t kLinesMax = UINT32_MAX;
  const std::uint64_t lines = (count() * bits_per_key_ + 8 * kFilterLineBytes - 1) / (8 * kFilterLineBytes);
  return std::min(lines, kLinesMax) * kFilterLineBytes;
}

void FilterBuilder::finish(char* out) {
  const std::uint64_t lines = bytes() / kFilterLineBytes;
  if (lines != 0) std::memset(out, 0, lines * kFilterLineBytes);
  const auto line = [&](std::uint64_t hash) { return out + kFilterLineBytes * filter_line(hash, lines); };
  for (const Piece& piece : pieces_) {
    const std::uint64_t* const end = &piece == &pieces_.back() ? at_ : piece.get() + capacity_of(piece);
    for (const std::uint64_t* hash = piece.get(); hash != end; ++hash) {
      if (static_cast<std::size_t>(end - hash) > kAhead) __builtin_prefetch(line(hash[kAhead]), 1);
      set_bits(line(*hash), *hash);
    }
  }
  pieces_.clear();
  capacity_ = 0;
  at_ = end_ = nullptr;
}

}  // namespace firn::sstable
