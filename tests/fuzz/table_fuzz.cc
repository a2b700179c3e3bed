// A whole table whose checksums are right and whose contents are anything: opened, read in every way, verified, and
// copied block by block. It stands, and answers with damage only; a table that verifies holds what it says, the same by
// every way of reading.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/key_hash.h"
#include "firn/sim/file_system.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "sstable/table.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

constexpr const char* kPath = "000007.table";
constexpr std::size_t kEntriesMax = 2000;  // Of those looked at one by one.

struct Item {
  std::string key;
  std::string value;
  Sequence sequence;
  EntryKind kind;

  explicit Item(const Entry& entry) : key(entry.key), value(entry.value), sequence(entry.sequence), kind(entry.kind) {}
  friend bool operator==(const Item&, const Item&) = default;
};

void expect_damage(const Status& status) {
  FIRN_ASSERT(status.ok() || status.code() == StatusCode::kCorruption || status.code() == StatusCode::kNotSupported);
  FIRN_ASSERT(status.code() != StatusCode::kCorruption || (status.file() == kPath && status.offset().has_value()));
}

// All entries, first to last; at most kEntriesMax. An end that is damage only where `sound` is false.
std::vector<Item> scan(const Table& table, ScanKind kind, bool sound) {
  std::vector<Item> items;
  TableCursor cursor(table, kind);
  for (cursor.seek_to_first(); cursor.valid() && items.size() < kEntriesMax; cursor.next()) {
    items.emplace_back(cursor.entry());
  }
  expect_damage(cursor.status());
  FIRN_ASSERT(!sound || cursor.status().ok());
  return items;
}

void scan_backward(const Table& table, bool sound, const std::vector<Item>& expected) {
  TableCursor cursor(table);
  std::size_t left = expected.size();
  for (cursor.seek_to_last(); cursor.valid() && left > 0; cursor.prev(), --left) {
    FIRN_ASSERT(!sound || Item(cursor.entry()) == expected[left - 1]);
  }
  expect_damage(cursor.status());
  FIRN_ASSERT(!sound || left == 0);
}

void look_up(const Table& table, bool sound, const Item& item) {
  const EpochGuard guard;
  TableHit hit;
  const Status status = table.get(guard, item.key, key_hash(item.key), item.sequence, hit);
  expect_damage(status);
  TableCursor cursor(table);
  cursor.seek(item.key, item.sequence);
  expect_damage(cursor.status());
  if (!sound) return;
  FIRN_ASSERT(status.ok() && hit.found && hit.value == item.value && hit.sequence == item.sequence);
  FIRN_ASSERT(hit.kind == item.kind && cursor.valid() && Item(cursor.entry()) == item);
}

void read_everything(const Table& table) {
  const bool sound = table.verify({}).ok();
  for (std::uint32_t block = 0; block < table.blocks() && block < kEntriesMax; ++block) {
    expect_damage(table.block_info(block).status());
  }
  const std::vector<Item> items = scan(table, ScanKind::kUser, sound);
  FIRN_ASSERT(!sound || items.size() == std::min<std::size_t>(kEntriesMax, table.meta().entries));
  FIRN_ASSERT(scan(table, ScanKind::kBackground, sound) == items || !sound);
  if (items.size() < kEntriesMax) scan_backward(table, sound, items);
  for (const Item& item : items) look_up(table, sound, item);
  look_up(table, false, Item({"absent", {}, kSequenceMax, EntryKind::kPut}));
}

void run(Slice input) {
  const std::string file = sealed_table(input);
  sim::SimFileSystem files(sim::SimFileSystem::Options{.mappings = true});
  auto out = files.open(kPath, OpenMode::kCreate, FileKind::kTable);
  FIRN_ASSERT(out.ok() && write_all(**out, 0, std::as_bytes(std::span(file))).ok());
  BlockCache cache(std::uint64_t{1} << 20);
  const auto table = Table::open_unknown(files, kPath, cache);
  expect_damage(table.status());
  if (!table.ok()) return;
  read_everything(**table);
  const auto mapped = Table::open(files, kPath, (*table)->meta(), cache, true);
  FIRN_ASSERT(mapped.ok());
  read_everything(**mapped);
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (const std::string& table : sample_tables()) inputs.push_back(table_input(table));
  return inputs;
}

const Registration kRegistered({"table", run, seeds, 5'000});

}  // namespace

}  // namespace firn::fuzz
