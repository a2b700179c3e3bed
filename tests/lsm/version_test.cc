#include "lsm/version.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "firn/sim/file_system.h"

namespace firn::lsm {
namespace {

// Short keys of few letters, zeros among them, behind a prefix: many share heads, some are prefixes of others.
std::string random_key(const std::string& prefix) {
  const auto bytes = static_cast<std::size_t>(*rc::gen::inRange(0, 12));
  std::string key = *rc::gen::inRange(0, 8) == 0 ? "" : prefix;
  for (std::size_t i = 0; i < bytes; ++i) key.push_back(*rc::gen::element('\0', '\0', 'a', '\xFF'));
  return key;
}

class Maker {
 public:
  std::shared_ptr<TableFile> table(std::string smallest, std::string largest) {
    TableMeta meta;
    meta.id = ++last_id_;
    meta.smallest_key = std::move(smallest);
    meta.largest_key = std::move(largest);
    return std::make_shared<TableFile>(store_, std::move(meta));
  }

 private:
  sim::SimFileSystem files_;
  std::shared_ptr<TableStore> store_ = std::make_shared<TableStore>(files_, "db", 0);
  std::uint64_t last_id_ = 0;
};

bool holds(const TableFile& table, const std::string& key) {
  return table.meta().smallest_key <= key && key <= table.meta().largest_key;
}

RC_GTEST_PROP(Version, FindsTheTablesOfAKeyNewestFirst, ()) {
  Maker maker;
  const std::string prefix = *rc::gen::element(std::string(), std::string("tenant-12/object/"), std::string(3, '\0'));
  std::array<TableList, kLevelCount> levels;
  std::vector<std::string> interesting = {"", std::string(1, '\xFF'), prefix};
  for (std::size_t level = 0; level < levels.size(); ++level) {
    std::set<std::string> ends;
    for (int i = *rc::gen::inRange(0, 9); i > 0; --i) ends.insert(random_key(prefix));
    interesting.insert(interesting.end(), ends.begin(), ends.end());
    for (auto end = ends.begin(); end != ends.end() && std::next(end) != ends.end(); std::advance(end, 2)) {
      levels[level].push_back(maker.table(*end, *std::next(end)));
      if (std::next(end, 2) == ends.end()) break;
    }
  }
  const auto copy = levels;
  const Version version(std::move(levels));
  for (int i = 0; i < 20; ++i) interesting.push_back(random_key(prefix));
  for (const std::string& key : interesting) {
    std::vector<const TableFile*> expected;
    for (const TableList& level : copy) {
      for (const auto& table : level) {
        if (holds(*table, key)) expected.push_back(table.get());
      }
    }
    std::vector<const TableFile*> found;
    for (std::size_t run = 0; run < version.runs(); ++run) {
      if (const TableFile* table = version.find(run, version.head(key), key)) found.push_back(table);
    }
    RC_ASSERT(found == expected);
    for (int level = 1; level < kLevelCount; ++level) {
      const TableList& tables = copy[static_cast<std::size_t>(level)];
      const auto first = std::find_if(tables.begin(), tables.end(),
                                      [&key](const auto& table) { return key <= table->meta().largest_key; });
      RC_ASSERT(version.lower_bound(level, version.head(key), key) == static_cast<std::size_t>(first - tables.begin()));
    }
  }
}

}  // namespace
}  // namespace firn::lsm
