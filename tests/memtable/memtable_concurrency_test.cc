// One writer, three readers: what was acknowledged is found by everyone, at once, in order, exactly once. Meant for
// ThreadSanitizer too.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "codec/key_hash.h"
#include "lsm/memtable/memtable.h"
#include "tests/support/cases.h"

namespace firn {

namespace {

// The n-th write goes to key key_number(n) and its value says n; the kind of workload decides the keys.
struct Workload {
  std::string name;
  std::uint64_t (*key_number)(std::uint64_t write);
  std::string prefix;         // Of every key.
  std::string common_prefix;  // Given to the memtable.

  std::string key(std::uint64_t write) const {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(key_number(write)));
    return prefix + digits;
  }
};

std::uint64_t scrambled(std::uint64_t n) {
  n *= 0x9E3779B97F4A7C15;
  return n ^ n >> 29;
}

// A memtable, how far it has been written, and what readers may expect of it then.
class Shared {
 public:
  explicit Shared(const Workload& workload) : workload_(workload), memtable_(1 << 20, workload.common_prefix) {}

  void write(std::uint64_t count) {
    for (std::uint64_t n = 1; n <= count; ++n) {
      const std::string key = workload_.key(n);
      const std::string value = std::to_string(n);
      ASSERT_TRUE(memtable_.reserve(1, key.size() + value.size()).ok());
      memtable_.add(n, EntryKind::kPut, key, key_hash(key), value);
      acknowledged_.store(n, std::memory_order_release);
    }
    done_.store(true, std::memory_order_release);
  }

  // Calls check(n, round), n acknowledged, until the writer is done, and once more after.
  template <class Check>
  void read(Check check) {
    for (std::uint64_t round = 0;; ++round) {
      const bool last = done_.load(std::memory_order_acquire);
      const std::uint64_t acknowledged = acknowledged_.load(std::memory_order_acquire);
      if (acknowledged > 0) check(acknowledged, round);
      if (last || ::testing::Test::HasFailure()) return;
    }
  }
  void read_by_key() {
    read([this](std::uint64_t n, std::uint64_t round) { get_recent_and_old(n, round); });
  }
  void read_in_order(bool forward) {
    read([this, forward](std::uint64_t n, std::uint64_t round) {
      round % 4 == 3 ? scan_keys(n, forward) : scan(n, forward);
    });
  }

 private:
  void get_recent_and_old(std::uint64_t acknowledged, std::uint64_t round) {
    for (const std::uint64_t n : {acknowledged, scrambled(round) % acknowledged + 1}) {
      const std::string key = workload_.key(n);
      MemTable::Hit hit;
      ASSERT_TRUE(memtable_.get(key, key_hash(key), n, hit)) << key << " of write " << n;
      ASSERT_EQ(hit.sequence, n);
      ASSERT_EQ(hit.value, std::to_string(n));
      MemTableCursor cursor(memtable_);
      cursor.seek(key, n);
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.entry().sequence, n);
      ASSERT_EQ(cursor.entry().key, key);
    }
  }

  // Everything up to `acknowledged` is seen, once and in order, forward or backward.
  void scan(std::uint64_t acknowledged, bool forward) {
    std::uint64_t seen = 0;
    std::string last_key;
    Sequence last_sequence = 0;
    bool any = false;
    MemTableCursor cursor(memtable_);
    for (forward ? cursor.seek_to_first() : cursor.seek_to_last(); cursor.valid();
         forward ? cursor.next() : cursor.prev()) {
      const Entry& entry = cursor.entry();
      if (any) {
        const bool in_order = entry.key == last_key
                                  ? (entry.sequence < last_sequence) == forward && entry.sequence != last_sequence
                                  : (last_key < entry.key) == forward;
        ASSERT_TRUE(in_order) << last_key << "@" << last_sequence << " then " << entry.key << "@" << entry.sequence;
      }
      ASSERT_EQ(entry.key, workload_.key(entry.sequence));
      if (entry.sequence <= acknowledged) ++seen;
      any = true;
      last_key = std::string(entry.key);
      last_sequence = entry.sequence;
    }
    ASSERT_EQ(seen, acknowledged) << (forward ? "forward" : "backward");
  }

  // One sequence, one version of each key.
  void scan_keys(std::uint64_t acknowledged, bool forward) {
    MemTableCursor cursor(memtable_);
    std::string last_key;
    std::uint64_t keys = 0;
    forward ? cursor.seek_to_first() : cursor.seek_to_last();
    ASSERT_TRUE(cursor.valid());
    if (cursor.entry().sequence > acknowledged) return;
    for (; cursor.valid(); forward ? cursor.next_key(acknowledged) : cursor.prev_key(acknowledged)) {
      ASSERT_LE(cursor.entry().sequence, acknowledged);
      const bool in_order = keys++ == 0 || (last_key < cursor.entry().key) == forward;
      ASSERT_TRUE(in_order) << last_key << " then " << cursor.entry().key;
      last_key = std::string(cursor.entry().key);
    }
    ASSERT_LE(keys, acknowledged);
  }

  const Workload& workload_;
  MemTable memtable_;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<bool> done_{false};
};

class MemTableConcurrency : public ::testing::TestWithParam<Workload> {};

TEST_P(MemTableConcurrency, ReadersFindEveryAcknowledgedEntryOnceAndInOrder) {
  Shared shared(GetParam());
  std::vector<std::thread> readers;
  readers.emplace_back([&] { shared.read_by_key(); });
  readers.emplace_back([&] { shared.read_in_order(true); });
  readers.emplace_back([&] { shared.read_in_order(false); });
  shared.write(testing::cases(60'000));
  for (std::thread& reader : readers) reader.join();
}

// Pages split under the readers' eyes most often where there are few of them.
TEST_P(MemTableConcurrency, ReadersFindEveryEntryOfManyYoungMemtables) {
  std::vector<std::unique_ptr<Shared>> young;
  for (std::uint64_t i = 0; i < testing::cases(400); ++i) young.push_back(std::make_unique<Shared>(GetParam()));
  const auto read_all = [&](auto read) {
    for (const auto& shared : young) read(*shared);
  };
  std::vector<std::thread> readers;
  readers.emplace_back([&] { read_all([](Shared& shared) { shared.read_by_key(); }); });
  readers.emplace_back([&] { read_all([](Shared& shared) { shared.read_in_order(true); }); });
  readers.emplace_back([&] { read_all([](Shared& shared) { shared.read_in_order(false); }); });
  for (std::size_t i = 0; i < young.size(); ++i) young[i]->write(20 + i);
  for (std::thread& reader : readers) reader.join();
}

INSTANTIATE_TEST_SUITE_P(
    All, MemTableConcurrency,
    ::testing::Values(Workload{"Random", [](std::uint64_t n) { return scrambled(n); }, "", ""},
                      Workload{"Rising", [](std::uint64_t n) { return n; }, "k", "k00000000000"},
                      Workload{"Falling", [](std::uint64_t n) { return ~n; }, "", ""},
                      Workload{"OneHead", [](std::uint64_t n) { return scrambled(n) >> 40; }, std::string(100, '\xFF'),
                               ""},
                      Workload{"OutsidePrefix", [](std::uint64_t n) { return scrambled(n); }, "k", "k8"},
                      Workload{"FewKeys", [](std::uint64_t n) { return scrambled(n) % 50; }, "", ""},
                      Workload{"OneKey", [](std::uint64_t) { return std::uint64_t{7}; }, "", ""},
                      Workload{"Streams", [](std::uint64_t n) { return (n % 7) << 40 | n; }, "", ""}),
    [](const auto& test) { return test.param.name; });

}  // namespace

}  // namespace firn
