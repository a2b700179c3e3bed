// Builds and opens tables on a file system in memory.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codec/key_hash.h"
#include "firn/file_system.h"
#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "sstable/table.h"
#include "sstable/table_builder.h"

namespace firn::testing {

// An entry that owns its bytes.
struct Item {
  std::string key;
  std::string value;
  Sequence sequence = 0;
  EntryKind kind = EntryKind::kPut;

  Entry entry() const { return {key, value, sequence, kind}; }
  friend bool operator==(const Item&, const Item&) = default;
};

inline bool before(const Item& a, const Item& b) { return a.key != b.key ? a.key < b.key : a.sequence > b.sequence; }

inline Item item_of(const Entry& entry) {
  return {std::string(entry.key), std::string(entry.value), entry.sequence, entry.kind};
}

inline constexpr std::uint64_t kTableId = 7;
inline const std::string kTablePath = "000007.table";

class TableFixture {
 public:
  explicit TableFixture(std::uint64_t cache_bytes = std::uint64_t{8} << 20) : cache_(cache_bytes) {}

  sim::SimFileSystem& files() { return files_; }
  BlockCache& cache() { return cache_; }
  const TableMeta& meta() const { return meta_; }

  // Writes `items`, sorted, as table kTableId.
  Status build(const std::vector<Item>& items, const TableOptions& options = {}) {
    static_cast<void>(files_.remove(kTablePath));
    auto file = files_.open(kTablePath, OpenMode::kCreate, FileKind::kTable);
    if (!file.ok()) return file.status();
    TableBuilder builder(**file, kTableId, options);
    for (const Item& item : items) {
      if (Status s = builder.add(item.entry()); !s.ok()) return s;
    }
    auto meta = builder.finish();
    if (!meta.ok()) return meta.status();
    meta_ = *meta;
    return {};
  }

  Result<std::shared_ptr<Table>> open(bool may_map = false) {
    return Table::open(files_, kTablePath, meta_, cache_, may_map);
  }

  std::string bytes() {
    auto contents = read_file(files_, kTablePath, FileKind::kTable);
    return contents.ok() ? *contents : std::string();
  }
  // Replaces the file.
  void set_bytes(Slice contents) {
    static_cast<void>(files_.remove(kTablePath));
    auto file = files_.open(kTablePath, OpenMode::kCreate, FileKind::kTable);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_all(**file, 0, std::as_bytes(std::span(contents))).ok());
  }

 private:
  sim::SimFileSystem files_{sim::SimFileSystem::Options{.mappings = true}};
  BlockCache cache_;
  TableMeta meta_;
};

// What get() answers, or the error: found items carry the key asked for.
inline Status get(const Table& table, Slice key, Sequence at, bool& found, Item& item) {
  const EpochGuard guard;
  TableHit hit;
  Status s = table.get(guard, key, key_hash(key), at, hit);
  found = s.ok() && hit.found;
  if (found) item = {std::string(key), std::string(hit.value), hit.sequence, hit.kind};
  return s;
}

// Keys k000000, k000001, ...; sequence and value follow from the number.
inline std::vector<Item> numbered_items(std::size_t count, std::size_t value_bytes = 20) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < count; ++i) {
    std::string digits = std::to_string(i);
    std::string value = digits;
    value.resize(value_bytes, static_cast<char>('a' + i % 26));
    items.push_back({"k" + std::string(6 - digits.size(), '0') + digits, value, 1000 + i, EntryKind::kPut});
  }
  return items;
}

}  // namespace firn::testing
