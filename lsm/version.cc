#include "lsm/version.h"

#include <algorithm>

#include "codec/key_head.h"
#include "platform/assert.h"

namespace firn::lsm {

Version::Version(std::array<TableList, kLevelCount> levels) : levels_(std::move(levels)) {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].empty()) continue;
    depth_ = static_cast<int>(i) + 1;
    if (i == 0) continue;
    largest_heads_[i].reserve(levels_[i].size());
    for (const auto& table : levels_[i]) largest_heads_[i].push_back(key_head(table->meta().largest_key));
  }
}

const TableFile* Version::find(int number, Slice key) const {
  const auto level = static_cast<std::size_t>(number);
  const TableList& tables = levels_[level];
  const std::vector<std::uint64_t>& heads = largest_heads_[level];
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
  if (i == tables.size() || key < Slice(tables[i]->meta().smallest_key)) return nullptr;
  return tables[i].get();
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
