#include "lsm/version.h"

#include <algorithm>

#include "codec/key_head.h"
#include "platform/assert.h"
#include "sstable/block_reader.h"

namespace firn::lsm {

Version::Version(std::array<TableList, kLevelCount> levels) : levels_(std::move(levels)) {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].empty()) continue;
    if (depth_ == 0) common_prefix_ = levels_[i][0]->meta().smallest_key;
    depth_ = static_cast<int>(i) + 1;
    if (i > 0) deeper_.push_back(static_cast<std::uint8_t>(i));
    for (const auto& table : levels_[i]) {
      for (const Slice key : {Slice(table->meta().smallest_key), Slice(table->meta().largest_key)}) {
        common_prefix_.resize(common_prefix_bytes(common_prefix_, key));
      }
    }
  }
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    for (const auto& table : levels_[i]) {
      heads_[i].smallest.push_back(head(table->meta().smallest_key));
      heads_[i].largest.push_back(head(table->meta().largest_key));
    }
  }
  for (std::size_t i = 0; i < levels_[0].size(); ++i) {
    newest_.push_back({heads_[0].smallest[i], heads_[0].largest[i], levels_[0][i].get()});
  }
}

std::size_t Version::lower_bound(int number, std::uint64_t head, Slice key) const {
  const auto level = static_cast<std::size_t>(number);
  return levels_[level].empty() ? 0 : lower_bound(levels_[level], heads_[level], head, key);
}

// Precondition: there are tables.
std::size_t Version::lower_bound(const TableList& tables, const Heads& heads, std::uint64_t head, Slice key) const {
  const std::vector<std::uint64_t>& largest = heads.largest;
  const std::size_t i = sstable::count_heads_below(reinterpret_cast<const char*>(largest.data()),
                                                   static_cast<std::uint32_t>(largest.size()), head);
  if (i == largest.size() || largest[i] != head) [[likely]]
    return i;
  // Equal heads decide nothing: search the tables that share it by their whole keys.
  const auto last = std::upper_bound(largest.begin() + static_cast<std::ptrdiff_t>(i), largest.end(), head);
  const auto found =
      std::lower_bound(tables.begin() + static_cast<std::ptrdiff_t>(i), tables.begin() + (last - largest.begin()), key,
                       [](const auto& table, Slice wanted) { return Slice(table->meta().largest_key) < wanted; });
  return static_cast<std::size_t>(found - tables.begin());
}

const TableFile* Version::find_deeper(std::size_t number, std::uint64_t head, Slice key) const {
  const std::size_t level = deeper_[number];
  const TableList& tables = levels_[level];
  const Heads& heads = heads_[level];
  const std::size_t i = lower_bound(tables, heads, head, key);
  if (i == tables.size()) return nullptr;
  return Bounded{heads.smallest[i], heads.largest[i], tables[i].get()}.find(head, key);
}

bool Version::in_range(const TableFile& table, Slice key) {
  return Slice(table.meta().smallest_key) <= key && key <= Slice(table.meta().largest_key);
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
