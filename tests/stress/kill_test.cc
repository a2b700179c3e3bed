// Real processes and SIGKILL: writers in a child process acknowledge what they have written in shared memory, the child
// is killed at a random moment, the database is opened again, and whatever was acknowledged must be there, each batch
// whole. FIRN_TEST_CASES scales the number of rounds.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "firn/firn.h"
#include "tests/support/cases.h"

namespace firn {
namespace {

constexpr std::size_t kWriters = 4;

// How many batches each writer knows to be written; shared with the child, so that no kill can lose it.
struct Acknowledged {
  std::array<std::atomic<std::uint64_t>, kWriters> batches;
};

Options small_options() {
  Options options;
  options.durability = Durability::kBuffered;
  options.sizes.memtable_bytes = 256 << 10;  // Flushes and compactions happen within a round.
  options.sizes.table_bytes = 256 << 10;
  options.sizes.log_segment_bytes = 256 << 10;
  options.sizes.cache_bytes = 4 << 20;
  return options;
}

std::string key_of(std::size_t writer, std::uint64_t i) { return std::to_string(writer) + "/" + std::to_string(i); }
std::string value_of(std::uint64_t i) { return std::to_string(i) + std::string(i % 200, 'v'); }
// Every batch also overwrites its writer's counter.
std::string counter_of(std::size_t writer) { return "counter" + std::to_string(writer); }

class KillLoop : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/firn-kill-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    void* shared = mmap(nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    acknowledged_ = new (shared) Acknowledged{};
    auto db = DB::open(path_, small_options());
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    ASSERT_TRUE((*db)->create_family("other").ok());
    ASSERT_TRUE((*db)->close().ok());
  }
  void TearDown() override {
    EXPECT_TRUE(DB::destroy(path_).ok());
    munmap(acknowledged_, sizeof(Acknowledged));
  }

  [[noreturn]] void write_until_killed() {
    auto db = DB::open(path_, small_options());
    if (!db.ok()) _exit(1);
    const Family other = *(*db)->family("other");
    std::vector<std::thread> writers;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        std::atomic<std::uint64_t>& acknowledged = acknowledged_->batches[writer];
        WriteBatch batch;
        for (std::uint64_t i = acknowledged.load();; ++i) {
          batch.clear();
          batch.put(key_of(writer, i), value_of(i));
          batch.put(other, key_of(writer, i), value_of(i));
          batch.put(other, counter_of(writer), std::to_string(i));
          if (Status status = (*db)->write(batch); !status.ok()) _exit(2);
          acknowledged.store(i + 1);
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    _exit(3);
  }

  // Lets a child write until it has acknowledged `batches` more, then kills it.
  void kill_after(std::uint64_t batches) {
    const std::uint64_t target = total() + batches;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed();
    int ended = 0;
    while (total() < target && waitpid(child, &ended, WNOHANG) == 0) sched_yield();
    ASSERT_EQ(ended, 0) << "the writers ended by themselves";
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  void check() {
    auto db = DB::open(path_, small_options());
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    const Family other = *(*db)->family("other");
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      const std::uint64_t acknowledged = acknowledged_->batches[writer];
      const std::uint64_t survived = count(**db, kDefaultFamily, writer);
      EXPECT_GE(survived, acknowledged) << "lost acknowledged batches of writer " << writer;
      EXPECT_EQ(count(**db, other, writer), survived) << "half a batch of writer " << writer;
      auto counter = (*db)->get(other, counter_of(writer));
      if (survived == 0) {
        EXPECT_TRUE(counter.status().is_not_found());
      } else {
        ASSERT_TRUE(counter.ok()) << counter.status().to_string();
        EXPECT_EQ(*counter, std::to_string(survived - 1));
      }
      acknowledged_->batches[writer] = survived;  // The next round goes on behind what is there.
    }
    ASSERT_TRUE((*db)->close().ok());
  }

  // Batches of `writer`, which must be its first ones without a gap.
  static std::uint64_t count(DB& db, Family family, std::size_t writer) {
    std::uint64_t rows = 0;
    Iterator all = db.scan_prefix(family, std::to_string(writer) + "/");
    Step step = all.next();
    for (; step == Step::kEntry; step = all.next()) ++rows;
    EXPECT_EQ(step, Step::kEnd) << all.status().to_string();
    for (std::uint64_t i = 0; i < rows; i += 1 + rows / 64) {
      auto value = db.get(family, key_of(writer, i));
      EXPECT_TRUE(value.ok() && *value == value_of(i)) << key_of(writer, i);
    }
    return rows;
  }

  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& batches : acknowledged_->batches) sum += batches;
    return sum;
  }

  std::string path_;
  Acknowledged* acknowledged_ = nullptr;
};

TEST_F(KillLoop, LosesNoAcknowledgedBatchAndKeepsNoHalf) {
  const std::uint64_t rounds = testing::cases(200);
  std::mt19937_64 random(std::random_device{}());
  for (std::uint64_t round = 0; round < rounds && !HasFailure(); ++round) {
    kill_after(random() % 2000);
    check();
  }
  RecordProperty("batches", static_cast<int>(total()));
}

}  // namespace
}  // namespace firn
