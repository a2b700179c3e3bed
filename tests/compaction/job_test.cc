#include "compaction/job.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "compaction/flush.h"
#include "compaction/split.h"
#include "firn/sim/file_system.h"
#include "sstable/block_cache.h"
#include "sstable/table.h"
#include "tests/compaction/runs.h"

namespace firn::compaction {
namespace {

// Makes output tables in memory and reads them back.
class Tables {
 public:
  Result<OutputTable> create() {
    OutputTable output;
    output.id = ++last_id_;
    Result<std::unique_ptr<File>> file = files.open(path(output.id), OpenMode::kCreate, FileKind::kTable);
    if (!file.ok()) return file.status();
    output.file = std::move(file).value();
    TableOptions options;
    options.block_bytes = 512;
    output.builder = std::make_unique<TableBuilder>(*output.file, output.id, options);
    return output;
  }

  Items read(const TableMeta& meta) {
    Result<std::shared_ptr<Table>> table = Table::open(files, path(meta.id), meta, cache_, false);
    EXPECT_TRUE(table.ok()) << table.status().to_string();
    Items items;
    TableCursor cursor(**table);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) items.push_back(item_of(cursor.entry()));
    EXPECT_TRUE(cursor.status().ok());
    return items;
  }

  Items read(const std::vector<TableMeta>& metas) {
    Items all;
    for (const TableMeta& meta : metas) {
      for (Item& item : read(meta)) all.push_back(std::move(item));
    }
    return all;
  }

  sim::SimFileSystem files;

 private:
  static std::string path(std::uint64_t id) { return "/" + std::to_string(id); }

  BlockCache cache_{1 << 20};
  std::uint64_t last_id_ = 0;
};

CompactionTask task_of(Tables& tables, const std::vector<Items>& runs) {
  CompactionTask task;
  for (const Items& run : runs) task.inputs.push_back(std::make_unique<RunCursor>(run));
  task.create_table = [&tables] { return tables.create(); };
  return task;
}

// Every entry in one of a few runs.
std::vector<Items> deal(const Items& history) {
  std::vector<Items> runs(*rc::gen::inRange<std::size_t>(1, 5));
  for (const Item& item : history) runs[*rc::gen::inRange<std::size_t>(0, runs.size())].push_back(item);
  for (Items& run : runs) std::sort(run.begin(), run.end());
  return runs;
}

std::vector<Sequence> any_snapshots() {
  const auto set = *rc::gen::container<std::set<Sequence>>(rc::gen::inRange<Sequence>(0, 60));
  return {set.begin(), set.end()};
}

// Of each key, what a reader at `sequence` sees: tombstones are kept apart from nothing only if asked for.
std::map<std::string, Item> view(const Items& items, Sequence sequence, bool with_tombstones) {
  std::map<std::string, Item> newest;
  for (const Item& item : items) {
    if (item.sequence > sequence) continue;
    const auto [at, first] = newest.try_emplace(item.key, item);
    if (!first && item.sequence > at->second.sequence) at->second = item;
  }
  std::map<std::string, Item> seen;
  for (auto& [key, item] : newest) {
    if (item.kind == EntryKind::kTombstone && !with_tombstones) continue;
    item.sequence = 0;
    seen.emplace(key, item);
  }
  return seen;
}

// The index of the stripe between snapshots that `sequence` lies in.
std::size_t stripe(const std::vector<Sequence>& snapshots, Sequence sequence) {
  return static_cast<std::size_t>(std::lower_bound(snapshots.begin(), snapshots.end(), sequence) - snapshots.begin());
}

TEST(CompactionJob, ChangesNoViewAndKeepsNothingElse) {
  EXPECT_TRUE(rc::check("views at all snapshots are unchanged", [] {
    Tables tables;
    const Items history = *history_gen(60);
    const std::vector<Items> runs = deal(history);
    CompactionTask task = task_of(tables, runs);
    const std::vector<Sequence> snapshots = any_snapshots();
    const bool bottommost = *rc::gen::arbitrary<bool>();
    task.snapshots = snapshots;
    task.bottommost = bottommost;
    task.table_bytes = *rc::gen::element<std::uint64_t>(0, 1, 700);
    task.expected_entries = history.size();
    const CompactionOutcome outcome = run_compaction(std::move(task));
    RC_ASSERT(outcome.status.ok());
    const Items kept = tables.read(outcome.tables);

    std::vector<Sequence> readers = snapshots;
    readers.push_back(kSequenceMax);
    for (const Sequence reader : readers)
      RC_ASSERT(view(kept, reader, !bottommost) == view(history, reader, !bottommost));

    std::set<std::pair<std::string, std::size_t>> stripes;
    for (const Item& item : kept) {
      RC_ASSERT(stripes.emplace(item.key, stripe(snapshots, item.sequence)).second);
      const bool seen_by_all = snapshots.empty() || item.sequence <= snapshots.front();
      if (!bottommost || !seen_by_all) continue;
      RC_ASSERT(item.kind == EntryKind::kPut);
      RC_ASSERT(item.sequence == 0U);
    }
    const CompactionCounts& counts = outcome.counts;
    RC_ASSERT(counts.entries_read == history.size());
    RC_ASSERT(counts.entries_written == kept.size());
    RC_ASSERT(counts.entries_written + counts.entries_shadowed + counts.tombstones_dropped == history.size());

    // The versions of a key are in one table, and tables do not overlap.
    for (std::size_t i = 1; i < outcome.tables.size(); ++i) {
      RC_ASSERT(outcome.tables[i - 1].largest_key < outcome.tables[i].smallest_key);
    }
  }));
}

TEST(CompactionJob, InPartsIsTheSameAsInOne) {
  EXPECT_TRUE(rc::check("sub-compactions add up", [] {
    Tables tables;
    const Items history = *history_gen(60);
    const std::vector<Items> runs = deal(history);
    const std::vector<Sequence> snapshots = any_snapshots();
    const auto whole = [&] {
      CompactionTask task = task_of(tables, runs);
      task.snapshots = snapshots;
      task.bottommost = true;
      return task;
    };
    const Items all = tables.read(run_compaction(whole()).tables);

    std::vector<SplitMark> marks;
    for (const Items& run : runs) {
      for (std::size_t i = 2; i < run.size(); i += 3) marks.push_back({run[i].key, 3});
    }
    const auto most = *rc::gen::inRange<std::size_t>(1, 5);
    const std::vector<std::string> keys = split_keys(marks, most);
    RC_ASSERT(keys.size() < most);
    RC_ASSERT(std::is_sorted(keys.begin(), keys.end()));
    Items parts;
    std::uint64_t entries = 0;
    for (std::size_t i = 0; i <= keys.size(); ++i) {
      CompactionTask task = whole();
      if (i > 0) task.after = keys[i - 1];
      if (i < keys.size()) task.up_to = keys[i];
      const CompactionOutcome outcome = run_compaction(std::move(task));
      RC_ASSERT(outcome.status.ok());
      entries += outcome.counts.entries_read;
      for (Item& item : tables.read(outcome.tables)) parts.push_back(std::move(item));
    }
    RC_ASSERT(parts == all);
    RC_ASSERT(entries == history.size());
  }));
}

TEST(SplitKeys, PartsAreOfAboutTheSameSize) {
  std::vector<SplitMark> marks;
  for (int i = 0; i < 900; ++i) marks.push_back({std::to_string(1000 + i), i < 300 ? 4U : 1U});
  EXPECT_EQ(split_keys(marks, 3), (std::vector<std::string>{"1149", "1299"}));
  EXPECT_EQ(split_keys(marks, 1), std::vector<std::string>());
  EXPECT_EQ(split_keys({}, 4), std::vector<std::string>());
  EXPECT_EQ(split_keys({{"a", 9}, {"a", 9}}, 2), std::vector<std::string>{"a"});
}

Items puts(std::size_t count, Sequence sequence) {
  Items items;
  for (std::size_t i = 0; i < count; ++i) {
    items.push_back({std::to_string(100000 + i), sequence, EntryKind::kPut, std::string(50, 'v')});
  }
  return items;
}

TEST(CompactionJob, CutsTablesAtTheirSizeAndAtGrandparents) {
  Tables tables;
  const std::vector<Items> runs = {puts(3000, 1)};
  CompactionTask task = task_of(tables, runs);
  task.table_bytes = 50'000;
  const CompactionOutcome by_size = run_compaction(std::move(task));
  ASSERT_TRUE(by_size.status.ok());
  ASSERT_GT(by_size.tables.size(), 3U);
  for (std::size_t i = 0; i + 1 < by_size.tables.size(); ++i) {
    EXPECT_GT(by_size.tables[i].file_bytes, 45'000U);
    EXPECT_LT(by_size.tables[i].file_bytes, 60'000U);
  }

  task = task_of(tables, runs);
  task.grandparents = {{"100999", 600}, {"101999", 600}, {"102499", 600}};
  task.grandparent_overlap_bytes_max = 1000;
  const CompactionOutcome by_overlap = run_compaction(std::move(task));
  ASSERT_TRUE(by_overlap.status.ok());
  ASSERT_EQ(by_overlap.tables.size(), 2U);
  EXPECT_EQ(by_overlap.tables[0].largest_key, "101999");
}

TEST(CompactionJob, OfTombstonesAloneLeavesNoTable) {
  Tables tables;
  const std::vector<Items> runs = {{{"a", 3, EntryKind::kTombstone, {}}, {"b", 4, EntryKind::kTombstone, {}}}};
  CompactionTask task = task_of(tables, runs);
  task.bottommost = true;
  const CompactionOutcome outcome = run_compaction(std::move(task));
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_TRUE(outcome.tables.empty());
  EXPECT_TRUE(outcome.created.empty());
  EXPECT_EQ(outcome.counts.tombstones_dropped, 2U);
}

TEST(CompactionJob, StopsSoonAfterItIsAsked) {
  Tables tables;
  const std::vector<Items> runs = {puts(10'000, 1)};
  CompactionTask task = task_of(tables, runs);
  int asked = 0;
  task.should_stop = [&asked] { return ++asked == 5; };
  const CompactionOutcome outcome = run_compaction(std::move(task));
  EXPECT_EQ(outcome.status.code(), StatusCode::kClosed);
  EXPECT_LT(outcome.counts.entries_read, 5000U);
  EXPECT_EQ(outcome.created.size(), 1U);
}

TEST(CompactionJob, FailsWithTheErrorOfAnInput) {
  Tables tables;
  const Items good = puts(1000, 1);
  const Items bad = puts(1000, 2);
  CompactionTask task = task_of(tables, {});
  task.inputs.push_back(std::make_unique<RunCursor>(good));
  task.inputs.push_back(std::make_unique<RunCursor>(bad, 500));
  task.table_bytes = 20'000;
  const CompactionOutcome outcome = run_compaction(std::move(task));
  EXPECT_EQ(outcome.status.code(), StatusCode::kIo);
  EXPECT_GT(outcome.created.size(), 1U);  // All of them are reported, finished or not.
}

TEST(CompactionJob, FailsWithTheErrorOfAnOutputAtAnyOperation) {
  const std::vector<Items> runs = {puts(500, 1), puts(500, 2)};
  for (std::uint64_t operation = 0;; ++operation) {
    Tables tables;
    bool failed = false;
    tables.files.set_fault_hook([&](const sim::Operation& at) -> std::optional<sim::Fault> {
      const bool now = at.index == operation;
      failed |= now;
      return now ? std::optional(sim::Fault(EIO)) : std::nullopt;
    });
    CompactionTask task = task_of(tables, runs);
    task.table_bytes = 20'000;
    const CompactionOutcome outcome = run_compaction(std::move(task));
    if (tables.files.operation_count() <= operation) break;
    EXPECT_NE(outcome.status.ok(), failed) << operation << ' ' << outcome.status.to_string();
  }
}

TEST(CompactionJob, RefusesInputsThatDoNotAddUp) {
  Tables tables;
  const std::vector<Items> runs = {puts(10, 1)};
  CompactionTask task = task_of(tables, runs);
  task.expected_entries = 11;
  EXPECT_EQ(run_compaction(std::move(task)).status.code(), StatusCode::kCorruption);
}

TEST(CompactionJob, RefusesInputsOutOfOrder) {
  Tables tables;
  const Item a1{"a", 1, EntryKind::kPut, "v"};
  const Item a2{"a", 2, EntryKind::kPut, "v"};
  const Item b1{"b", 1, EntryKind::kPut, "v"};
  for (const Items& run : {Items{b1, a1}, Items{a1, a2}, Items{a1, a1}}) {
    const std::vector<Items> runs = {run};
    CompactionTask task = task_of(tables, runs);
    EXPECT_EQ(run_compaction(std::move(task)).status.code(), StatusCode::kCorruption);
  }
}

TEST(Flush, WritesOneTableAndKeepsTombstones) {
  Tables tables;
  const Items memtable = {{"a", 5, EntryKind::kTombstone, {}},
                          {"a", 2, EntryKind::kPut, "old"},
                          {"b", 4, EntryKind::kPut, "new"},
                          {"b", 3, EntryKind::kPut, "old"}};
  FlushTask task;
  task.memtable = std::make_unique<RunCursor>(memtable);
  task.snapshots = {2};
  task.expected_entries = 4;
  task.create_table = [&tables] { return tables.create(); };
  const CompactionOutcome outcome = run_flush(std::move(task));
  ASSERT_TRUE(outcome.status.ok());
  ASSERT_EQ(outcome.tables.size(), 1U);
  EXPECT_EQ(tables.read(outcome.tables), (Items{memtable[0], memtable[1], memtable[2]}));
  EXPECT_EQ(outcome.tables[0].largest_sequence, 5U);
}

TEST(Flush, OfAnEmptyMemtableMakesNoTable) {
  Tables tables;
  const Items memtable;
  FlushTask task;
  task.memtable = std::make_unique<RunCursor>(memtable);
  task.create_table = [&tables] { return tables.create(); };
  const CompactionOutcome outcome = run_flush(std::move(task));
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_TRUE(outcome.tables.empty());
}

}  // namespace
}  // namespace firn::compaction
