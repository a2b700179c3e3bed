// The picker over synthetic fills. The figures are upper bounds a little above what is measured;
// `--gtest_filter=Fill.*` prints the measured ones. Sizes are those of a default database whose rows have 100 bytes:
// memtables of 64 MiB that make tables of 38 MB. Entries are large to keep the simulation short (write amplification
// depends on numbers of tables, not of entries).
#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "tests/compaction/fill_simulator.h"

namespace firn::compaction {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kEntryBytes = 65536;

FillSettings settings(std::size_t slots) {
  FillSettings settings;
  settings.limits = {64 * kMiB, 64 * kMiB, 10, 6};
  settings.entry_bytes = kEntryBytes;
  settings.flush_bytes = 38'000'000;
  settings.slots = slots;
  settings.compaction_speed = 10;
  return settings;
}

FillReport print(const char* name, const FillReport& report) {
  std::printf(
      "%s: %.1f GB written, write amplification %.2f, runs per read %.1f, L0 at most %zu, %zu jobs (largest %.0f "
      "MiB), %zu moves, stopped %.0f %% of the time\n",
      name, static_cast<double>(report.user_bytes) / 1e9, report.write_amplification(), report.runs_mean,
      report.l0_tables_max, report.jobs, static_cast<double>(report.largest_job_bytes) / kMiB, report.moves,
      100 * report.stopped);
  return report;
}

// So many bytes, flushed, and all that sizes ask for.
void put_at_random(FillSimulator& simulator, std::mt19937_64& random, std::uint64_t bytes) {
  for (std::uint64_t i = 0; i < bytes / kEntryBytes; ++i) simulator.put(random());
  simulator.flush();
  simulator.settle();
}

enum class Order { kRandom, kSequential, kOverwrite };

FillReport fill(const char* name, double gigabytes, Order order, std::size_t slots) {
  FillSimulator simulator(settings(slots));
  std::mt19937_64 random(7);
  const auto entries = static_cast<std::uint64_t>(gigabytes * 1e9 / kEntryBytes);
  for (std::uint64_t i = 0; i < entries; ++i) {
    switch (order) {
      case Order::kRandom: simulator.put(random()); break;
      case Order::kSequential: simulator.put(i); break;
      case Order::kOverwrite: simulator.put(random() % (entries / 4)); break;
    }
  }
  simulator.flush();
  simulator.settle();
  return print(name, simulator.report());
}

// Around the size of the comparison with RocksDB, whose memtables make tables of 53 MB, four of which it compacts: by
// the same arithmetic that writes 2.3 bytes a byte on average over these sizes, without the log.
TEST(Fill, RandomWritesOfHalfAGigabyte) {
  double sum = 0;
  int fills = 0;
  for (double gigabytes = 0.30; gigabytes < 0.90; gigabytes += 0.04, ++fills) {
    const FillReport report = fill("random", gigabytes, Order::kRandom, 1);
    sum += report.write_amplification();
    EXPECT_LE(report.write_amplification(), 2.7);
    EXPECT_LE(report.l0_tables_max, 8U);
    EXPECT_EQ(report.stopped, 0);
  }
  EXPECT_LE(sum / fills, 2.15);
}

TEST(Fill, RandomWritesOfTenGigabytes) {
  const FillReport report = fill("random, 10 GB", 10, Order::kRandom, 1);
  EXPECT_LE(report.write_amplification(), 6.5);
  EXPECT_LE(report.stopped, 0.02);
}

TEST(Fill, TwoCompactionsAtOnceKeepL0Shorter) {
  const FillReport one = fill("random, 10 GB", 10, Order::kRandom, 1);
  const FillReport two = fill("random, 10 GB, two at once", 10, Order::kRandom, 2);
  EXPECT_LT(two.l0_tables_max, one.l0_tables_max);
  EXPECT_LT(two.runs_mean, one.runs_mean);
}

TEST(Fill, OverwritesReclaimSpace) {
  const FillReport report = fill("overwrites, 10 GB in 2.5 GB", 10, Order::kOverwrite, 1);
  EXPECT_LE(report.write_amplification(), 5.3);
  EXPECT_LE(static_cast<double>(report.live_bytes), 2.5e9 * 1.3);
}

// Wherever in the cycle of compactions writers end: at rest there is at most half as much garbage as data, for at most
// two bytes written for each byte freed.
TEST(Fill, AtRestLittleOfWhatWasOverwrittenIsLeft) {
  double sum = 0;
  int fills = 0;
  for (double gigabytes = 1.2; gigabytes < 3; gigabytes += 0.2, ++fills) {
    FillSimulator simulator(settings(1));
    std::mt19937_64 random(7);
    constexpr std::uint64_t kRows = 580'000'000 / kEntryBytes;
    const auto writes = static_cast<std::uint64_t>(gigabytes * 1e9 / kEntryBytes);
    for (std::uint64_t i = 0; i < kRows; ++i) simulator.put(i);
    for (std::uint64_t i = 0; i < writes; ++i) simulator.put(random() % kRows);
    simulator.flush();
    simulator.settle();  // As far as sizes ask for it.
    const FillReport before = simulator.report();
    simulator.settle(1);
    const FillReport after = print("overwrites, then rest", simulator.report());
    const double live = static_cast<double>(kRows * kEntryBytes);
    EXPECT_LE(static_cast<double>(after.live_bytes), 1.51 * live);
    EXPECT_LE(after.compaction_bytes - before.compaction_bytes, 2 * (before.live_bytes - after.live_bytes));
    sum += static_cast<double>(after.live_bytes) / live;
  }
  EXPECT_LE(sum / fills, 1.1);
}

// Nor do new rows above old ones look like garbage.
TEST(Fill, AtRestNewRowsStayWhereTheyAre) {
  FillSimulator simulator(settings(1));
  std::mt19937_64 random(7);
  put_at_random(simulator, random, 700'000'000);
  const FillReport before = simulator.report();
  simulator.settle(0.05);
  EXPECT_EQ(simulator.report().compaction_bytes, before.compaction_bytes);
}

TEST(Fill, SequentialWritesAreNeverRewritten) {
  const FillReport report = fill("sequential, 2 GB", 2, Order::kSequential, 1);
  EXPECT_EQ(report.compaction_bytes, 0U);
  EXPECT_LE(report.l0_tables_max, 6U);
}

// What compaction writes for each byte of `flushes` flushes of `flush_bytes`, above `below_bytes` of data.
double small_flushes(const char* name, std::uint64_t below_bytes, std::uint64_t flush_bytes, int flushes) {
  FillSimulator simulator(settings(1));
  std::mt19937_64 random(7);
  put_at_random(simulator, random, below_bytes);
  const FillReport before = simulator.report();
  for (int i = 0; i < flushes; ++i) put_at_random(simulator, random, flush_bytes);
  const FillReport after = print(name, simulator.report());
  EXPECT_LE(after.l0_tables_max, 8U);
  const double written = static_cast<double>(after.compaction_bytes - before.compaction_bytes);
  return written / static_cast<double>(after.user_bytes - before.user_bytes);
}

// Many small flushes above much data, as a command-line tool makes them: L0 gathers them, the data below is not
// rewritten for each handful.
TEST(Fill, TinyFlushesDoNotRewriteTheDatabase) {
  EXPECT_LE(small_flushes("128 KiB at a time", 250'000'000, 131072, 400), 18);
}

// Six sessions of 15 MB each left six tables in L0 above 580 MB, and the seventh paid for rewriting half of that: 32
// bytes a byte.
TEST(Fill, SessionsThatWriteLittlePayLittle) {
  EXPECT_LE(small_flushes("15 MB at a time", 580'000'000, 15'000'000, 10), 4);
  EXPECT_LE(small_flushes("15 MB at a time, for long", 580'000'000, 15'000'000, 400), 8);
}

// Four tables of L0, which nothing else would merge.
TEST(Fill, ReadsMergeWhatTheySeekIn) {
  FillSimulator simulator(settings(1));
  std::mt19937_64 random(7);
  put_at_random(simulator, random, 140'000'000);
  EXPECT_EQ(simulator.shape().levels[0].size(), 4U);
  for (int i = 0; i < 22'000; ++i) simulator.seek(UINT64_MAX / 2, 1);
  EXPECT_EQ(simulator.report().compaction_bytes, 0U);
  for (int i = 0; i < 2'000; ++i) simulator.seek(UINT64_MAX / 2, 1);
  simulator.settle();
  const FillReport report = print("140 MB, then seeks", simulator.report());
  EXPECT_TRUE(simulator.shape().levels[0].empty());
  EXPECT_EQ(report.jobs, 1U);
}

// Over all, merges for reads read and write no more than was read in vain without them.
TEST(Fill, MergesForReadsCostNoMoreThanTheReads) {
  const FillReport quiet = fill("random, 2 GB", 2, Order::kRandom, 1);
  for (const std::uint64_t seeks : {1, 10, 100, 1000}) {
    FillSimulator simulator(settings(1));
    std::mt19937_64 random(7);
    for (std::uint64_t i = 0; i < 2'000'000'000 / kEntryBytes; ++i) {
      simulator.put(random());
      simulator.seek(UINT64_MAX / 2, seeks);
    }
    simulator.flush();
    simulator.settle();
    const FillReport report = print("random, 2 GB, with seeks", simulator.report());
    std::printf("%llu seeks for each 64 KiB: %.1f GB read in vain\n", static_cast<unsigned long long>(seeks),
                static_cast<double>(report.vain_bytes) / 1e9);
    EXPECT_LE(2 * report.compaction_bytes, 2 * quiet.compaction_bytes + report.vain_bytes);
    EXPECT_EQ(report.stopped, 0);
  }
}

}  // namespace
}  // namespace firn::compaction
