// A table on the real file system, mapped and through the cache, and in the same run a plain one in memory: a noisy
// machine spoils all alike, so read the ratios. Keys of 16 bytes, values of 100. The time of one iteration is that of
// one entry, or one call.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/plain_table.h"
#include "codec/key_hash.h"
#include "firn/platform.h"
#include "sstable/table.h"
#include "sstable/table_builder.h"

namespace firn::bench {

namespace {

constexpr std::size_t kEntries = 1'000'000;
constexpr std::size_t kHotEntries = 2000;
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kValueBytes = 100;
constexpr std::uint64_t kCacheBytes = std::uint64_t{512} << 20;

std::uint64_t scrambled(std::uint64_t n) {
  n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
  n = (n ^ n >> 27) * 0x94D049BB133111EB;
  return n ^ n >> 31;
}

// Sorted keys "user" + 12 hexadecimal-like bytes; odd numbers are in the table, even ones are not.
class Keys {
 public:
  Keys() {
    std::vector<std::uint64_t> numbers(kEntries);
    for (std::size_t i = 0; i < kEntries; ++i) numbers[i] = scrambled(i + 1) | 1;
    std::sort(numbers.begin(), numbers.end());
    for (const std::uint64_t number : numbers) append(number);
  }
  Slice operator[](std::size_t i) const { return {&bytes_[i * kKeyBytes], kKeyBytes}; }
  std::string absent(std::size_t i) const {
    std::string key((*this)[i]);
    key.back() = static_cast<char>(key.back() ^ 1);
    return key;
  }

 private:
  void append(std::uint64_t number) {
    char key[kKeyBytes + 1];
    std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(number));
    bytes_.append(key, kKeyBytes);
  }
  std::string bytes_;
};

const Keys& keys() {
  static const Keys keys;
  return keys;
}

Slice value_of(std::size_t i) {
  static const std::string pool = [] {
    std::string bytes;
    for (std::uint64_t n = 0; n < 10'000; ++n) append_fixed(bytes, scrambled(n));
    return bytes;
  }();
  return Slice(pool).substr(i * 37 % (pool.size() - kValueBytes), kValueBytes);
}

void check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.to_string().c_str());
  std::exit(1);
}

std::string directory() {
  const char* const temporary = std::getenv("TMPDIR");
  return temporary == nullptr ? "/tmp" : temporary;
}

TableMeta build(const std::string& path, const TableOptions& options, bool with_sequences) {
  FileSystem& files = *real_platform().files;
  static_cast<void>(files.remove(path));
  auto file = files.open(path, OpenMode::kCreate, FileKind::kTable);
  check(file.status());
  TableBuilder builder(**file, 1, options);
  for (std::size_t i = 0; i < kEntries; ++i) {
    check(builder.add({keys()[i], value_of(i), with_sequences ? scrambled(i) >> 40 : 0, EntryKind::kPut}));
  }
  auto meta = builder.finish();
  check(meta.status());
  return *meta;
}

// One table, open mapped and through a cache that holds all of it.
class Fixture {
 public:
  Fixture() : cache_(kCacheBytes), path_(directory() + "/firn_table_bench.table") {
    const TableMeta meta = build(path_, {}, false);
    FileSystem& files = *real_platform().files;
    for (const bool map : {false, true}) {
      auto table = Table::open(files, path_, meta, cache_, map);
      check(table.status());
      (map ? mapped_ : cached_) = *table;
    }
    for (std::size_t i = 0; i < kEntries; ++i) plain_.add(keys()[i], 1, value_of(i));
    plain_.finish();
  }
  ~Fixture() { static_cast<void>(real_platform().files->remove(path_)); }

  const Table& table(bool mapped) const { return mapped ? *mapped_ : *cached_; }
  const PlainTable& plain() const { return plain_; }

 private:
  BlockCache cache_;
  const std::string path_;
  std::shared_ptr<Table> mapped_;
  std::shared_ptr<Table> cached_;
  PlainTable plain_;
};

const Fixture& fixture() {
  static const Fixture fixture;
  return fixture;
}

// Random numbers below `range`, the same for every contestant.
std::vector<std::uint32_t> picks(std::size_t range) {
  std::vector<std::uint32_t> numbers(1 << 16);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint32_t>(scrambled(i) % range);
  return numbers;
}

enum class Contestant { kPlain, kCached, kMapped };

void build_table(benchmark::State& state, bool plain, const TableOptions& options, bool with_sequences) {
  const std::string path = directory() + "/firn_table_bench_build.table";
  for (auto _ : state) {
    if (plain) {
      PlainTable table;
      for (std::size_t i = 0; i < kEntries; ++i) table.add(keys()[i], 1, value_of(i));
      table.finish();
    } else {
      static_cast<void>(build(path, options, with_sequences));
    }
  }
  static_cast<void>(real_platform().files->remove(path));
  state.SetItemsProcessed(static_cast<std::int64_t>(kEntries) * static_cast<std::int64_t>(state.iterations()));
  state.counters["ns/entry"] =
      benchmark::Counter(static_cast<double>(kEntries) * static_cast<double>(state.iterations()) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void get(benchmark::State& state, Contestant contestant, std::size_t range, bool absent) {
  const Fixture& f = fixture();
  const std::vector<std::uint32_t> order = picks(range);
  std::vector<std::string> wanted;
  for (const std::uint32_t i : order) wanted.push_back(absent ? keys().absent(i) : std::string(keys()[i]));
  std::size_t n = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    const std::string& key = wanted[n++ % wanted.size()];
    if (contestant == Contestant::kPlain) {
      Slice value;
      found += f.plain().get(key, value) && value[3] != 'x' ? 1 : 0;
    } else {
      const EpochGuard guard;
      TableHit hit;
      check(f.table(contestant == Contestant::kMapped).get(guard, key, key_hash(key), kSequenceMax, hit));
      found += hit.found && hit.value[3] != 'x' ? 1 : 0;
    }
  }
  benchmark::DoNotOptimize(found);
}

// Sixteen keys in lockstep; the time is per key.
void get_many(benchmark::State& state, bool mapped) {
  constexpr std::size_t kBatch = 32;
  const Table& table = fixture().table(mapped);
  const std::vector<std::uint32_t> order = picks(kEntries);
  std::size_t n = 0;
  std::size_t found = 0;
  Slice wanted[kBatch];
  std::uint64_t hashes[kBatch];
  std::uint32_t blocks[kBatch];
  while (state.KeepRunningBatch(kBatch)) {
    const EpochGuard guard;
    for (std::size_t i = 0; i < kBatch; ++i) {
      wanted[i] = keys()[order[n++ % order.size()]];
      hashes[i] = key_hash(wanted[i]);
      table.prefetch_filter(hashes[i]);
      blocks[i] = table.start_locate(wanted[i]);
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (table.may_contain(hashes[i])) blocks[i] = table.finish_locate(wanted[i], blocks[i]);
      table.prefetch_block(guard, blocks[i]);
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
      TableHit hit;
      check(table.find(guard, blocks[i], wanted[i], kSequenceMax, hit));
      found += hit.found && hit.value[3] != 'x' ? 1 : 0;
    }
  }
  benchmark::DoNotOptimize(found);
}

void seek(benchmark::State& state, Contestant contestant) {
  const Fixture& f = fixture();
  const std::vector<std::uint32_t> order = picks(kEntries);
  PlainTable::Cursor plain(f.plain());
  TableCursor cursor(f.table(contestant == Contestant::kMapped));
  std::size_t n = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Slice key = keys()[order[n++ % order.size()]];
    if (contestant == Contestant::kPlain) {
      plain.seek(key);
      bytes += static_cast<unsigned char>(plain.value()[0]);
    } else {
      cursor.seek(key, kSequenceMax);
      bytes += static_cast<unsigned char>(cursor.entry().value[0]);
    }
  }
  benchmark::DoNotOptimize(bytes);
}

void scan(benchmark::State& state, Contestant contestant, bool forward) {
  const Fixture& f = fixture();
  PlainTable::Cursor plain(f.plain());
  TableCursor cursor(f.table(contestant == Contestant::kMapped));
  std::size_t bytes = 0;
  plain.seek_to_first();
  forward ? cursor.seek_to_first() : cursor.seek_to_last();
  for (auto _ : state) {
    if (contestant == Contestant::kPlain) {
      bytes += static_cast<unsigned char>(plain.value()[0]);
      plain.next();
      if (!plain.valid()) plain.seek_to_first();
    } else {
      bytes += static_cast<unsigned char>(cursor.entry().value[0]);
      forward ? cursor.next() : cursor.prev();
      if (!cursor.valid()) forward ? cursor.seek_to_first() : cursor.seek_to_last();
    }
  }
  benchmark::DoNotOptimize(bytes);
}

BENCHMARK_CAPTURE(build_table, plain, true, TableOptions{}, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build_table, firn, false, TableOptions{}, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build_table, firn_sequences, false, TableOptions{}, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build_table, firn_no_filter, false, TableOptions{.filter_bits_per_key = 0}, false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build_table, firn_lz4, false, TableOptions{.block_bytes = 16384, .compression = Compression::kLz4},
                  false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(get, hot_plain, Contestant::kPlain, kHotEntries, false);
BENCHMARK_CAPTURE(get, hot_cached, Contestant::kCached, kHotEntries, false);
BENCHMARK_CAPTURE(get, hot_mapped, Contestant::kMapped, kHotEntries, false);
BENCHMARK_CAPTURE(get, random_plain, Contestant::kPlain, kEntries, false);
BENCHMARK_CAPTURE(get, random_cached, Contestant::kCached, kEntries, false);
BENCHMARK_CAPTURE(get, random_mapped, Contestant::kMapped, kEntries, false);
BENCHMARK_CAPTURE(get, absent_mapped, Contestant::kMapped, kEntries, true);
BENCHMARK_CAPTURE(get_many, cached, false);
BENCHMARK_CAPTURE(get_many, mapped, true);
BENCHMARK_CAPTURE(seek, plain, Contestant::kPlain);
BENCHMARK_CAPTURE(seek, cached, Contestant::kCached);
BENCHMARK_CAPTURE(seek, mapped, Contestant::kMapped);
BENCHMARK_CAPTURE(scan, plain, Contestant::kPlain, true);
BENCHMARK_CAPTURE(scan, cached, Contestant::kCached, true);
BENCHMARK_CAPTURE(scan, mapped, Contestant::kMapped, true);
BENCHMARK_CAPTURE(scan, mapped_reverse, Contestant::kMapped, false);

}  // namespace

}  // namespace firn::bench

BENCHMARK_MAIN();
