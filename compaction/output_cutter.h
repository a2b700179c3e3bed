// Decides where one output table ends and the next begins.
//
// Thread safety: one thread at a time. Lifetime: the boundaries outlive the cutter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compaction/picker.h"
#include "firn/slice.h"

namespace firn::compaction {

class OutputCutter {
 public:
  // As in CompactionPlan; `table_bytes` 0: tables end at boundaries only where they must.
  OutputCutter(std::uint64_t table_bytes, const std::vector<Boundary>& grandparents, std::uint64_t overlap_bytes_max)
      : table_bytes_(table_bytes), grandparents_(grandparents), overlap_bytes_max_(overlap_bytes_max) {}

  // Whether the present table, of `file_bytes`, ends before `key`. Called once for each key, in order.
  bool cut_before(Slice key, std::uint64_t file_bytes) {
    const bool crossed = cross(key);
    if (table_bytes_ > 0 && file_bytes >= table_bytes_) return true;
    if (!crossed) return false;
    // Beyond half its size a table ends where one of the level below ends: a later compaction then touches one less.
    return overlap_bytes_ > overlap_bytes_max_ || (table_bytes_ > 0 && file_bytes >= table_bytes_ / 2);
  }
  // A table begins with the key asked for last.
  void begin_table() { overlap_bytes_ = 0; }

 private:
  // Whether `key` is beyond a boundary that the key before it was not.
  bool cross(Slice key) {
    bool crossed = false;
    while (next_ < grandparents_.size() && key > grandparents_[next_].largest_key) {
      overlap_bytes_ += grandparents_[next_].bytes;
      ++next_;
      crossed = true;
    }
    return crossed;
  }

  const std::uint64_t table_bytes_;
  const std::vector<Boundary>& grandparents_;
  const std::uint64_t overlap_bytes_max_;
  std::size_t next_ = 0;             // First boundary not passed.
  std::uint64_t overlap_bytes_ = 0;  // Of boundaries passed since the present table began.
};

}  // namespace firn::compaction
