// Memory is refused: the first, second, third, ... request of a call, until there is none left to refuse. What reads
// answers kOutOfMemory or the right thing, and works when there is memory again. What writes may end the process as
// well; the next open then finds everything that was acknowledged.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "firn/firn.h"
#include "firn/repair.h"
#include "tests/faults/refused_memory.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

using Rows = std::map<std::string, std::string>;

constexpr int kKeys = 300;

std::string key_of(int i) { return "key" + std::to_string(10'000 + i); }
std::string value_of(int i) { return std::to_string(i) + std::string(200, static_cast<char>('a' + i % 26)); }

Options small_options() {
  Options options;
  options.background_threads = 1;
  options.sizes.block_bytes = 512;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  options.compression.fill(Compression::kZstd);  // Read through the cache.
  return options;
}

class Directory {
 public:
  Directory() : path_(::testing::TempDir() + "firn_memory_" + std::to_string(getpid())) { clear(); }
  ~Directory() { clear(); }
  const std::string& path() const { return path_; }
  void clear() const { std::filesystem::remove_all(path_); }

 private:
  const std::string path_;
};

class RefusedMemory : public ::testing::TestWithParam<Refusal> {
 protected:
  RefusedMemory() {
    auto db = DB::open(directory_.path(), small_options());
    EXPECT_TRUE(db.ok()) << db.status().to_string();
    for (int i = 0; i < kKeys; ++i) put(**db, i, "old");
    EXPECT_TRUE((*db)->compact_range().ok());
    for (int i = 0; i < kKeys; i += 2) put(**db, i, "new");
    EXPECT_TRUE((*db)->flush().ok());
    EXPECT_TRUE((*db)->close().ok());
  }

  void put(DB& db, int i, const std::string& what) {
    EXPECT_TRUE(db.put(key_of(i), what + value_of(i)).status().ok());
    rows_[key_of(i)] = what + value_of(i);
  }

  // `call` with its n-th request refused, for every n. `check` looks at what it found, with memory.
  void refuse_each(const std::string& name, const std::function<Status()>& call, const std::function<void()>& check) {
    for (std::uint64_t n = 1;; ++n) {
      refuse_memory(n, GetParam());
      Status status = call();
      if (!allow_memory()) {
        std::printf("%s: %ju requests refused\n", name.c_str(), static_cast<std::uintmax_t>(n - 1));
        EXPECT_TRUE(status.ok()) << status.to_string();
        return;
      }
      SCOPED_TRACE(name + ", request " + std::to_string(n));
      if (status.ok()) {
        check();
      } else {
        EXPECT_EQ(status.code(), StatusCode::kOutOfMemory) << status.to_string();
      }
      status = call();
      EXPECT_TRUE(status.ok()) << "with memory again: " << status.to_string();
      check();
      if (HasFailure()) return;
    }
  }

  std::unique_ptr<DB> open() {
    auto db = DB::open(directory_.path(), small_options());
    EXPECT_TRUE(db.ok()) << db.status().to_string();
    return std::move(db).value();
  }

  Directory directory_;
  Rows rows_;
};
INSTANTIATE_TEST_SUITE_P(Refusals, RefusedMemory, ::testing::Values(Refusal::kOnce, Refusal::kAlways),
                         [](const auto& kind) { return kind.param == Refusal::kOnce ? "Once" : "Always"; });

TEST_P(RefusedMemory, OpeningSaysSo) {
  Options options = small_options();
  options.read_only = true;
  std::unique_ptr<DB> db;
  const auto check = [&] {
    const auto value = db->get(key_of(7));
    EXPECT_EQ(value.ok() ? *value : value.status().to_string(), rows_.at(key_of(7)));
    db.reset();
  };
  refuse_each(
      "open",
      [&] {
        auto opened = DB::open(directory_.path(), options);
        if (!opened.ok()) return Status(opened.status());
        db = std::move(opened).value();
        return Status();
      },
      check);
}

TEST_P(RefusedMemory, GetsSaySo) {
  for (const int key : {0, 7, kKeys - 1}) {
    const std::unique_ptr<DB> db = open();
    PinnedValue found;
    refuse_each(
        "get",
        [&] {
          auto value = db->get_pinned(key_of(key));
          if (!value.ok()) return Status(value.status());
          found = std::move(value).value();
          return Status();
        },
        [&] { EXPECT_EQ(found.slice(), rows_.at(key_of(key))); });
  }
}

TEST_P(RefusedMemory, ScansSaySo) {
  const std::unique_ptr<DB> db = open();
  for (const bool forward : {true, false}) {
    std::size_t rows = 0;
    bool right = true;
    const auto scan = [&] {
      rows = 0;
      Iterator it = db->iterator();
      Step step = forward ? it.next() : it.prev();
      for (; step == Step::kEntry; step = forward ? it.next() : it.prev()) {
        ++rows;
        const auto row = rows_.lower_bound(std::string(it.key().substr(0, 8)));  // Eight bytes need no memory.
        right &= row != rows_.end() && row->first == it.key() && row->second == it.value();
      }
      return step == Step::kEnd ? Status() : it.status();
    };
    refuse_each(forward ? "scan" : "scan backward", scan, [&] {
      EXPECT_EQ(rows, rows_.size());
      EXPECT_TRUE(right);
    });
  }
}

TEST_P(RefusedMemory, VerifyingSaysSo) {
  refuse_each(
      "verify_files", [&] { return verify_files(directory_.path(), small_options(), {}); }, [] {});
  const std::unique_ptr<DB> db = open();
  refuse_each(
      "verify", [&] { return db->verify(); }, [] {});
}

// In a process of its own, in which the `n`-th request of any thread is refused, and which counts acknowledged writes.
// False when it came to its end.
bool write_until_refused(const std::string& path, std::uint64_t n, std::atomic<int>& acknowledged) {
  const pid_t child = fork();
  if (child == 0) {
    std::fclose(stderr);  // Says how it was ended.
    auto db = DB::open(path, small_options());
    if (!db.ok()) _exit(2);
    refuse_memory_to_all(n);
    for (int i = 0; i < 3 * kKeys; ++i) {
      const std::string key = key_of(i % kKeys);
      if (!(*db)->put(key, std::to_string(i)).ok()) continue;
      acknowledged.store(i + 1);
      if (i % 100 == 99) static_cast<void>((*db)->flush());
    }
    static_cast<void>((*db)->close());
    _exit(memory_was_refused_to_all() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) || WTERMSIG(status) == SIGABRT) << "signal " << WTERMSIG(status);
  EXPECT_TRUE(!WIFEXITED(status) || WEXITSTATUS(status) < 2) << "exit code " << WEXITSTATUS(status);
  return !WIFEXITED(status) || WEXITSTATUS(status) == 1;
}

TEST(RefusedMemoryOfAProcess, NothingAcknowledgedIsLost) {
  void* const shared =
      mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto& acknowledged = *new (shared) std::atomic<int>(0);
  const Directory directory;
  const std::uint64_t stride = std::max<std::uint64_t>(1, 2000 / cases(20));
  std::uint64_t rounds = 0;
  for (std::uint64_t n = 1; !::testing::Test::HasFailure(); n += 1 + n % stride, ++rounds) {
    directory.clear();
    acknowledged.store(0);
    if (!write_until_refused(directory.path(), n, acknowledged)) break;
    auto db = DB::open(directory.path(), small_options());
    ASSERT_TRUE(db.ok()) << "request " << n << ": " << db.status().to_string();
    const int last = acknowledged.load() - 1;
    if (last < 0) continue;
    const auto value = (*db)->get(key_of(last % kKeys));
    ASSERT_TRUE(value.ok()) << "request " << n << ": " << value.status().to_string();
    // The next one may be there without having been acknowledged.
    EXPECT_GE(std::stoi(*value), last) << "request " << n;
    EXPECT_TRUE((*db)->verify().ok());
  }
  std::printf("%ju requests refused\n", static_cast<std::uintmax_t>(rounds));
  munmap(shared, sizeof(std::atomic<int>));
}

}  // namespace
}  // namespace firn::testing
