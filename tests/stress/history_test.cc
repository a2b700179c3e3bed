// Real threads on one database, everything they do and see recorded, and judged as a whole (tests/support/history.h):
// several writers of batches over two families and readers of keys, ranges and snapshots, while memtables are flushed
// and tables compacted. FIRN_TEST_CASES scales the number of operations.
#include "tests/support/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "firn/sim/file_system.h"
#include "tests/contract/contract.h"
#include "tests/support/cases.h"
#include "tests/support/history_client.h"
#include "tests/support/history_worker.h"

namespace firn::testing {
namespace {

constexpr int kClients = 4;

class Session {
 public:
  explicit Session(DB& db) : db_(db), families_{kDefaultFamily, *db.create_family("other")} {
    for (int number = 0; number < kClients; ++number) {
      workers_.push_back(std::make_unique<HistoryWorker>(db, clock_, families_, number, random_()));
    }
  }

  // Runs all clients at once, and `beside` again and again until they are done.
  template <class Beside>
  void run(std::uint64_t operations, Beside&& beside) {
    std::vector<std::thread> threads;
    for (const auto& worker : workers_) {
      threads.emplace_back([this, &worker, operations] {
        worker->run(operations);
        running_.fetch_sub(1);
      });
    }
    while (running_.load() > 0) beside();
    for (std::thread& thread : threads) thread.join();
    for (const auto& worker : workers_) EXPECT_EQ(worker->status().to_string(), "ok");
  }

  void flush_or_compact() {
    const Family family = families_[random_() % 2];
    const Status status = random_() % 4 == 0 ? db_.compact_range(family, {}, {}) : db_.flush(family);
    EXPECT_EQ(status.to_string(), "ok");
  }

  // What `db` was found with after the database was stopped at the present time.
  void add_recovered(DB& db, Sequence durable) {
    auto event = read_recovered(db, {families_.begin(), families_.end()});
    ASSERT_TRUE(event.ok()) << event.status().to_string();
    event->issued = event->returned = clock_.tick();
    event->durable = durable;
    recoveries_.push_back(*std::move(event));
  }

  void judge() {
    std::vector<HistoryEvent> events = recoveries_;
    for (const auto& worker : workers_) events.insert(events.end(), worker->events().begin(), worker->events().end());
    std::cout << events.size() << " events, " << recoveries_.size() << " recoveries" << std::endl;
    for (const Anomaly& anomaly : check_history(events)) ADD_FAILURE() << anomaly.text;
  }

 private:
  DB& db_;
  std::mt19937_64 random_{std::random_device{}()};
  HistoryClock clock_;
  const std::array<Family, 2> families_;
  std::vector<std::unique_ptr<HistoryWorker>> workers_;
  std::vector<HistoryEvent> recoveries_;
  std::atomic<int> running_{kClients};
};

class HistoryTest : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(All, HistoryTest, ::testing::ValuesIn(concurrency_backends()), kind_name);

TEST_P(HistoryTest, OneOrderExplainsWhatAllClientsSaw) {
  Session session(db());
  session.run(cases(5000), [&] { session.flush_or_compact(); });
  const Sequence last = db().visible_sequence();
  if (backend().persistent()) reopen();
  session.add_recovered(db(), last);
  session.judge();
}

// Power fails again and again while they work; each state that is left on the device is opened on the side.
TEST(HistoryUnderPowerFailures, EveryStateIsAPrefixWithAllThatWasDurable) {
  sim::SimFileSystem files;
  Platform platform = real_platform();
  platform.files = &files;
  Options options = tiny_options();
  options.platform = &platform;
  auto db = DB::open("/db", options);
  ASSERT_TRUE(db.ok()) << db.status().to_string();
  Session session(**db);
  std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  session.run(cases(5000), [&] {
    session.flush_or_compact();
    const Sequence durable = (*db)->durable_sequence();
    const auto left = files.crash_clone({sim::CrashMode::kRandom, ++seed, 50});
    Platform after = real_platform();
    after.files = left.get();
    options.platform = &after;
    auto recovered = DB::open("/db", options);
    ASSERT_TRUE(recovered.ok()) << recovered.status().to_string();
    session.add_recovered(**recovered, durable);
  });
  session.judge();
}

}  // namespace
}  // namespace firn::testing
