#include "lsm/version.h"

#include <algorithm>

#include "codec/key_head.h"
#include "platform/assert.h"

namespace firn::lsm {

Version::Version(std::array<TableList, kLevelCount> levels) : levels_(std::move(levels)) {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].empty()) continue;
    if (depth_ == 0) common_prefix_ = levels_[i][0]->meta().smallest_key;
    depth_ = static_cast<int>(i) + 1;
    for (const auto& table : levels_[i]) {
      for (const Slice key : {Slice(table->meta().smallest_key), Slice(table->meta().largest_key)}) {
        common_prefix_.resize(common_prefix_bytes(common_prefix_, key));
      }
      heads_[i].smallest.push_back(key_head(table->meta().smallest_key));
      heads_[i].largest.push_back(key_head(table->meta().largest_key));
    }
  }
}

std::size_t Version::lower_bound(int number, Slice key) const {
  const auto level = static_cast<std::size_t>(number);
  const TableList& tables = levels_[level];
  const std::vector<std::uint64_t>& heads = heads_[level].largest;
  const std::uint64_t head = key_head(key);
  auto i = static_cast<std::size_t>(std::lower_bound(heads.begin(), heads.end(), head) - heads.begin());
  if (i < heads.size() && heads[i] == head) {
    // Equal heads decide nothing: search the tables that share it by their whole keys.
    const auto last = std::upper_bound(heads.begin() + static_cast<std::ptrdiff_t>(i), heads.end(), head);
    const auto first_table = tables.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last_table = tables.begin() + (last - heads.begin());
    i = static_cast<std::size_t>(
        std::lower_bound(first_table, last_table, key,
                         [](const auto& table, Slice wanted) { return Slice(table->meta().largest_key) < wanted; }) -
        tables.begin());
  }
  return i;
}

const TableFile* Version::find(int number, Slice key) const {
  const std::size_t i = lower_bound(number, key);
  const TableList& tables = level(number);
  return i < tables.size() && in_range(number, i, key) ? tables[i].get() : nullptr;
}

bool Version::in_range(int number, std::size_t index, Slice key) const {
  const auto level = static_cast<std::size_t>(number);
  const std::uint64_t head = key_head(key);
  const std::uint64_t smallest = heads_[level].smallest[index];
  const std::uint64_t largest = heads_[level].largest[index];
  if (head < smallest || head > largest) return false;
  // Equal heads decide nothing.
  const TableMeta& meta = levels_[level][index]->meta();
  return (head != smallest || Slice(meta.smallest_key) <= key) && (head != largest || key <= Slice(meta.largest_key));
}

std::shared_ptr<const Version> next_version(const Version& base, const VersionChange& change) {
  std::array<TableList, kLevelCount> levels;
  const auto removed = [&change](const auto& table) {
    return std::find(change.removed.begin(), change.removed.end(), table->meta().id) != change.removed.end();
  };
  for (int number = 0; number < kLevelCount; ++number) {
    auto& level = levels[static_cast<std::size_t>(number)];
    for (const auto& table : base.level(number)) {
      if (!removed(table)) level.push_back(table);
    }
  }
  for (const auto& [number, table] : change.added) levels[static_cast<std::size_t>(number)].push_back(table);
  std::stable_sort(levels[0].begin(), levels[0].end(), [](const auto& a, const auto& b) {
    return a->meta().largest_sequence > b->meta().largest_sequence;
  });
  for (std::size_t i = 1; i < levels.size(); ++i) {
    auto& level = levels[i];
    std::sort(level.begin(), level.end(),
              [](const auto& a, const auto& b) { return a->meta().smallest_key < b->meta().smallest_key; });
    for (std::size_t t = 1; t < level.size(); ++t) {
      FIRN_ASSERT(level[t - 1]->meta().largest_key < level[t]->meta().smallest_key);
    }
  }
  return std::make_shared<const Version>(std::move(levels));
}

}  // namespace firn::lsm
