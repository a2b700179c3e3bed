// MergeCursor over runs in memory, beside a binary heap of virtual cursors that compares whole keys: read the ratio.
// Then what it is for: a compaction of real tables, per entry read. The time of one iteration is that of one entry.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/varint.h"
#include "compaction/job.h"
#include "compaction/level_cursor.h"
#include "compaction/merge_cursor.h"
#include "firn/sim/file_system.h"
#include "sstable/block_cache.h"
#include "sstable/table.h"

namespace firn::bench {

namespace {

constexpr std::size_t kKeyBytes = 16;

std::uint64_t scrambled(std::uint64_t n) {
  n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
  n = (n ^ n >> 27) * 0x94D049BB133111EB;
  return n ^ n >> 31;
}

struct Record {
  char key[kKeyBytes];
  Sequence sequence;
};

class RecordCursor final : public Cursor {
 public:
  explicit RecordCursor(const std::vector<Record>& records) : records_(records) {}
  void seek_to_first() override { show(0); }
  void seek_to_last() override { show(records_.size() - 1); }
  void seek(Slice, Sequence) override { end(); }
  void seek_before(Slice) override { end(); }
  void next() override { show(at_ + 1); }
  void prev() override { show(at_ - 1); }

 private:
  void show(std::size_t at) {
    at_ = at;
    if (at >= records_.size()) return end();
    entry_ = {Slice(records_[at].key, kKeyBytes), {}, records_[at].sequence, EntryKind::kPut};
    valid_ = true;
  }

  const std::vector<Record>& records_;
  std::size_t at_ = 0;
};

// 2 million random keys dealt to `count` runs, about `streak` in a row to the same.
std::vector<std::vector<Record>> deal(std::size_t count, std::uint64_t streak) {
  constexpr std::uint64_t kEntries = 2'000'000;
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < kEntries; ++i) keys.push_back(scrambled(i + 1));
  std::sort(keys.begin(), keys.end());
  std::vector<std::vector<Record>> runs(count);
  std::size_t present = 0;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    if (scrambled(i * 3 + 1) % streak == 0) present = scrambled(i * 5 + 2) % count;
    Record record{};
    store(record.key, __builtin_bswap64(keys[i]));
    record.sequence = i + 1;
    runs[present].push_back(record);
  }
  return runs;
}

std::vector<std::unique_ptr<Cursor>> cursors(const std::vector<std::vector<Record>>& runs) {
  std::vector<std::unique_ptr<Cursor>> children;
  for (const auto& run : runs) children.push_back(std::make_unique<RecordCursor>(run));
  return children;
}

void merge(benchmark::State& state, bool forward) {
  const auto runs = deal(static_cast<std::size_t>(state.range(0)), static_cast<std::uint64_t>(state.range(1)));
  compaction::MergeCursor merge(cursors(runs));
  std::uint64_t sum = 0;
  for (auto _ : state) {
    if (!merge.valid()) forward ? merge.seek_to_first() : merge.seek_to_last();
    sum += static_cast<unsigned char>(merge.entry().key[7]);
    forward ? merge.next() : merge.prev();
  }
  benchmark::DoNotOptimize(sum);
}

void merge_forward(benchmark::State& state) { merge(state, true); }
void merge_backward(benchmark::State& state) { merge(state, false); }

void merge_heap(benchmark::State& state) {
  const auto runs = deal(static_cast<std::size_t>(state.range(0)), static_cast<std::uint64_t>(state.range(1)));
  auto children = cursors(runs);
  const auto after = [](const Cursor* a, const Cursor* b) {
    const int order = a->entry().key.compare(b->entry().key);
    return order != 0 ? order > 0 : a->entry().sequence < b->entry().sequence;
  };
  std::vector<Cursor*> heap;
  std::uint64_t sum = 0;
  for (auto _ : state) {
    if (heap.empty()) {
      for (const auto& child : children) {
        child->seek_to_first();
        heap.push_back(child.get());
      }
      std::make_heap(heap.begin(), heap.end(), after);
    }
    sum += static_cast<unsigned char>(heap.front()->entry().key[7]);
    std::pop_heap(heap.begin(), heap.end(), after);
    heap.back()->next();
    if (heap.back()->valid()) {
      std::push_heap(heap.begin(), heap.end(), after);
    } else {
      heap.pop_back();
    }
  }
  benchmark::DoNotOptimize(sum);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  for (const int streak : {1, 64}) {
    for (const int count : {1, 2, 4, 8, 16}) benchmark->Args({count, streak});
  }
}
BENCHMARK(merge_forward)->Apply(shapes);
BENCHMARK(merge_backward)->Apply(shapes);
BENCHMARK(merge_heap)->Apply(shapes);

// Takes what is written to it and forgets it: the cost of a compaction without that of a file system.
class Sink final : public File {
 public:
  const std::string& path() const override { return path_; }
  IoResult read_at(std::uint64_t, std::span<std::byte>) override { return {}; }
  IoResult write_at(std::uint64_t, std::span<const std::byte> bytes) override { return {0, bytes.size()}; }
  Result<std::uint64_t> size() override { return std::uint64_t{0}; }
  Status sync() override { return {}; }
  Status truncate(std::uint64_t) override { return {}; }
  Status allocate(std::uint64_t) override { return {}; }
  void start_writeback(std::uint64_t, std::uint64_t) override {}
  Result<std::unique_ptr<FileMapping>> map() override { return Status(StatusCode::kNotSupported, "a sink"); }
  void prefetch(std::uint64_t, std::uint64_t) override {}

 private:
  const std::string path_ = "sink";
};

// Tables in memory: four of L0 and a level four times as large, keys of 16 bytes and values of 100.
class Compaction {
 public:
  Compaction() {
    constexpr std::uint64_t kEntriesPerTable = 100'000;
    for (std::uint64_t table = 0; table < 4; ++table) l0_.push_back(build(table, 8, kEntriesPerTable));
    base_ = build(4, 2, 4 * kEntriesPerTable);
  }

  // Entries read by one compaction.
  std::uint64_t run(Compression compression) {
    compaction::CompactionTask task;
    for (const auto& table : l0_) task.inputs.push_back(std::make_unique<TableCursor>(*table, ScanKind::kBackground));
    task.inputs.push_back(std::make_unique<TableCursor>(*base_, ScanKind::kBackground));
    task.bottommost = true;
    task.table_bytes = std::uint64_t{16} << 20;
    task.create_table = [&]() -> Result<compaction::OutputTable> {
      return output(std::make_unique<Sink>(), compression);
    };
    const compaction::CompactionOutcome outcome = compaction::run_compaction(std::move(task));
    return outcome.status.ok() ? outcome.counts.entries_read : 0;
  }

 private:
  compaction::OutputTable output(std::unique_ptr<File> file, Compression compression) {
    compaction::OutputTable output{++last_id_, std::move(file), nullptr};
    TableOptions options;
    options.compression = compression;
    output.builder = std::make_unique<TableBuilder>(*output.file, output.id, options);
    return output;
  }

  // Keys whose scrambled rank leaves `part` modulo `parts`.
  std::shared_ptr<Table> build(std::uint64_t part, std::uint64_t parts, std::uint64_t entries) {
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i < entries; ++i)
      keys.push_back(scrambled(i * parts + part % parts + (parts == 2 ? 1ULL << 40 : 0)));
    std::sort(keys.begin(), keys.end());
    const std::string value(100, 'v');
    const std::string path = std::to_string(last_id_ + 1);
    auto made = output(files_.open(path, OpenMode::kCreate, FileKind::kTable).value(), Compression::kNone);
    for (const std::uint64_t key : keys) {
      std::string bytes(kKeyBytes, '0');
      store(bytes.data(), __builtin_bswap64(key));
      static_cast<void>(made.builder->add({bytes, value, parts == 2 ? 0 : 10 - part, EntryKind::kPut}));
    }
    const auto meta = made.builder->finish();
    return Table::open(files_, path, *meta, cache_, true).value();
  }

  sim::SimFileSystem files_{sim::SimFileSystem::Options{.mappings = true}};
  BlockCache cache_{std::uint64_t{1} << 20};
  std::uint64_t last_id_ = 0;
  std::vector<std::shared_ptr<Table>> l0_;
  std::shared_ptr<Table> base_;
};

void compact(benchmark::State& state, Compression compression) {
  static Compaction compaction;
  std::uint64_t entries = 0;
  while (state.KeepRunningBatch(800'000)) entries += compaction.run(compression);
  if (entries == 0) state.SkipWithError("the compaction failed");
}
BENCHMARK_CAPTURE(compact, plain, Compression::kNone);
BENCHMARK_CAPTURE(compact, lz4, Compression::kLz4);

}  // namespace

}  // namespace firn::bench

BENCHMARK_MAIN();
