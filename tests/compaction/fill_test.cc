// The picker over synthetic fills. The figures are upper bounds a little above what is measured;
// `--gtest_filter=Fill.*` prints the measured ones. Sizes are those of a default database: 64 MiB memtables and tables,
// entries of 64 KiB to keep the simulation short (write amplification depends on numbers of tables, not of entries).
#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "tests/compaction/fill_simulator.h"

namespace firn::compaction {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

FillSettings settings(std::size_t slots) {
  FillSettings settings;
  settings.limits = {64 * kMiB, 64 * kMiB, 10, 4};
  settings.entry_bytes = 65536;
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

enum class Order { kRandom, kSequential, kOverwrite };

FillReport fill(const char* name, double gigabytes, Order order, std::size_t slots) {
  FillSimulator simulator(settings(slots));
  std::mt19937_64 random(7);
  const auto entries = static_cast<std::uint64_t>(gigabytes * 1e9 / 65536);
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

// The size of the comparison with RocksDB: 5 million entries of 116 bytes, where it writes 3.4 bytes per byte.
TEST(Fill, RandomWritesOfHalfAGigabyte) {
  const FillReport report = fill("random, 0.58 GB", 0.58, Order::kRandom, 1);
  EXPECT_LE(report.write_amplification(), 2.5);
  EXPECT_LE(report.l0_tables_max, 6U);
  EXPECT_EQ(report.stopped, 0);
}

TEST(Fill, RandomWritesOfTenGigabytes) {
  const FillReport report = fill("random, 10 GB", 10, Order::kRandom, 1);
  EXPECT_LE(report.write_amplification(), 6.2);
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
  EXPECT_LE(report.write_amplification(), 4.2);
  EXPECT_LE(static_cast<double>(report.live_bytes), 2.5e9 * 1.3);
}

TEST(Fill, SequentialWritesAreNeverRewritten) {
  const FillReport report = fill("sequential, 2 GB", 2, Order::kSequential, 1);
  EXPECT_EQ(report.compaction_bytes, 0U);
  EXPECT_LE(report.l0_tables_max, 4U);
}

// Many small flushes above much data, as a command-line tool makes them: L0 gathers them, the data below is not
// rewritten for each handful.
TEST(Fill, TinyFlushesDoNotRewriteTheDatabase) {
  FillSimulator simulator(settings(1));
  std::mt19937_64 random(7);
  for (int i = 0; i < 3800; ++i) simulator.put(random());
  simulator.flush();
  simulator.settle();
  const FillReport before = simulator.report();
  for (int i = 0; i < 400; ++i) {
    simulator.put(random());
    simulator.put(random());
    simulator.flush();
    simulator.settle();
  }
  const FillReport after = print("tiny flushes", simulator.report());
  const double written = static_cast<double>(after.compaction_bytes - before.compaction_bytes);
  EXPECT_LE(written / static_cast<double>(after.user_bytes - before.user_bytes), 25);
  EXPECT_LE(after.l0_tables_max, 5U);
}

}  // namespace
}  // namespace firn::compaction
