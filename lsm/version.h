// The tables of one family at one moment. Immutable: a flush or compaction makes a new version; readers keep the one
// they started with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
  // Number of levels up to the last one that has tables.
  int depth() const { return depth_; }

 private:
  std::array<TableList, kLevelCount> levels_;
  // Heads of the largest keys of each sorted level, side by side, for find().
  std::array<std::vector<std::uint64_t>, kLevelCount> largest_heads_;
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
