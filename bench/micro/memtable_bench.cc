// The memtable and, in the same run, a plain skip list: a noisy machine spoils both alike, so read the ratio.
// Keys of 16 bytes; the argument is the size of values. The time of one iteration is that of one entry.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/plain_skip_list.h"
#include "codec/key_hash.h"
#include "lsm/memtable/memtable.h"

namespace firn::bench {

namespace {

constexpr std::uint64_t kCapacityBytes = std::uint64_t{64} << 20;
constexpr std::size_t kKeyBytes = 16;

enum class Order { kRandom, kRising, kZipf };

std::uint64_t scrambled(std::uint64_t n) {
  n = (n ^ n >> 30) * 0xBF58476D1CE4E5B9;
  n = (n ^ n >> 27) * 0x94D049BB133111EB;
  return n ^ n >> 31;
}

// Keys in the order of their writes, side by side.
class Keys {
 public:
  Keys(Order order, std::size_t count) : count_(count), bytes_(count * kKeyBytes, '0') {
    const std::vector<std::uint32_t> ranks = order == Order::kZipf ? zipf(count) : std::vector<std::uint32_t>();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t number = i;
      if (order == Order::kRandom) number = scrambled(i + 1);
      if (order == Order::kZipf) number = scrambled(ranks[i] + 1);
      for (std::size_t byte = 0; byte < 8; ++byte) {
        bytes_[i * kKeyBytes + byte] = static_cast<char>(number >> (56 - 8 * byte));
      }
    }
  }
  std::size_t count() const { return count_; }
  Slice operator[](std::size_t i) const { return {&bytes_[i * kKeyBytes], kKeyBytes}; }

 private:
  // Ranks out of 100,000 with theta 0.99.
  static std::vector<std::uint32_t> zipf(std::size_t count) {
    constexpr std::size_t kRanks = 100'000;
    std::vector<double> sums(kRanks);
    double sum = 0;
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      sum += std::pow(static_cast<double>(rank + 1), -0.99);
      sums[rank] = sum;
    }
    std::vector<std::uint32_t> ranks(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double at = static_cast<double>(scrambled(i + 1) >> 11) * 0x1p-53 * sum;
      ranks[i] = static_cast<std::uint32_t>(std::lower_bound(sums.begin(), sums.end(), at) - sums.begin());
    }
    return ranks;
  }

  std::size_t count_;
  std::string bytes_;
};

std::size_t entry_count(std::size_t value_bytes) { return kCapacityBytes / (kKeyBytes + value_bytes + 84); }

class Firn {
 public:
  // As the commit path does, which encodes the log record between this and add().
  void announce(Slice key) {
    next_hash_ = key_hash(key);
    memtable_.prefetch(next_hash_);
  }
  // `next`: the key of the next add.
  void add(Sequence sequence, Slice key, Slice value, Slice next) {
    const std::uint64_t hash = next_hash_;
    announce(next);
    if (!memtable_.reserve(1, key.size() + value.size()).ok()) std::abort();
    memtable_.add(sequence, EntryKind::kPut, key, hash, value);
  }
  bool get(Slice key, Slice& value) const {
    MemTable::Hit hit;
    if (!memtable_.get(key, key_hash(key), kSequenceMax, hit)) return false;
    value = hit.value;
    return true;
  }
  template <class Visit>
  void scan(Visit visit) const {
    MemTableCursor cursor(memtable_);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) visit(cursor.entry().key, cursor.entry().value);
  }

 private:
  MemTable memtable_{kCapacityBytes};
  std::uint64_t next_hash_ = 0;
};

template <class List>
std::unique_ptr<List> filled(const Keys& keys, Slice value) {
  auto list = std::make_unique<List>();
  list->announce(keys[0]);
  for (std::size_t i = 0; i < keys.count(); ++i) list->add(i + 1, keys[i], value, keys[(i + 1) % keys.count()]);
  return list;
}

template <class List>
void insert(benchmark::State& state, Order order) {
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  const Keys keys(order, entry_count(value.size()));
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(keys.count()))) {
    auto list = filled<List>(keys, value);
    state.PauseTiming();
    list.reset();
    state.ResumeTiming();
  }
}

template <class List>
void insert_random(benchmark::State& state) {
  insert<List>(state, Order::kRandom);
}
template <class List>
void insert_rising(benchmark::State& state) {
  insert<List>(state, Order::kRising);
}
template <class List>
void insert_zipf(benchmark::State& state) {
  insert<List>(state, Order::kZipf);
}

// `dependent`: the next key is known only when the value is, so that lookups do not overlap.
template <class List>
void get(benchmark::State& state, bool dependent) {
  const std::string value(static_cast<std::size_t>(state.range(0)), '\0');
  const Keys keys(Order::kRandom, entry_count(value.size()));
  const auto list = filled<List>(keys, value);
  std::size_t i = 0;
  for (auto _ : state) {
    Slice found;
    if (!list->get(keys[i], found)) state.SkipWithError("lost a key");
    benchmark::DoNotOptimize(found);
    i = (i + 7'919 + (dependent ? static_cast<std::size_t>(found.front()) : 0)) % keys.count();
  }
}
template <class List>
void get_overlapped(benchmark::State& state) {
  get<List>(state, false);
}
template <class List>
void get_alone(benchmark::State& state) {
  get<List>(state, true);
}

template <class List>
void scan(benchmark::State& state) {
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  const Keys keys(Order::kRandom, entry_count(value.size()));
  const auto list = filled<List>(keys, value);
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(keys.count()))) {
    std::size_t bytes = 0;
    list->scan([&](Slice key, Slice found) { bytes += static_cast<std::size_t>(key.back() + found.front()); });
    benchmark::DoNotOptimize(bytes);
  }
}

#define FIRN_MEMTABLE_BENCHMARK(what)       \
  BENCHMARK(what<Firn>)->Arg(16)->Arg(100); \
  BENCHMARK(what<PlainSkipList>)->Arg(16)->Arg(100)

FIRN_MEMTABLE_BENCHMARK(insert_random);
FIRN_MEMTABLE_BENCHMARK(insert_rising);
FIRN_MEMTABLE_BENCHMARK(insert_zipf);
FIRN_MEMTABLE_BENCHMARK(get_overlapped);
FIRN_MEMTABLE_BENCHMARK(get_alone);
FIRN_MEMTABLE_BENCHMARK(scan);

}  // namespace

}  // namespace firn::bench

BENCHMARK_MAIN();
