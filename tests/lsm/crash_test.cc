// Crashes of the whole engine on the file system in memory: at every file operation of a workload the state that a
// power failure, or a kill, would leave is opened again and compared with what was acknowledged.

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "firn/firn.h"
#include "firn/sim/file_system.h"
#include "platform/sync.h"

namespace firn {
namespace {

using Contents = std::map<std::string, std::string>;  // "family/key" to value.

Platform platform_on(sim::SimFileSystem& files) {
  Platform platform = real_platform();
  platform.files = &files;
  return platform;
}

Options small_options(const Platform& platform, Durability durability) {
  Options options;
  options.platform = &platform;
  options.durability = durability;
  options.sync_period_ms = 3'600'000;  // No background sync by itself: what is durable is what the workload made so.
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.table_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 1 << 20;
  return options;
}

Contents contents_of(DB& db) {
  Contents contents;
  for (const FamilyInfo& info : db.families()) {
    Iterator rows = db.iterator(info.family);
    Step step = rows.next();
    for (; step == Step::kEntry; step = rows.next()) {
      contents.emplace(info.name + "/" + std::string(rows.key()), rows.value());
    }
    EXPECT_EQ(step, Step::kEnd) << rows.status().to_string();
  }
  return contents;
}

// Every state the database went through, by number of acknowledged batches. Batch i writes one key of its own in each
// of two families and a counter that every batch overwrites, so each prefix of the batches is a different state.
class History {
 public:
  static constexpr std::size_t kValueBytes = 900;

  static WriteBatch batch(Family other, std::uint64_t i) {
    WriteBatch batch;
    batch.put("counter", std::to_string(i));
    batch.put(key(i), value(i));
    batch.put(other, key(i), value(i));
    if (i % 5 == 4) batch.erase(key(i - 3));
    return batch;
  }
  static Contents after(std::uint64_t batches) {
    Contents contents;
    if (batches > 0) contents["default/counter"] = std::to_string(batches - 1);
    for (std::uint64_t i = 0; i < batches; ++i) {
      contents["default/" + key(i)] = value(i);
      contents["other/" + key(i)] = value(i);
      if (i % 5 == 4) contents.erase("default/" + key(i - 3));
    }
    return contents;
  }

 private:
  static std::string key(std::uint64_t i) { return "key" + std::to_string(i * 7919 % 1000); }
  static std::string value(std::uint64_t i) { return std::to_string(i) + std::string(kValueBytes, 'v'); }
};

// Runs the workload and checks a crash at each of its operations on files.
class CrashAtEveryOperation {
 public:
  CrashAtEveryOperation(sim::CrashMode mode, Durability durability) : mode_(mode), durability_(durability) {}

  void run(std::uint64_t batches) {
    Platform platform = platform_on(files_);
    auto opened = DB::open("db", small_options(platform, durability_));
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    DB& db = **opened;
    auto other = db.create_family("other");
    ASSERT_TRUE(other.ok()) << other.status().to_string();
    files_.set_fault_hook([this](const sim::Operation& operation) -> std::optional<sim::Fault> {
      if (operation.kind != sim::OperationKind::kRead) record(operation);
      return std::nullopt;
    });
    for (std::uint64_t i = 0; i < batches; ++i) {
      Status status = db.write(History::batch(*other, i));
      ASSERT_TRUE(status.ok()) << status.to_string();
      ++acknowledged_;
      check_recorded();
    }
    ASSERT_TRUE(db.compact_range().ok());
    check_recorded();
    ASSERT_TRUE(db.close().ok());
    files_.set_fault_hook({});
    check_recorded();
    EXPECT_GT(states_, batches);
  }

 private:
  struct Crash {
    std::string where;
    std::uint64_t acknowledged = 0;
    std::unique_ptr<sim::SimFileSystem> files;
  };

  // Called by whichever thread of the engine is about to do `operation`, perhaps under its locks: only notes the state.
  void record(const sim::Operation& operation) {
    const std::uint64_t acknowledged = acknowledged_;  // Read first: what was acknowledged by then is in the state.
    auto files = files_.crash_clone({mode_, operation.index, 50});
    MutexLock lock(mutex_);
    recorded_.push_back({"crash before operation " + std::to_string(operation.index) + ", " +
                             std::string(operation_kind_name(operation.kind)) + " " + operation.path + ": ",
                         acknowledged, std::move(files)});
  }

  void check_recorded() {
    std::vector<Crash> crashes;
    {
      MutexLock lock(mutex_);
      crashes.swap(recorded_);
    }
    for (const Crash& crash : crashes) check(crash);
  }

  void check(const Crash& crash) {
    ++states_;
    Platform platform = platform_on(*crash.files);
    auto db = DB::open("db", small_options(platform, durability_));
    ASSERT_TRUE(db.ok()) << crash.where << db.status().to_string();
    const Contents found = contents_of(**db);
    const auto counter = found.find("default/counter");
    const std::uint64_t survived = counter == found.end() ? 0 : std::stoull(counter->second) + 1;
    EXPECT_EQ(found, History::after(survived)) << crash.where << "is no prefix of the batches";
    if (mode_ == sim::CrashMode::kKeepAll || durability_ == Durability::kSync) {
      EXPECT_GE(survived, crash.acknowledged) << crash.where << "lost acknowledged batches";
    }
    // It goes on working, and what it does now survives a second crash on top.
    auto other = (*db)->family("other");
    ASSERT_TRUE(other.ok()) << crash.where << other.status().to_string();
    Status status = (*db)->write(History::batch(*other, survived), {Durability::kSync});
    ASSERT_TRUE(status.ok()) << crash.where << status.to_string();
    auto again = crash.files->crash_clone({sim::CrashMode::kDropUnsynced, 0, 0});
    Platform platform_again = platform_on(*again);
    auto reopened = DB::open("db", small_options(platform_again, durability_));
    ASSERT_TRUE(reopened.ok()) << crash.where << reopened.status().to_string();
    EXPECT_EQ(contents_of(**reopened), History::after(survived + 1)) << crash.where;
  }

  const sim::CrashMode mode_;
  const Durability durability_;
  sim::SimFileSystem files_;
  Mutex mutex_;
  std::vector<Crash> recorded_;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::uint64_t states_ = 0;
};

TEST(Crash, AKillLosesNothingThatWasAcknowledged) {
  CrashAtEveryOperation(sim::CrashMode::kKeepAll, Durability::kBuffered).run(150);
}

TEST(Crash, PowerLossLosesNothingThatWasSynced) {
  CrashAtEveryOperation(sim::CrashMode::kDropUnsynced, Durability::kSync).run(150);
}

TEST(Crash, PowerLossThatKeepsAnySectorsLosesNothingThatWasSynced) {
  CrashAtEveryOperation(sim::CrashMode::kRandom, Durability::kSync).run(150);
}

TEST(Crash, PowerLossLeavesAPrefixOfWhatWasBuffered) {
  CrashAtEveryOperation(sim::CrashMode::kDropUnsynced, Durability::kBuffered).run(150);
  CrashAtEveryOperation(sim::CrashMode::kRandom, Durability::kBuffered).run(150);
}

// What `run` does on files apart from looking: writes, syncs, names made and removed.
template <typename Run>
std::vector<std::string> changes_of(sim::SimFileSystem& files, const Run& run) {
  Mutex mutex;
  std::vector<std::string> changes;
  files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    using enum sim::OperationKind;
    for (const sim::OperationKind kind : {kCreate, kWrite, kTruncate, kSync, kSyncDirectory, kRename, kRemove}) {
      if (operation.kind != kind) continue;
      MutexLock lock(mutex);
      changes.push_back(std::string(operation_kind_name(kind)) + " " + operation.path);
    }
    return std::nullopt;
  });
  run();
  files.set_fault_hook({});
  return changes;
}

TEST(Opening, ChangesNothingAfterACleanCloseAndNorDoesClosingAgain) {
  sim::SimFileSystem files;
  Platform platform = platform_on(files);
  const auto open_and_close = [&](std::uint64_t batches) {
    auto db = DB::open("db", small_options(platform, Durability::kBuffered));
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    if (!(*db)->family("other").ok()) {
      ASSERT_TRUE((*db)->create_family("other").ok());
    }
    for (std::uint64_t i = 0; i < batches; ++i) {
      ASSERT_TRUE((*db)->write(History::batch(*(*db)->family("other"), i)).ok());
    }
    ASSERT_TRUE((*db)->close().ok());
  };
  for (const std::uint64_t batches : {0, 0, 0, 20, 0}) {
    open_and_close(batches);
    const std::vector<std::string> changes = changes_of(files, [&] { open_and_close(0); });
    EXPECT_TRUE(changes.empty()) << changes.size() << ", first: " << changes.front();
  }
}

// What an open has found counts from then on, also where the close before it got no further than some operation and
// only the operating system had the last of it.
TEST(Opening, MakesDurableWhatAnInterruptedCloseLeft) {
  for (std::uint64_t cut = 0;; ++cut) {
    SCOPED_TRACE("close cut before operation " + std::to_string(cut));
    sim::SimFileSystem files;
    Platform platform = platform_on(files);
    const Options options = small_options(platform, Durability::kBuffered);
    std::atomic<std::uint64_t> operations{0};
    {
      auto db = DB::open("db", options);
      ASSERT_TRUE(db.ok()) << db.status().to_string();
      auto other = (*db)->create_family("other");
      ASSERT_TRUE(other.ok());
      for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE((*db)->write(History::batch(*other, i)).ok());
      files.set_fault_hook([&](const sim::Operation&) -> std::optional<sim::Fault> {
        if (operations.fetch_add(1) < cut) return std::nullopt;
        return sim::Fault{EIO};
      });
      static_cast<void>((*db)->close());
    }
    files.set_fault_hook({});
    auto found = DB::open("db", options);
    ASSERT_TRUE(found.ok()) << found.status().to_string();
    EXPECT_EQ(contents_of(**found), History::after(10));
    auto survivor = files.crash_clone({sim::CrashMode::kDropUnsynced, 0, 0});
    Platform platform_after = platform_on(*survivor);
    auto again = DB::open("db", small_options(platform_after, Durability::kBuffered));
    ASSERT_TRUE(again.ok()) << again.status().to_string();
    EXPECT_EQ(contents_of(**again), History::after(10));
    if (operations <= cut) break;
  }
}

// The log of a killed process may be with the operating system only. A recovery writes many tables of it, and a power
// failure in between leaves all of them or none: one family's rows must not survive the other half of their batches.
TEST(Opening, PowerLossInTheMiddleLeavesAPrefix) {
  constexpr std::uint64_t kBatches = 200;
  sim::SimFileSystem files;
  Platform platform = platform_on(files);
  Options options = small_options(platform, Durability::kBuffered);
  {
    options.sizes.memtable_bytes = 4 << 20;  // All of it stays in the log.
    options.sizes.log_segment_bytes = 4 << 20;
    auto db = DB::open("db", options);
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    auto other = (*db)->create_family("other");
    ASSERT_TRUE(other.ok());
    for (std::uint64_t i = 0; i < kBatches; ++i) ASSERT_TRUE((*db)->write(History::batch(*other, i)).ok());
    files.set_fault_hook([](const sim::Operation&) { return sim::Fault{EIO}; });
    static_cast<void>((*db)->close());
  }
  std::vector<std::unique_ptr<sim::SimFileSystem>> crashes;
  Mutex mutex;
  files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
    if (operation.kind == sim::OperationKind::kRead || operation.kind == sim::OperationKind::kWrite) return {};
    auto crash = files.crash_clone({sim::CrashMode::kDropUnsynced, operation.index, 0});
    MutexLock lock(mutex);
    crashes.push_back(std::move(crash));
    return {};
  });
  options = small_options(platform, Durability::kBuffered);
  auto recovered = DB::open("db", options);
  files.set_fault_hook({});
  ASSERT_TRUE(recovered.ok()) << recovered.status().to_string();
  EXPECT_EQ(contents_of(**recovered), History::after(kBatches));
  EXPECT_GT((*recovered)->statistics().flushes, 4U);
  for (std::size_t i = 0; i < crashes.size(); ++i) {
    SCOPED_TRACE("crash " + std::to_string(i) + " of " + std::to_string(crashes.size()));
    Platform platform_after = platform_on(*crashes[i]);
    auto db = DB::open("db", small_options(platform_after, Durability::kBuffered));
    ASSERT_TRUE(db.ok()) << db.status().to_string();
    const Contents found = contents_of(**db);
    const auto counter = found.find("default/counter");
    ASSERT_EQ(found, History::after(counter == found.end() ? 0 : std::stoull(counter->second) + 1));
  }
}

}  // namespace
}  // namespace firn
