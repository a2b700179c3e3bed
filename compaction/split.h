// Cuts one compaction into parts that can run at once: sub-compactions (CompactionTask::after, up_to).
//
// Thread safety: pure function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace firn::compaction {

// A place in a sorted input of a compaction.
struct SplitMark {
  std::string key;
  std::uint64_t bytes = 0;  // Of the input between the mark before, or its beginning, and `key`.
};

// At most parts - 1 keys, ascending, each that of a mark, that divide the bytes of all inputs about evenly: part i
// takes the keys in (keys[i - 1], keys[i]].
std::vector<std::string> split_keys(std::vector<SplitMark> marks, std::size_t parts);

}  // namespace firn::compaction
