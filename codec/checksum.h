// The one checksum of Firn: XXH3, 64 bits (Collet, xxHash), seeded by where the bytes belong, so that a block or record
// found at another place, in another file or from an earlier life of a file never verifies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "firn/slice.h"

namespace firn {

// Checksum of `bytes` bound to `seed`; see place_seed.
std::uint64_t checksum(Slice bytes, std::uint64_t seed);
// The same for every processor; checksum() takes AVX2 where it is.
std::uint64_t checksum_portable(Slice bytes, std::uint64_t seed);

// The seed for bytes at `offset` of the file that is known as `file_id` (a table's id, a log segment's salt).
inline std::uint64_t place_seed(std::uint64_t file_id, std::uint64_t offset) {
  std::uint64_t x = file_id * 0x9E3779B97F4A7C15ULL ^ (offset + 0x165667B19E3779F9ULL);
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 29);
}

// Digest of a stream given in pieces: of a whole file as it is written.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(Slice bytes);
  std::uint64_t value() const;  // Of everything added so far.

 private:
  void* state_;
};

}  // namespace firn
