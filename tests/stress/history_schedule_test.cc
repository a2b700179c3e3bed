// Recorded histories on simulated machines, a seed each: who runs when is decided by the seed, by a random walk or by
// PCT, transfers are short, interrupted or slow, and at some operations on files the state that a crash leaves is kept,
// opened later, and judged with the rest (tests/support/history.h). FIRN_TEST_CASES scales the number of seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/fault_plan.h"
#include "firn/sim/machine.h"
#include "tests/support/cases.h"
#include "tests/support/history_worker.h"

namespace firn::testing {
namespace {

// A state to be opened, and what must be in it.
struct Crash {
  sim::CrashPoint point;
  std::uint64_t tick = 0;
  Sequence durable = 0;
};

class ScheduledHistory {
 public:
  explicit ScheduledHistory(std::uint64_t seed)
      : seed_(seed), random_(sim::seeded_random(seed)), faults_(rules(), random_->next()) {}

  // Returns how many events there were.
  std::size_t run() {
    sim::MachineOptions machine_options;
    machine_options.seed = random_->next();
    machine_options.depth = static_cast<std::uint32_t>(random_->next() % 5);
    sim::Machine machine(std::move(machine_options));
    const Status ended = machine.run([&] { live(machine); });
    EXPECT_TRUE(ended.ok()) << ended.to_string() << repeat();
    trace_ = machine.trace_hash();
    for (const Crash& crash : crashes_) recover(crash);
    for (const Anomaly& anomaly : check_history(events_)) ADD_FAILURE() << anomaly.text << repeat();
    return events_.size();
  }
  std::size_t crashes() const { return crashes_.size(); }
  std::uint64_t trace() const { return trace_; }

 private:
  static constexpr int kClients = 3;

  std::string repeat() const {
    return "\nrun again: FIRN_HISTORY_SEED=" + std::to_string(seed_) + " tests/stress/history_schedule_test";
  }

  // What no write may fail of: what it means for the order when one does is for tests/sim/simulation_test.cc.
  std::vector<sim::FaultRule> rules() const {
    using enum sim::OperationKind;
    if (random_->next() % 2 == 0) return {};
    const auto one_in = static_cast<std::uint32_t>(5 + random_->next() % 40);
    return {{.kind = sim::FaultKind::kShort, .one_in = one_in},
            {.error = EINTR, .operations = {kRead, kWrite}, .one_in = one_in},
            {.kind = sim::FaultKind::kDelay, .one_in = one_in, .delay_ns = 20'000'000}};
  }

  static Options options(const sim::Machine& machine) {
    Options options;
    options.platform = &machine.platform();
    options.durability = Durability::kBuffered;
    options.sizes.memtable_bytes = 64 << 10;
    options.sizes.table_bytes = 64 << 10;
    options.sizes.log_segment_bytes = 64 << 10;
    options.sizes.cache_bytes = 1 << 20;
    return options;
  }

  void live(sim::Machine& machine) {
    auto db = DB::open("db", options(machine));
    ASSERT_TRUE(db.ok()) << db.status().to_string() << repeat();
    const auto other = (*db)->create_family("other");
    ASSERT_TRUE(other.ok()) << other.status().to_string() << repeat();
    families_ = {kDefaultFamily, *other};
    std::vector<std::unique_ptr<HistoryWorker>> workers;
    for (int number = 0; number < kClients; ++number) {
      workers.push_back(std::make_unique<HistoryWorker>(**db, clock_, families_, number, random_->next()));
    }
    const std::uint64_t crash_one_in = 20 + random_->next() % 100;
    machine.files().set_fault_hook([&](const sim::Operation& operation) {
      if (machine.random().next() % crash_one_in == 0 && crashes_.size() < 3) keep_crash(machine, workers);
      return faults_.consult(operation);
    });
    std::vector<sim::Scheduler::ThreadId> threads;
    for (const auto& worker : workers) {
      threads.push_back(machine.scheduler().spawn("client", [&worker] { worker->run(30); }));
    }
    for (int round = 0; round < 3; ++round) {
      machine.scheduler().pause(machine.random().next() % 300'000);
      const Family family = families_[machine.random().next() % 2];
      const Status status = round == 1 ? (*db)->compact_range(family, {}, {}) : (*db)->flush(family);
      EXPECT_TRUE(status.ok()) << status.to_string() << repeat();
    }
    for (const sim::Scheduler::ThreadId thread : threads) machine.scheduler().join(thread);
    machine.files().set_fault_hook({});
    for (const auto& worker : workers) {
      EXPECT_TRUE(worker->status().ok()) << worker->status().to_string() << repeat();
      events_.insert(events_.end(), worker->events().begin(), worker->events().end());
    }
  }

  // One thread runs at a time: nobody acknowledges anything meanwhile.
  void keep_crash(sim::Machine& machine, const std::vector<std::unique_ptr<HistoryWorker>>& workers) {
    const auto profile = static_cast<sim::CrashProfile>(machine.random().next() % 4);
    Sequence durable = 0;
    for (const auto& worker : workers) {
      durable =
          std::max(durable, profile == sim::CrashProfile::kProcessKill ? worker->acknowledged() : worker->durable());
    }
    crashes_.push_back({machine.files().crash_point(profile), clock_.tick(), durable});
  }

  void recover(const Crash& crash) {
    sim::MachineOptions machine_options;
    machine_options.seed = random_->next();
    machine_options.disk = crash.point.apply(crash.point.random(random_->next()));
    sim::Machine machine(std::move(machine_options));
    const Status ended = machine.run([&] {
      auto db = DB::open("db", options(machine));
      ASSERT_TRUE(db.ok()) << db.status().to_string() << repeat();
      auto found = read_recovered(**db, {families_.begin(), families_.end()});
      ASSERT_TRUE(found.ok()) << found.status().to_string() << repeat();
      found->issued = found->returned = crash.tick;
      found->durable = crash.durable;
      events_.push_back(*std::move(found));
    });
    EXPECT_TRUE(ended.ok()) << ended.to_string() << repeat();
  }

  const std::uint64_t seed_;
  const std::unique_ptr<Random> random_;
  sim::FaultPlan faults_;
  HistoryClock clock_;
  std::array<Family, 2> families_{};
  std::vector<Crash> crashes_;
  std::vector<HistoryEvent> events_;
  std::uint64_t trace_ = 0;
};

TEST(ScheduledHistories, OneOrderExplainsEachOfThem) {
  if (const char* seed = std::getenv("FIRN_HISTORY_SEED"); seed != nullptr) {
    ScheduledHistory(std::strtoull(seed, nullptr, 10)).run();
    return;
  }
  std::size_t events = 0;
  std::size_t crashes = 0;
  const std::uint64_t seeds = cases(1000);
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    ScheduledHistory history(seed);
    events += history.run();
    crashes += history.crashes();
  }
  std::printf("%ju schedules, %zu events, %zu crashes\n", static_cast<std::uintmax_t>(seeds), events, crashes);
}

TEST(ScheduledHistories, RepeatBySeed) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    ScheduledHistory once(seed);
    ScheduledHistory again(seed);
    EXPECT_EQ(once.run(), again.run());
    EXPECT_EQ(once.trace(), again.trace());
  }
}

}  // namespace
}  // namespace firn::testing
