#include "compaction/pacing.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

namespace firn::compaction {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

PacingInput idle() {
  PacingInput input;
  input.memtable_bytes = {0, 192 * kMiB};
  input.l0_tables = {0, 24};
  input.debt_bytes = {0, 1024 * kMiB};
  input.flush_bytes_per_second = 400 * kMiB;
  input.compaction_bytes_per_second = 50 * kMiB;
  return input;
}

rc::Gen<PacingStore> store_gen() {
  const auto number = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, 1000));
  return rc::gen::map(rc::gen::pair(number, number), [](std::pair<std::uint64_t, std::uint64_t> pair) {
    return PacingStore{pair.first, pair.second};
  });
}

rc::Gen<PacingInput> input_gen() {
  const auto throughput = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, 1'000'000'000));
  return rc::gen::build<PacingInput>(
      rc::gen::set(&PacingInput::memtable_bytes, store_gen()), rc::gen::set(&PacingInput::l0_tables, store_gen()),
      rc::gen::set(&PacingInput::debt_bytes, store_gen()),
      rc::gen::set(&PacingInput::flush_bytes_per_second, throughput),
      rc::gen::set(&PacingInput::compaction_bytes_per_second, throughput), rc::gen::set(&PacingInput::flush_runnable));
}

bool full(const PacingStore& store) { return store.limit > 0 && store.used >= store.limit; }
bool below_half(const PacingStore& store) { return store.limit == 0 || 2 * store.used <= store.limit; }

TEST(Pacing, IsFreeBelowHalfOfEveryLimit) {
  EXPECT_TRUE(rc::check("free if and only if no store is above half", [] {
    const PacingInput input = *input_gen();
    const Pace result = pace(input);
    const bool free = below_half(input.memtable_bytes) && below_half(input.l0_tables) && below_half(input.debt_bytes);
    RC_ASSERT((result.delay_ps_per_byte == 0) == free);
    RC_ASSERT((result.cause == PacingCause::kNone) == free);
  }));
}

TEST(Pacing, MemtablesAreFilledSoFarThatFlushesKeepUp) {
  constexpr std::uint64_t kWhole = 64 * kMiB;
  EXPECT_EQ(full_memtable_bytes(kWhole, 0), kWhole);
  EXPECT_EQ(full_memtable_bytes(kWhole, 100), kWhole / 2);
  for (double meanwhile = 0.1; meanwhile < 1; meanwhile += 0.1) {
    const auto full = static_cast<double>(full_memtable_bytes(kWhole, meanwhile));
    EXPECT_NEAR(full * (1 + meanwhile), kWhole, 4) << meanwhile;
  }
}

TEST(Pacing, IsMonotoneInEveryStore) {
  EXPECT_TRUE(rc::check("more is never cheaper", [] {
    const PacingInput less = *input_gen();
    PacingInput more = less;
    more.memtable_bytes.used += *rc::gen::inRange<std::uint64_t>(0, 500);
    more.l0_tables.used += *rc::gen::inRange<std::uint64_t>(0, 500);
    more.debt_bytes.used += *rc::gen::inRange<std::uint64_t>(0, 500);
    RC_ASSERT(pace(more).delay_ps_per_byte >= pace(less).delay_ps_per_byte);
    RC_ASSERT(pace(more).stop >= pace(less).stop);
  }));
}

TEST(Pacing, IsMonotoneInThroughput) {
  EXPECT_TRUE(rc::check("slower jobs never make writes cheaper", [] {
    PacingInput fast = *input_gen();
    fast.flush_bytes_per_second += 2;
    fast.compaction_bytes_per_second += 2;
    PacingInput slow = fast;
    slow.flush_bytes_per_second -= *rc::gen::inRange<std::uint64_t>(1, fast.flush_bytes_per_second);
    slow.compaction_bytes_per_second -= *rc::gen::inRange<std::uint64_t>(1, fast.compaction_bytes_per_second);
    RC_ASSERT(pace(slow).delay_ps_per_byte >= pace(fast).delay_ps_per_byte);
  }));
}

TEST(Pacing, StopsOnlyForMemtablesThatAFlushWillEmpty) {
  EXPECT_TRUE(rc::check("stop implies full memtables and a runnable flush", [] {
    const PacingInput input = *input_gen();
    RC_ASSERT(pace(input).stop == (full(input.memtable_bytes) && input.flush_runnable));
  }));
}

// From free to the slowest, a step of a thousandth of a limit changes the time a byte takes (what the byte costs anyway
// included: 1 ns) by less than a sixth, up to the last hundredth.
TEST(Pacing, HasNoStep) {
  for (const std::uint64_t throughput : {kMiB, 50 * kMiB, 2000 * kMiB}) {
    PacingInput input = idle();
    input.flush_bytes_per_second = input.compaction_bytes_per_second = throughput;
    input.flush_runnable = true;
    for (PacingStore* store : {&input.memtable_bytes, &input.l0_tables, &input.debt_bytes}) {
      store->limit = 1000;
      double before = 1000;
      for (store->used = 0; store->used <= 990; ++store->used) {
        const Pace result = pace(input);
        const double now = 1000 + static_cast<double>(result.delay_ps_per_byte);
        EXPECT_LT(now / before, 1.17) << store->used << " at " << throughput;
        EXPECT_FALSE(result.stop);
        before = now;
      }
      // Before a stop, writers crawl already: less than a hundredth of what the jobs can do.
      store->used = 999;
      EXPECT_GE(pace(input).delay_ps_per_byte,
                std::min<std::uint64_t>(kPacePsPerByteMax, 100'000'000'000'000 / throughput));
      store->used = 0;
    }
  }
}

TEST(Pacing, SettlesWhereWritersAreAsFastAsTheJobs) {
  // Writers without a pause of their own against jobs of 50 MiB/s: the store's level must come to rest below its limit.
  PacingInput input = idle();
  double debt = 0;
  const double step_seconds = 0.001;
  for (int i = 0; i < 200'000; ++i) {
    input.debt_bytes.used = static_cast<std::uint64_t>(debt);
    const double ps_per_byte = static_cast<double>(pace(input).delay_ps_per_byte) + 2500;  // 400 MB/s by themselves.
    debt = std::max(0.0, debt + step_seconds * (1e12 / ps_per_byte - 50.0 * kMiB));
    ASSERT_LT(debt, 0.9 * static_cast<double>(input.debt_bytes.limit));
  }
  EXPECT_GT(debt, 0.5 * static_cast<double>(input.debt_bytes.limit));
  const Pace result = pace(input);
  EXPECT_EQ(result.cause, PacingCause::kDebt);
  EXPECT_EQ(result.limit, input.debt_bytes.limit);
  EXPECT_EQ(pacing_cause_name(result.cause), "bytes of compaction debt");
  EXPECT_NEAR(static_cast<double>(result.delay_ps_per_byte) + 2500, 1e12 / (50.0 * kMiB), 500);
}

TEST(Pacing, OwesDelayByTheByte) {
  Pace result;
  result.delay_ps_per_byte = 2500;
  EXPECT_EQ(result.delay_ns(0), 0U);
  EXPECT_EQ(result.delay_ns(4000), 10'000U);
  result.delay_ps_per_byte = kPacePsPerByteMax;
  EXPECT_EQ(result.delay_ns(std::uint64_t{1} << 30), (std::uint64_t{1} << 30) * 10'000);
}

}  // namespace
}  // namespace firn::compaction
