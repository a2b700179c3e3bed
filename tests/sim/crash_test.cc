// What a crash can leave: the units of a point, the plans over them, the profiles.
#include "firn/sim/crash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "tests/platform/file_helpers.h"

namespace firn::sim {
namespace {

using firn::testing::bytes_of;
using firn::testing::contents;
using firn::testing::create;
using firn::testing::exists;
using firn::testing::publish;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr CrashLimits kAll{100'000, 20, 0};

class CrashPlans : public ::testing::Test {
 protected:
  std::unique_ptr<File> durable(const std::string& path, std::string_view text) {
    std::unique_ptr<File> file = create(files_, path, text);
    EXPECT_OK(file->sync());
    EXPECT_OK(files_.sync_directory("/"));
    return file;
  }

  // The contents of `path` in every state, "<...>" where it is not there.
  std::set<std::string> states(CrashProfile profile, const std::string& path, CrashGrain grain = {}) const {
    return states(files_.crash_point(profile, grain), path);
  }
  static std::set<std::string> states(const CrashPoint& point, const std::string& path) {
    std::set<std::string> seen;
    for_each_crash_plan(point, kAll, [&](const CrashPlan& plan) {
      const std::unique_ptr<SimFileSystem> crashed = point.apply(plan);
      seen.insert(exists(*crashed, path) ? contents(*crashed, path) : "<none>");
      return true;
    });
    return seen;
  }

  SimFileSystem files_;
};

TEST_F(CrashPlans, APointIsFrozen) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("new")));
  const CrashPoint point = files_.crash_point(CrashProfile::kStrict);
  EXPECT_OK(write_all(*file, 0, bytes_of("NEWER")));
  EXPECT_OK(file->sync());
  EXPECT_OK(files_.remove("/a"));
  EXPECT_EQ(states(point, "/a"), (std::set<std::string>{"old", "new"}));
  EXPECT_EQ(contents(*point.apply(point.all()), "/a"), "new");
  EXPECT_EQ(contents(*point.apply(point.none()), "/a"), "old");
}

TEST_F(CrashPlans, WhatAKillLeavesCanStillBeLost) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(files_.create_directory("/d"));
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_OK(write_all(*file, 0, bytes_of("new")));
  EXPECT_OK(files_.rename("/a", "/d/b"));
  for (const bool synced : {false, true}) {
    const CrashPoint kill = files_.crash_point(CrashProfile::kProcessKill);
    const std::unique_ptr<SimFileSystem> killed = kill.apply(kill.all());
    EXPECT_EQ(killed->operation_count(), files_.operation_count());
    EXPECT_EQ(killed->pending_operations().size(), files_.pending_operations().size());
    EXPECT_EQ(contents(*killed, "/d/b"), "new");
    if (synced) {
      // The next process may make it durable, and this one knows nothing of that.
      EXPECT_OK((*killed->open("/d/b", OpenMode::kReadWrite, FileKind::kOther))->sync());
      EXPECT_OK(killed->sync_directory("/d"));
      EXPECT_OK(killed->sync_directory("/"));
    }
    const std::set<std::string> left = states(killed->crash_point(CrashProfile::kStrict), "/d/b");
    EXPECT_EQ(left, synced ? std::set<std::string>{"new"} : (std::set<std::string>{"<none>", "new", "old"}));
  }
  EXPECT_THAT(states(CrashProfile::kStrict, "/d/b"), SizeIs(3));
}

TEST_F(CrashPlans, AKillInATransferLeavesItsPartToBeLost) {
  const std::unique_ptr<File> file = durable("/a", "old");
  std::set<std::string> seen;
  files_.set_fault_hook([&](const Operation&) -> std::optional<Fault> {
    const CrashPoint kill = files_.crash_point(CrashProfile::kProcessKill);
    CrashPlan half = kill.all();
    half.choices.at(0) = 2;
    seen = states(kill.apply(half)->crash_point(CrashProfile::kStrict), "/a");
    return std::nullopt;
  });
  EXPECT_OK(write_all(*file, 0, bytes_of("new")));
  EXPECT_EQ(seen, (std::set<std::string>{"old", "ned"}));
}

TEST_F(CrashPlans, AKillLosesOnlyOfTheRunningTransfer) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("NEW")));
  std::vector<CrashPoint> points;
  files_.set_fault_hook([&](const Operation&) -> std::optional<Fault> {
    points.push_back(files_.crash_point(CrashProfile::kProcessKill));
    return std::nullopt;
  });
  EXPECT_OK(write_all(*file, 2, bytes_of("xyz")));
  EXPECT_OK(file->sync());
  ASSERT_THAT(points, SizeIs(2));
  EXPECT_EQ(states(points[0], "/a"), (std::set<std::string>{"NEW", "NEx", "NExy", "NExyz"}));
  EXPECT_EQ(states(points[1], "/a"), (std::set<std::string>{"NExyz"}));
  ASSERT_THAT(points[0].operations(), SizeIs(1));
  EXPECT_TRUE(points[0].operations()[0].running);
}

TEST_F(CrashPlans, TheRunningWriteIsTornAtEveryByteInEveryProfile) {
  const std::unique_ptr<File> file = durable("/a", "12345");
  for (const CrashProfile profile : {CrashProfile::kOrdered, CrashProfile::kLinux, CrashProfile::kStrict}) {
    std::vector<CrashPoint> points;
    files_.set_fault_hook([&](const Operation&) -> std::optional<Fault> {
      points.push_back(files_.crash_point(profile));
      return EIO;
    });
    EXPECT_EQ(file->write_at(1, bytes_of("abc")).error, EIO);
    EXPECT_EQ(states(points.at(0), "/a"), (std::set<std::string>{"12345", "1a345", "1ab45", "1abc5"}));
  }
}

TEST_F(CrashPlans, StrictSizesWithoutBytesShowZerosOrGarbage) {
  const std::unique_ptr<File> file = durable("/a", "");
  EXPECT_OK(write_all(*file, 0, bytes_of("text")));
  std::set<std::string> seen = states(CrashProfile::kStrict, "/a");
  EXPECT_THAT(seen, SizeIs(4));
  for (const char* expected : {"", "text"}) EXPECT_EQ(seen.erase(expected), 1u);
  EXPECT_EQ(seen.erase(std::string(4, '\0')), 1u);
  EXPECT_THAT(states(CrashProfile::kLinux, "/a"), SizeIs(3));
  EXPECT_EQ(states(CrashProfile::kOrdered, "/a"), (std::set<std::string>{"", "text"}));
}

TEST_F(CrashPlans, OverwrittenSectorsAreOldOrNewNeverGarbage) {
  const std::unique_ptr<File> file = durable("/a", std::string(1024, 'o'));
  EXPECT_OK(write_all(*file, 0, bytes_of(std::string(1024, 'n'))));
  for (const CrashProfile profile : {CrashProfile::kOrdered, CrashProfile::kLinux, CrashProfile::kStrict}) {
    EXPECT_THAT(states(profile, "/a"), SizeIs(4));
    EXPECT_THAT(states(profile, "/a", {4096, 64}), SizeIs(2));
  }
}

TEST_F(CrashPlans, StoresComeApartAtAnyByte) {
  const std::unique_ptr<LogFile> log = files_.create_log("/log", 256).value();
  EXPECT_OK(log->sync());
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_OK(publish(*log, std::string(100, 'x')));
  const CrashPoint point = files_.crash_point(CrashProfile::kLinux);
  ASSERT_THAT(point.units(), SizeIs(2));
  const std::set<std::string> seen = states(point, "/log");
  for (std::size_t kept = 0; kept <= 100; ++kept) {
    EXPECT_THAT(seen, Contains(std::string(kept, 'x') + std::string(256 - kept, '\0')));
  }
  EXPECT_THAT(seen, Contains(std::string(64, '\0') + std::string(36, 'x') + std::string(156, '\0')));
}

TEST_F(CrashPlans, AFilesSyncNamesItOnLinuxButNotByPosix) {
  EXPECT_OK(create(files_, "/a", "text")->sync());
  EXPECT_EQ(states(CrashProfile::kStrict, "/a"), (std::set<std::string>{"<none>", "text"}));
  EXPECT_EQ(states(CrashProfile::kLinux, "/a"), (std::set<std::string>{"text"}));
  EXPECT_EQ(states(CrashProfile::kOrdered, "/a"), (std::set<std::string>{"text"}));
}

TEST_F(CrashPlans, OrderedNamesAreAPrefixOverAllDirectories) {
  EXPECT_OK(files_.create_directory("/x"));
  EXPECT_OK(files_.sync_directory("/"));
  create(files_, "/x/1");
  create(files_, "/2");
  create(files_, "/x/3");
  std::set<std::string> seen;
  const CrashPoint point = files_.crash_point(CrashProfile::kOrdered);
  ASSERT_THAT(point.units(), SizeIs(1));
  EXPECT_EQ(point.units()[0].kind, CrashUnit::Kind::kJournal);
  for_each_crash_plan(point, kAll, [&](const CrashPlan& plan) {
    const auto crashed = point.apply(plan);
    std::string there;
    for (const char* path : {"/x/1", "/2", "/x/3"}) there += exists(*crashed, path) ? '+' : '-';
    seen.insert(there);
    return true;
  });
  EXPECT_EQ(seen, (std::set<std::string>{"---", "+--", "++-", "+++"}));
  // A sync commits the journal up to the file's own last change.
  EXPECT_OK(files_.open("/2", OpenMode::kReadWrite, FileKind::kTable).value()->sync());
  EXPECT_EQ(states(CrashProfile::kOrdered, "/x/1"), (std::set<std::string>{""}));
  EXPECT_EQ(states(CrashProfile::kOrdered, "/x/3"), (std::set<std::string>{"<none>", ""}));
}

TEST_F(CrashPlans, WhatAFailedSyncLeftIsOpenInEveryProfile) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("new")));
  files_.set_fault_hook([](const Operation&) { return Fault(EIO); });
  EXPECT_FALSE(file->sync().ok());
  files_.set_fault_hook(nullptr);
  EXPECT_OK(file->sync());
  for (const CrashProfile profile : {CrashProfile::kOrdered, CrashProfile::kLinux, CrashProfile::kStrict}) {
    EXPECT_EQ(states(profile, "/a"), (std::set<std::string>{"old", "new"}));
  }
  EXPECT_EQ(states(CrashProfile::kProcessKill, "/a"), (std::set<std::string>{"new"}));
}

TEST_F(CrashPlans, AreWordsThatCanBeReadBack) {
  const std::unique_ptr<File> file = durable("/a", "");
  EXPECT_OK(write_all(*file, 0, bytes_of(std::string(2048, 'x'))));
  const std::unique_ptr<LogFile> log = files_.create_log("/log", 256).value();
  EXPECT_OK(publish(*log, std::string(64, 'x')));
  const CrashPoint point = files_.crash_point(CrashProfile::kStrict);
  CrashPlan plan = point.all();
  ASSERT_THAT(plan.choices, SizeIs(8));  // Four sectors, their size; the log's name, size and store.
  EXPECT_EQ(point.format(plan), "8+");
  plan.choices = {512, 0, 0, 513, 1, 1, 0, 17};
  EXPECT_EQ(point.format(plan), "+2-?2+-17c");
  EXPECT_EQ(point.describe(plan),
            "lost: write /a 512+512\nlost: write /a 1024+512\ngarbage: write /a 1536+512\n"
            "lost: truncate /log\nonly 17 of: store /log 0+64\n");
  std::uint64_t plans = 0;
  for_each_crash_plan(point, {2000, 4, 1}, [&](const CrashPlan& other) {
    EXPECT_EQ(point.parse(point.format(other)).value(), other);
    return ++plans < 500;
  });
  EXPECT_EQ(plans, 500u);
  for (const char* bad : {"", "7+", "9+", "8", "8x", "+0-7+", "2+-"}) {
    EXPECT_EQ(point.parse(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST_F(CrashPlans, AllSubsetsOfFewUnitsAndSomeOfMany) {
  const std::unique_ptr<File> file = durable("/a", std::string(8192, 'o'));
  const auto count = [&](const CrashLimits& limits) {
    std::set<std::uint64_t> seen;
    const CrashPoint point = files_.crash_point(CrashProfile::kStrict);
    const std::uint64_t plans = for_each_crash_plan(point, limits, [&](const CrashPlan& plan) {
      seen.insert(point.apply(plan)->content_hash());
      return true;
    });
    EXPECT_EQ(seen.size(), plans);
    return plans;
  };
  EXPECT_EQ(count(kAll), 1u);
  EXPECT_OK(write_all(*file, 0, bytes_of(std::string(4096, 'n'))));
  EXPECT_EQ(count(kAll), 256u);
  EXPECT_OK(write_all(*file, 4096, bytes_of(std::string(4096, 'n'))));
  EXPECT_EQ(count({100, 12, 7}), 100u);
  EXPECT_EQ(count({1, 12, 7}), 1u);
  EXPECT_EQ(count({0, 12, 7}), 0u);
}

TEST_F(CrashPlans, EqualLimitsGiveEqualPlans) {
  const std::unique_ptr<File> file = durable("/a", std::string(8192, 'o'));
  EXPECT_OK(write_all(*file, 0, bytes_of(std::string(8192, 'n'))));
  const CrashPoint point = files_.crash_point(CrashProfile::kStrict);
  const auto plans = [&](std::uint64_t seed) {
    std::string text;
    for_each_crash_plan(point, {50, 12, seed}, [&](const CrashPlan& plan) {
      text += point.format(plan) + "\n";
      return true;
    });
    return text;
  };
  EXPECT_EQ(plans(1), plans(1));
  EXPECT_NE(plans(1), plans(2));
}

TEST_F(CrashPlans, HashesTellContentsApartAndNothingElse) {
  durable("/a", std::string(10'000, 'x'));
  const auto hash = [&] { return files_.crash_clone({CrashMode::kKeepAll, 0, 0})->content_hash(); };
  const std::uint64_t before = hash();
  EXPECT_EQ(files_.content_hash(), before);
  const std::unique_ptr<File> file = files_.open("/a", OpenMode::kReadWrite, FileKind::kTable).value();
  EXPECT_OK(write_all(*file, 5000, bytes_of("x")));
  EXPECT_EQ(hash(), before);
  EXPECT_OK(write_all(*file, 5000, bytes_of("y")));
  EXPECT_NE(hash(), before);
  EXPECT_OK(write_all(*file, 5000, bytes_of("x")));
  EXPECT_EQ(hash(), before);
  EXPECT_OK(file->truncate(20'000));
  EXPECT_NE(hash(), before);
  EXPECT_OK(file->truncate(10'000));
  EXPECT_OK(files_.rename("/a", "/b"));
  EXPECT_NE(hash(), before);
  EXPECT_OK(files_.rename("/b", "/a"));
  EXPECT_EQ(hash(), before);
}

}  // namespace
}  // namespace firn::sim
