// What a search for records behind damage may cost. Hashing starts at every place that looks like a record; in real
// data few do, but data can be made to, everywhere.
//
// Thread safety: one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "wal/log_format.h"

namespace firn::wal {

class SearchBudget {
 public:
  explicit SearchBudget(std::uint64_t file_bytes) : left_(4 * file_bytes + (std::uint64_t{1} << 20)) {}

  // Takes what was hashed in vain. False when that was too much: the search ends.
  bool spend(std::uint64_t bytes) {
    exhausted_ |= bytes > left_;
    left_ -= std::min(bytes, left_);
    return !exhausted_;
  }
  bool exhausted() const { return exhausted_; }

 private:
  std::uint64_t left_;
  bool exhausted_ = false;
};

// How far it is from a place where no record is, at the front of `rest`, to the next one where one may be.
inline std::size_t search_step(Slice rest) { return std::max<std::size_t>(bytes_without_record(rest), 1); }

}  // namespace firn::wal
