// The tables of one family at one moment. Immutable: a flush or compaction makes a new version; readers keep the one
// they started with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "firn/options.h"
#include "firn/slice.h"
#include "lsm/table_store.h"

namespace firn::lsm {

using TableList = std::vector<std::shared_ptr<TableFile>>;

// Invariant VERSION-1: L0 is newest first (by largest sequence); every other level is sorted by key and its tables do
// not overlap.
class Version {
 public:
  Version() = default;
  // `levels` as the invariant says; see next_version.
  explicit Version(std::array<TableList, kLevelCount> levels);

  const TableList& level(int number) const { return levels_[static_cast<std::size_t>(number)]; }
  // The only table of level `number` (1..) that may hold `key`; null when none does.
  const TableFile* find(int number, Slice key) const;
  // The first table of level `number` (1..) whose largest key is at or after `key`; the level's size when there is
  // none.
  std::size_t lower_bound(int number, Slice key) const;
  // Whether `key` is between the smallest and the largest key of table `index` of level `number`.
  bool in_range(int number, std::size_t index, Slice key) const;
  // Calls `visit(table)` for every table that may hold `key`, newest first, until it answers true.
  template <class Visit>
  void visit(Slice key, Visit visit) const {
    for (std::size_t i = 0; i < levels_[0].size(); ++i) {
      if (in_range(0, i, key) && visit(*levels_[0][i])) return;
    }
    for (int number = 1; number < depth_; ++number) {
      const TableFile* const table = find(number, key);
      if (table != nullptr && visit(*table)) return;
    }
  }
  // What all keys of all tables begin with; empty when there are no tables.
  Slice common_prefix() const { return common_prefix_; }
  // Number of levels up to the last one that has tables.
  int depth() const { return depth_; }

 private:
  std::array<TableList, kLevelCount> levels_;
  // Heads of the smallest and of the largest keys of each level's tables, side by side.
  struct Heads {
    std::vector<std::uint64_t> smallest;
    std::vector<std::uint64_t> largest;
  };
  std::array<Heads, kLevelCount> heads_;
  std::string common_prefix_;
  int depth_ = 0;
};

// A change of one family's tables.
struct VersionChange {
  struct Added {
    int level = 0;
    std::shared_ptr<TableFile> table;
  };
  std::vector<Added> added;
  std::vector<std::uint64_t> removed;  // Table ids; a moved table is removed and added.
};

// `base` with `change` applied, in the order that VERSION-1 asks for.
std::shared_ptr<const Version> next_version(const Version& base, const VersionChange& change);

}  // namespace firn::lsm
