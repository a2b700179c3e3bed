// Many threads on one database: what one of them reads is always some moment of what the others wrote.
//
// Each writer owns a group of keys spread over all families and writes it as one batch, again and again, every key with
// the same stamp 1, 2, 3, ...: so a reader that sees two stamps in a group at one moment has seen half a batch, one
// that sees a stamp go back has seen the past, and one that sees less than was acknowledged has missed a write.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

constexpr int kWriters = 3;
constexpr int kKeysPerFamily = 4;

std::string key_of(int writer, int index) { return "group" + std::to_string(writer) + "/" + std::to_string(index); }

// Long ones now and then, so that memtables fill and values are read both inline and pinned.
std::string value_of(std::uint64_t stamp) {
  return std::to_string(stamp) + std::string(stamp % 7 == 0 ? 1500 : stamp % 100, '.');
}

// 0 for a key that was never written.
std::uint64_t stamp_of(const Result<PinnedValue>& value) {
  if (value.status().is_not_found()) return 0;
  EXPECT_TRUE(value.ok()) << value.status().to_string();
  return value.ok() ? std::stoull(value->to_string()) : 0;
}

class ConcurrencyTest : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    families_ = {kDefaultFamily, create("left"), create("right")};
  }

  // Runs each reader over and over, on its own thread, while the writers write.
  void run(const std::vector<std::function<void()>>& readers) {
    std::vector<std::thread> threads;
    for (int writer = 0; writer < kWriters; ++writer) threads.emplace_back([this, writer] { write(writer); });
    for (const auto& reader : readers) {
      threads.emplace_back([this, &reader] {
        while (writing_.load(std::memory_order_acquire) > 0) reader();
        reader();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // All stamps of a group at a snapshot, which are to be one.
  std::uint64_t group_stamp(int writer, const Snapshot& at) {
    const std::uint64_t stamp = stamp_of(db().get_pinned(families_[0], key_of(writer, 0), {&at}));
    for (const Family family : families_) {
      for (int index = 0; index < kKeysPerFamily; ++index) {
        EXPECT_EQ(stamp_of(db().get_pinned(family, key_of(writer, index), {&at})), stamp) << "half a batch";
      }
    }
    return stamp;
  }

  std::uint64_t acknowledged(int writer) const {
    return acknowledged_[static_cast<std::size_t>(writer)].load(std::memory_order_acquire);
  }

  std::array<Family, 3> families_;

 private:
  void write(int writer) {
    WriteBatch batch;
    for (std::uint64_t stamp = 1; stamp <= stamps_; ++stamp) {
      batch.clear();
      const std::string value = value_of(stamp);
      for (const Family family : families_) {
        for (int index = 0; index < kKeysPerFamily; ++index) batch.put(family, key_of(writer, index), value);
      }
      const auto written = db().write(batch, WriteOptions{stamp % 50 == 0 ? Durability::kSync : Durability::kBuffered});
      EXPECT_TRUE(written.ok()) << written.status().to_string();
      acknowledged_[static_cast<std::size_t>(writer)].store(stamp, std::memory_order_release);
    }
    writing_.fetch_sub(1, std::memory_order_release);
  }

  const std::uint64_t stamps_ = cases(1500);
  std::array<std::atomic<std::uint64_t>, kWriters> acknowledged_{};
  std::atomic<int> writing_{kWriters};
};
INSTANTIATE_TEST_SUITE_P(All, ConcurrencyTest, ::testing::ValuesIn(concurrency_backends()), kind_name);

TEST_P(ConcurrencyTest, SnapshotsSeeWholeBatchesAndStayAsTheyAre) {
  const auto reader = [this] {
    std::array<std::uint64_t, kWriters> floor{};
    for (int writer = 0; writer < kWriters; ++writer) floor[static_cast<std::size_t>(writer)] = acknowledged(writer);
    const Snapshot snapshot = db().snapshot();
    std::array<std::uint64_t, kWriters> seen{};
    for (int writer = 0; writer < kWriters; ++writer) {
      const auto at = static_cast<std::size_t>(writer);
      seen[at] = group_stamp(writer, snapshot);
      EXPECT_GE(seen[at], floor[at]) << "an acknowledged write is missing";
    }
    for (int writer = 0; writer < kWriters; ++writer) {
      EXPECT_EQ(group_stamp(writer, snapshot), seen[static_cast<std::size_t>(writer)]) << "a snapshot changed";
    }
  };
  run({reader, reader});
}

TEST_P(ConcurrencyTest, AReaderNeverSeesThePast) {
  const auto reader = [this, last = std::array<std::array<std::uint64_t, 3>, kWriters>{}]() mutable {
    for (int writer = 0; writer < kWriters; ++writer) {
      for (std::size_t family = 0; family < families_.size(); ++family) {
        const std::uint64_t floor = acknowledged(writer);
        std::uint64_t& seen = last[static_cast<std::size_t>(writer)][family];
        const std::uint64_t now = stamp_of(db().get_pinned(families_[family], key_of(writer, 1)));
        EXPECT_GE(now, seen);
        EXPECT_GE(now, floor);
        seen = now;
      }
    }
  };
  run({reader, reader});
}

TEST_P(ConcurrencyTest, IteratorsAndMultiGetsSeeOneMoment) {
  const auto reader = [this] {
    for (const Family family : families_) {
      for (int writer = 0; writer < kWriters; ++writer) {
        const std::string prefix = "group" + std::to_string(writer) + "/";
        const std::uint64_t floor = acknowledged(writer);
        Iterator it = db().scan_prefix(family, prefix);
        std::vector<std::string> forward;
        Step step = it.next();
        for (; step == Step::kEntry; step = it.next()) forward.emplace_back(it.value());
        EXPECT_EQ(step, Step::kEnd);
        EXPECT_EQ(forward.size(), floor > 0 ? kKeysPerFamily : forward.size());
        for (const std::string& value : forward) EXPECT_EQ(value, forward.front()) << "half a batch";
        std::vector<std::string> back;
        for (step = it.prev(); step == Step::kEntry; step = it.prev()) back.emplace_back(it.value());
        EXPECT_EQ(back, forward);

        const std::string keys[] = {prefix + "3", prefix + "0", prefix + "2", prefix + "1"};
        const Slice slices[] = {keys[0], keys[1], keys[2], keys[3]};
        const auto answers = db().multi_get(family, slices);
        for (const auto& answer : answers) EXPECT_EQ(stamp_of(answer), stamp_of(answers[0])) << "half a batch";
      }
    }
  };
  run({reader, reader});
}

TEST_P(ConcurrencyTest, UpkeepAndFamiliesThatComeAndGoDisturbNobody) {
  const auto upkeep = [this, turn = 0]() mutable {
    const Family family = families_[static_cast<std::size_t>(turn++ % 3)];
    EXPECT_EQ(text(db().flush(family)), "ok");
    if (turn % 3 == 0) {
      EXPECT_EQ(text(db().compact_range(family, {}, {})), "ok");
    }
    if (turn % 5 == 0) {
      EXPECT_EQ(text(db().properties(family).status()), "ok");
    }
    if (turn % 7 == 0) {
      EXPECT_EQ(text(db().sync()), "ok");
    }
  };
  const auto churn = [this, turn = 0]() mutable {
    const auto family = db().create_family("passing" + std::to_string(turn++));
    ASSERT_TRUE(family.ok()) << family.status().to_string();
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(db().put(*family, std::to_string(i), std::string(300, 'p')).ok());
    const Snapshot before = db().snapshot();
    Iterator it = db().iterator(*family);
    EXPECT_EQ(text(db().drop_family(*family)), "ok");
    EXPECT_TRUE(db().get(*family, "7").status().is_not_found());
    EXPECT_EQ(text(db().get(*family, "7", {&before})), std::string(300, 'p'));
    int entries = 0;
    while (it.next() == Step::kEntry) ++entries;
    EXPECT_EQ(entries, 50);
  };
  const auto reader = [this] {
    const Snapshot snapshot = db().snapshot();
    for (int writer = 0; writer < kWriters; ++writer) group_stamp(writer, snapshot);
  };
  run({upkeep, churn, reader});
  EXPECT_EQ(db().families().size(), families_.size());
  EXPECT_EQ(text(db().verify()), "ok");
  EXPECT_EQ(text(db().health()), "ok");
}

// Once a log that grew while it was read seemed to have a gap.
TEST_P(ConcurrencyTest, EverythingIsSoundAtAnyTime) {
  // On a real device each one waits for the writers' syncs.
  const std::uint64_t most = GetParam().name == "TinyDirectory" ? cases(20) : cases(10'000);
  const auto verifier = [this, most, count = std::uint64_t{0}]() mutable {
    if (count++ >= most) return;
    const Status status = db().verify();
    EXPECT_TRUE(status.ok()) << status.to_string();
  };
  run({verifier});
}

TEST_P(ConcurrencyTest, ValuesAndIteratorsMayBeReadWhileTheDatabaseCloses) {
  run({});
  std::vector<Result<PinnedValue>> values;
  for (int writer = 0; writer < kWriters; ++writer) values.push_back(db().get_pinned(key_of(writer, 0)));
  Iterator it = db().iterator();
  std::thread reader([&] {
    for (const auto& value : values) EXPECT_EQ(stamp_of(value), acknowledged(0));
    int entries = 0;
    while (it.next() == Step::kEntry) ++entries;
    EXPECT_EQ(entries, kWriters * kKeysPerFamily);
  });
  EXPECT_EQ(text(db().close()), "ok");
  destroy_db();
  reader.join();
}

}  // namespace
}  // namespace firn::testing
