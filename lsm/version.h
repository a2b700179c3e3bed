// The tables of one family at one moment. Immutable: a flush or compaction makes a new version; readers keep the one
// they started with; what they read in vain is counted here.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "firn/options.h"
#include "firn/slice.h"
#include "lsm/head_map.h"
#include "lsm/read_account.h"
#include "lsm/table_store.h"

namespace firn::lsm {

using TableList = std::vector<std::shared_ptr<TableFile>>;

// Invariant VERSION-1: L0 is newest first (by largest sequence); every other level is sorted by key and its tables do
// not overlap.
class Version {
 public:
  // A table and the heads of its smallest and its largest key.
  struct Bounded {
    std::uint64_t smallest = 0;
    std::uint64_t largest = 0;
    const TableFile* table = nullptr;

    // The table if it may hold `key`, else null.
    const TableFile* find(std::uint64_t head, Slice key) const {
      if (head < smallest || head > largest) return nullptr;
      if (head != smallest && head != largest) [[likely]]
        return table;
      return in_range(*table, key) ? table : nullptr;
    }
  };

  Version() = default;
  // `levels` as the invariant says; see next_version.
  explicit Version(std::array<TableList, kLevelCount> levels);
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;

  const TableList& level(int number) const { return levels_[static_cast<std::size_t>(number)]; }
  // The first table of level `number` (1..) whose largest key is at or after `key`; the level's size when there is
  // none. `head`: head(key).
  std::size_t lower_bound(int number, std::uint64_t head, Slice key) const;
  // Whether table `i` of level `number` begins, or ends, before `key`.
  bool begins_before(int number, std::size_t i, std::uint64_t head, Slice key) const {
    const std::uint64_t smallest = heads_[static_cast<std::size_t>(number)].smallest[i];
    return smallest != head ? smallest < head : Slice(level(number)[i]->meta().smallest_key) < key;
  }
  bool ends_before(int number, std::size_t i, std::uint64_t head, Slice key) const {
    const std::uint64_t largest = heads_[static_cast<std::size_t>(number)].largest[i];
    return largest != head ? largest < head : Slice(level(number)[i]->meta().largest_key) < key;
  }
  // Number of sorted runs: each table of L0, and each other level that has tables; newest first.
  std::size_t runs() const { return newest_.size() + deeper_.size(); }
  // The only table of a run that may hold `key`; null when none does. `head`: head(key).
  const TableFile* find(std::size_t run, std::uint64_t head, Slice key) const {
    return run < newest_.size() ? newest_[run].find(head, key) : find_deeper(run - newest_.size(), head, key);
  }
  // The two parts of find() for those who ask all runs: L0's tables,
  std::span<const Bounded> newest() const { return newest_; }
  // and the levels below that have tables, by number from 0: the runs that come after those.
  const TableFile* find_deeper(std::size_t number, std::uint64_t head, Slice key) const;
  std::uint64_t head(Slice key) const { return HeadMap(common_prefix_).head(key); }
  // What all keys of all tables begin with; empty when there are no tables.
  Slice common_prefix() const { return common_prefix_; }
  // Number of levels up to the last one that has tables.
  int depth() const { return depth_; }
  ReadAccount& reads() const { return reads_; }

 private:
  // Heads of the smallest and of the largest keys of a level's tables, side by side.
  struct Heads {
    std::vector<std::uint64_t> smallest;
    std::vector<std::uint64_t> largest;
  };

  std::size_t lower_bound(const TableList& tables, const Heads& heads, std::uint64_t head, Slice key) const;
  static bool in_range(const TableFile& table, Slice key);

  std::array<TableList, kLevelCount> levels_;
  std::array<Heads, kLevelCount> heads_;  // By common_prefix_.
  std::vector<Bounded> newest_;           // L0, as a get asks it.
  std::vector<std::uint8_t> deeper_;      // Numbers of the levels below L0 that have tables.
  std::string common_prefix_;
  int depth_ = 0;
  mutable ReadAccount reads_;
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
