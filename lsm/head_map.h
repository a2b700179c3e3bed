// Eight-byte heads of the keys of one family that keep their order, so that merging runs compares numbers: the bytes
// that follow what all of its tables' keys begin with. Keys that begin otherwise (in memtables, or sought) are below or
// above all of them.
//
// Thread safety: immutable. Lifetime: the prefix outlives the map.
#pragma once

#include <cstdint>
#include <limits>

#include "codec/key_head.h"
#include "firn/slice.h"

namespace firn::lsm {

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
