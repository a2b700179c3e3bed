// Eight-byte heads of the keys of one family that keep their order, so that merging runs compares numbers: the bytes
// that follow what all of its tables' keys begin with, or all keys within an iterator's bounds. Keys that begin
// otherwise (in memtables, beyond the bounds, or sought) are below or above all of them.
//
// Thread safety: immutable. Lifetime: the prefix outlives the map.
#pragma once

#include <cstdint>
#include <limits>

#include "codec/key_head.h"
#include "firn/slice.h"

namespace firn::lsm {

// What all keys from `lower` to before `upper` begin with, as a part of `lower`; anything where there are no such keys.
inline Slice shared_prefix(Slice lower, Slice upper) {
  const auto byte = [](Slice key, std::size_t i) { return static_cast<unsigned char>(key[i]); };
  std::size_t bytes = common_prefix_bytes(lower, upper);
  // As scans of a prefix have it: `upper` is the first key after all those with `lower`'s next byte, and after all
  // those from `lower` on if only bytes of 0xFF follow that.
  if (bytes + 1 == upper.size() && bytes < lower.size() && byte(lower, bytes) + 1 == byte(upper, bytes)) {
    do {
      ++bytes;
    } while (bytes < lower.size() && byte(lower, bytes) == 0xFF);
  }
  return lower.substr(0, bytes);
}

class HeadMap {
 public:
  explicit HeadMap(Slice prefix) : prefix_(prefix) {}

  Slice prefix() const { return prefix_; }
  // head(a) < head(b) implies a < b; equal heads decide nothing.
  std::uint64_t head(Slice key) const {
    if (has_prefix(key, prefix_)) [[likely]]
      return key_head(key, prefix_.size());
    return key < prefix_ ? 0 : std::numeric_limits<std::uint64_t>::max();
  }

 private:
  Slice prefix_;
};

}  // namespace firn::lsm
