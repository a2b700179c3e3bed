// What only the simulated file system can do: crash, fail on demand, fill up. Its contract as a FileSystem is tested in
// tests/platform/file_system_test.cc, all that a crash can leave in crash_test.cc.
#include "firn/sim/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/platform/file_helpers.h"

namespace firn::sim {
namespace {

using firn::testing::bytes_of;
using firn::testing::contents;
using firn::testing::create;
using firn::testing::exists;
using firn::testing::publish;
using firn::testing::text_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr CrashOptions kPowerLoss{CrashMode::kDropUnsynced, 0, 0};
constexpr CrashOptions kKilled{CrashMode::kKeepAll, 0, 0};

CrashOptions random_crash(std::uint64_t seed, std::uint32_t keep_percent = 50) {
  return {CrashMode::kRandom, seed, keep_percent};
}

std::string after(const SimFileSystem& files, const CrashOptions& options, const std::string& path) {
  return contents(*files.crash_clone(options), path);
}

std::set<std::string> possible(const SimFileSystem& files, const std::string& path) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) seen.insert(after(files, random_crash(seed), path));
  return seen;
}

void fail_all(SimFileSystem& files, OperationKind kind, int error) {
  files.set_fault_hook([kind, error](const Operation& operation) -> std::optional<Fault> {
    if (operation.kind != kind) return std::nullopt;
    return Fault(error);
  });
}

class Crash : public ::testing::Test {
 protected:
  // A file whose bytes and name are durable.
  std::unique_ptr<File> durable(const std::string& path, std::string_view text) {
    std::unique_ptr<File> file = create(files_, path, text);
    EXPECT_OK(file->sync());
    EXPECT_OK(files_.sync_directory("/"));
    return file;
  }

  SimFileSystem files_;
};

TEST_F(Crash, SyncedBytesUnderASyncedNameSurvive) {
  durable("/a", "kept");
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "kept");
  EXPECT_THAT(files_.pending_operations(), IsEmpty());
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(after(files_, random_crash(seed), "/a"), "kept");
}

TEST_F(Crash, UnsyncedBytesAreLost) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("NEWER")));
  EXPECT_EQ(contents(files_, "/a"), "NEWER");
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "old");
  EXPECT_EQ(after(files_, kKilled, "/a"), "NEWER");
}

TEST_F(Crash, SyncedBytesUnderAnUnsyncedNameAreLost) {
  EXPECT_OK(create(files_, "/a", "text")->sync());
  EXPECT_FALSE(exists(*files_.crash_clone(kPowerLoss), "/a"));
  EXPECT_EQ(after(files_, kKilled, "/a"), "text");
  EXPECT_THAT(possible(files_, "/a"), SizeIs(2));
}

TEST_F(Crash, ASyncedNameDoesNotMakeBytesDurable) {
  create(files_, "/a", "text");
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "");
}

TEST_F(Crash, UnsyncedRemovalsComeBack) {
  durable("/a", "text");
  EXPECT_OK(files_.remove("/a"));
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "text");
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_FALSE(exists(*files_.crash_clone(kPowerLoss), "/a"));
}

TEST_F(Crash, ARenameIsOneStep) {
  durable("/a", "new");
  durable("/b", "old");
  EXPECT_OK(files_.rename("/a", "/b"));
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "new");
  EXPECT_EQ(after(files_, kPowerLoss, "/b"), "old");
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto crashed = files_.crash_clone(random_crash(seed));
    EXPECT_EQ(contents(*crashed, "/b"), exists(*crashed, "/a") ? "old" : "new");
  }
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_EQ(after(files_, kPowerLoss, "/b"), "new");
}

TEST_F(Crash, ADirectoryIsDurableByItsParent) {
  EXPECT_OK(files_.create_directory("/sub"));
  EXPECT_OK(create(files_, "/sub/a", "text")->sync());
  EXPECT_OK(files_.sync_directory("/sub"));
  EXPECT_FALSE(exists(*files_.crash_clone(kPowerLoss), "/sub/a"));
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_EQ(after(files_, kPowerLoss, "/sub/a"), "text");
}

TEST_F(Crash, UnsyncedTruncationMayOrMayNotHappen) {
  const std::unique_ptr<File> file = durable("/a", "long text");
  EXPECT_OK(file->truncate(4));
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "long text");
  EXPECT_EQ(possible(files_, "/a"), (std::set<std::string>{"long", "long text"}));
}

TEST_F(Crash, WritesComeApartInSectors) {
  const std::unique_ptr<File> file = durable("/a", std::string(1536, 'o'));
  EXPECT_OK(write_all(*file, 100, bytes_of(std::string(1000, 'n'))));
  const std::string old_piece(412, 'o'), new_piece(412, 'n');
  const std::set<std::string> seen = possible(files_, "/a");
  EXPECT_THAT(seen, SizeIs(8));
  for (const std::string& state : seen) {
    ASSERT_EQ(state.size(), 1536u);
    EXPECT_TRUE(state.substr(100, 412) == old_piece || state.substr(100, 412) == new_piece);
    EXPECT_EQ(std::count(state.begin(), state.end(), 'n') % 4, 0);
    EXPECT_EQ(state.substr(0, 100) + state.substr(1100), std::string(536, 'o'));
  }
}

TEST_F(Crash, SizeAndBytesGetLostApart) {
  const std::unique_ptr<File> file = durable("/a", "");
  EXPECT_OK(write_all(*file, 0, bytes_of("text")));
  std::set<std::string> seen = possible(files_, "/a");
  for (const std::string& expected : {std::string(), std::string(4, '\0'), std::string("text")}) {
    EXPECT_EQ(seen.erase(expected), 1u);
  }
  EXPECT_THAT(seen, SizeIs(1));  // Garbage.
}

TEST_F(Crash, KeepPercentGoesFromNothingToAll) {
  const std::unique_ptr<File> file = durable("/a", "");
  EXPECT_OK(write_all(*file, 0, bytes_of("text")));
  create(files_, "/b", "text");
  EXPECT_EQ(after(files_, random_crash(1, 0), "/a"), "");
  EXPECT_FALSE(exists(*files_.crash_clone(random_crash(1, 0)), "/b"));
  EXPECT_EQ(after(files_, random_crash(1, 100), "/a"), "text");
  EXPECT_EQ(after(files_, random_crash(1, 100), "/b"), "text");
}

TEST_F(Crash, BytesOfAFailedSyncStayInDoubtForEver) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("new")));
  fail_all(files_, OperationKind::kSync, EIO);
  EXPECT_EQ(file->sync().code(), StatusCode::kIo);
  files_.set_fault_hook(nullptr);
  EXPECT_OK(file->sync());
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "old");
  EXPECT_EQ(after(files_, kKilled, "/a"), "new");
  EXPECT_EQ(possible(files_, "/a"), (std::set<std::string>{"old", "new"}));
  ASSERT_THAT(files_.pending_operations(), SizeIs(1));
  EXPECT_TRUE(files_.pending_operations()[0].sync_failed);
}

TEST_F(Crash, LaterDurableBytesLieOverThoseInDoubt) {
  const std::unique_ptr<File> file = durable("/a", "old");
  EXPECT_OK(write_all(*file, 0, bytes_of("bad")));
  fail_all(files_, OperationKind::kSync, EIO);
  EXPECT_FALSE(file->sync().ok());
  files_.set_fault_hook(nullptr);
  EXPECT_OK(write_all(*file, 0, bytes_of("n")));
  EXPECT_OK(file->sync());
  EXPECT_EQ(after(files_, kPowerLoss, "/a"), "nld");
  EXPECT_EQ(possible(files_, "/a"), (std::set<std::string>{"nld", "nad"}));
}

TEST_F(Crash, NamesOfAFailedDirectorySyncStayInDoubt) {
  EXPECT_OK(create(files_, "/a", "text")->sync());
  fail_all(files_, OperationKind::kSyncDirectory, EIO);
  EXPECT_FALSE(files_.sync_directory("/").ok());
  files_.set_fault_hook(nullptr);
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_THAT(possible(files_, "/a"), SizeIs(2));
}

TEST_F(Crash, PublishedLogBytesAreUnsyncedWrites) {
  const std::unique_ptr<LogFile> log = files_.create_log("/log", 2048).value();
  EXPECT_OK(log->sync());
  EXPECT_OK(files_.sync_directory("/"));
  EXPECT_OK(publish(*log, std::string(1024, 'x')));
  EXPECT_EQ(after(files_, kPowerLoss, "/log"), std::string(2048, '\0'));
  EXPECT_EQ(after(files_, kKilled, "/log"), std::string(1024, 'x') + std::string(1024, '\0'));
  const std::set<std::string> seen = possible(files_, "/log");
  EXPECT_GT(seen.size(), 50u);
  for (const std::string& state : seen) EXPECT_EQ(state.find_first_not_of(std::string("x\0", 2)), std::string::npos);
  EXPECT_OK(log->sync());
  EXPECT_EQ(after(files_, kPowerLoss, "/log"), contents(files_, "/log"));
}

TEST_F(Crash, StoresIntoAnAbandonedReservationAreInTheFile) {
  const std::unique_ptr<LogFile> log = files_.create_log("/log", 64).value();
  std::span<std::byte> room = log->reserve(8);
  std::fill(room.begin(), room.end(), std::byte{'x'});
  room = log->reserve(4);
  EXPECT_EQ(text_of(room), "xxxx");  // The same memory.
  EXPECT_EQ(after(files_, kKilled, "/log"), "xxxxxxxx" + std::string(56, '\0'));
  std::fill(room.begin(), room.end(), std::byte{'y'});
  EXPECT_OK(log->publish(2));
  EXPECT_EQ(log->end_offset(), 2u);
  EXPECT_EQ(after(files_, kKilled, "/log"), "yyyyxxxx" + std::string(56, '\0'));
}

TEST_F(Crash, TheSameSeedGivesTheSameState) {
  const std::unique_ptr<File> file = durable("/a", std::string(4096, 'o'));
  EXPECT_OK(write_all(*file, 0, bytes_of(std::string(4096, 'n'))));
  EXPECT_EQ(after(files_, random_crash(7), "/a"), after(files_, random_crash(7), "/a"));
  EXPECT_NE(after(files_, random_crash(7), "/a"), after(files_, random_crash(8), "/a"));
}

TEST_F(Crash, ACloneIsUnlockedAndIndependent) {
  const std::unique_ptr<File> file = durable("/a", "text");
  const std::unique_ptr<FileLock> lock = files_.lock("/LOCK").value();
  fail_all(files_, OperationKind::kRead, EIO);
  const std::unique_ptr<SimFileSystem> clone = files_.crash_clone(kKilled);
  EXPECT_OK(clone->lock("/LOCK"));
  EXPECT_EQ(contents(*clone, "/a"), "text");
  EXPECT_OK(write_all(*clone->open("/a", OpenMode::kReadWrite, FileKind::kTable).value(), 0, bytes_of("T")));
  files_.set_fault_hook(nullptr);
  EXPECT_EQ(contents(files_, "/a"), "text");
  EXPECT_EQ(after(*clone, kPowerLoss, "/a"), "text");
  EXPECT_THAT(clone->crash_clone(kPowerLoss)->pending_operations(), IsEmpty());
}

TEST_F(Crash, PendingOperationsAreListedInOrder) {
  const std::unique_ptr<File> file = create(files_, "/a", "12345");
  EXPECT_OK(file->truncate(2));
  create(files_, "/b");
  EXPECT_OK(files_.rename("/a", "/c"));
  EXPECT_OK(files_.remove("/b"));
  std::vector<std::string> listed;
  for (const PendingOperation& operation : files_.pending_operations()) {
    const char* const kinds[] = {"write", "store", "truncate", "link", "unlink", "rename"};
    listed.push_back(kinds[static_cast<int>(operation.kind)] + (" " + operation.path) + " " +
                     std::to_string(operation.bytes));
  }
  EXPECT_THAT(listed,
              ElementsAre("link /a 0", "write /c 5", "truncate /c 2", "link /b 0", "rename /c 0", "unlink /b 0"));
}

TEST(Paths, AreRelativeToTheOneRoot) {
  SimFileSystem files;
  EXPECT_OK(files.create_directory("db"));
  create(files, "./db/./a", "text");
  EXPECT_EQ(contents(files, "/db//a"), "text");
  EXPECT_OK(files.sync_directory("."));
  EXPECT_EQ(files.list("/").value().size(), 1u);
}

TEST(Faults, AreAskedForByOperationPathAndKind) {
  SimFileSystem files;
  std::vector<std::string> seen;
  files.set_fault_hook([&](const Operation& operation) -> std::optional<Fault> {
    seen.push_back(std::to_string(operation.index) + " " + std::string(operation_kind_name(operation.kind)) + " " +
                   operation.path + " " + std::to_string(operation.offset) + "+" + std::to_string(operation.bytes));
    return std::nullopt;
  });
  const std::unique_ptr<File> file = create(files, "/a", "12345");
  EXPECT_OK(file->sync());
  EXPECT_OK(files.sync_directory("/"));
  EXPECT_THAT(seen, ElementsAre("0 create /a 0+0", "1 write /a 0+5", "2 sync /a 0+0", "3 sync_directory / 0+0"));
  EXPECT_EQ(files.operation_count(), 4u);
}

TEST(Faults, FailEveryOperation) {
  SimFileSystem files(SimFileSystem::Options{true});
  const std::unique_ptr<File> file = create(files, "/a", "12345");
  EXPECT_OK(files.create_directory("/sub"));
  files.set_fault_hook([](const Operation&) { return Fault(EIO); });
  EXPECT_EQ(Status(files.open("/a", OpenMode::kRead, FileKind::kTable)).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files.open("/new", OpenMode::kCreate, FileKind::kTable)).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files.create_log("/new", 100)).code(), StatusCode::kIo);
  EXPECT_EQ(files.create_directory("/new").code(), StatusCode::kIo);
  EXPECT_EQ(files.rename("/a", "/new").code(), StatusCode::kIo);
  EXPECT_EQ(files.remove("/a").code(), StatusCode::kIo);
  EXPECT_EQ(files.remove_directory("/sub").code(), StatusCode::kIo);
  EXPECT_EQ(files.sync_directory("/").code(), StatusCode::kIo);
  EXPECT_EQ(Status(files.list("/")).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files.lock("/new")).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files.space("/")).code(), StatusCode::kIo);
  EXPECT_EQ(Status(file->size()).code(), StatusCode::kIo);
  EXPECT_EQ(Status(file->map()).code(), StatusCode::kIo);
  EXPECT_EQ(file->truncate(0).code(), StatusCode::kIo);
  EXPECT_EQ(file->allocate(100).code(), StatusCode::kIo);
  EXPECT_EQ(file->sync().code(), StatusCode::kIo);
  std::byte into[1];
  EXPECT_EQ(file->read_at(0, into).error, EIO);
  EXPECT_EQ(file->write_at(0, bytes_of("x")).error, EIO);
  files.set_fault_hook(nullptr);
  EXPECT_EQ(contents(files, "/a"), "12345");
  EXPECT_FALSE(exists(files, "/new"));
}

TEST(Faults, TransferAPartBeforeTheyStrike) {
  SimFileSystem files;
  const std::unique_ptr<File> file = create(files, "/a", "12345");
  files.set_fault_hook([](const Operation&) { return Fault(EIO, 2); });
  const IoResult written = file->write_at(0, bytes_of("abcde"));
  EXPECT_EQ(written.error, EIO);
  EXPECT_EQ(written.bytes, 2u);
  std::byte into[5];
  EXPECT_EQ(file->read_at(0, into).bytes, 2u);
  files.set_fault_hook(nullptr);
  EXPECT_EQ(contents(files, "/a"), "ab345");
}

TEST(Faults, AFailedLogWriteLeavesTheEndAndCanBeRepeated) {
  SimFileSystem files;
  const std::unique_ptr<LogFile> log = files.create_log("/log", 64).value();
  EXPECT_OK(log->write(bytes_of("one ")));
  files.set_fault_hook([](const Operation&) { return Fault(EIO, 1); });
  EXPECT_EQ(log->write(bytes_of("two")).code(), StatusCode::kIo);
  files.set_fault_hook(nullptr);
  EXPECT_EQ(log->end_offset(), 4u);
  EXPECT_EQ(contents(files, "/log").substr(0, 6), std::string("one t\0", 6));
  EXPECT_OK(log->write(bytes_of("two")));
  EXPECT_EQ(contents(files, "/log").substr(0, 7), "one two");
}

TEST(Faults, AFailedLogSyncOrPublicationEndsTheLog) {
  for (const OperationKind kind : {OperationKind::kSync, OperationKind::kPublish}) {
    SimFileSystem files;
    const std::unique_ptr<LogFile> log = files.create_log("/log", 64).value();
    fail_all(files, kind, EIO);
    const Status first = publish(*log, "text");
    const Status second = log->sync();
    EXPECT_EQ((first.ok() ? second : first).code(), StatusCode::kIo);
    files.set_fault_hook(nullptr);
    EXPECT_TRUE(log->reserve(1).empty());
    EXPECT_EQ(log->write(bytes_of("x")).code(), StatusCode::kIo);
    EXPECT_EQ(log->sync().code(), StatusCode::kIo);
  }
}

TEST(Faults, TheHookMayUseTheFileSystem) {
  SimFileSystem files;
  std::vector<std::string> states;
  files.set_fault_hook([&](const Operation& operation) -> std::optional<Fault> {
    if (operation.kind == OperationKind::kWrite) states.push_back(after(files, kKilled, "/a"));
    return std::nullopt;
  });
  const std::unique_ptr<File> file = create(files, "/a", "1");
  EXPECT_OK(write_all(*file, 1, bytes_of("2")));
  EXPECT_THAT(states, ElementsAre("", "1"));
}

TEST(Capacity, WritesStopWhereTheDiskIsFull) {
  SimFileSystem files;
  files.set_capacity(100);
  const std::unique_ptr<File> file = create(files, "/a", std::string(60, 'x'));
  const IoResult result = file->write_at(60, bytes_of(std::string(60, 'y')));
  EXPECT_EQ(result.error, ENOSPC);
  EXPECT_EQ(result.bytes, 40u);
  EXPECT_EQ(write_all(*file, 0, bytes_of(std::string(100, 'z'))).code(), StatusCode::kOk);
  EXPECT_EQ(files.space("/").value().free_bytes, 0u);
  EXPECT_EQ(files.space("/").value().total_bytes, 100u);
  EXPECT_EQ(Status(files.create_log("/log", 1)).code(), StatusCode::kNoSpace);
  EXPECT_FALSE(exists(files, "/log"));
}

TEST(Capacity, AllocatedSpaceIsReserved) {
  SimFileSystem files;
  files.set_capacity(100);
  const std::unique_ptr<File> first = create(files, "/a");
  const std::unique_ptr<File> second = create(files, "/b");
  EXPECT_OK(first->allocate(80));
  EXPECT_EQ(second->allocate(30).code(), StatusCode::kNoSpace);
  EXPECT_EQ(second->write_at(0, bytes_of(std::string(30, 'x'))).bytes, 20u);
  EXPECT_OK(write_all(*first, 0, bytes_of(std::string(80, 'x'))));
}

TEST(Capacity, RemovingReplacingAndTruncatingGiveSpaceBack) {
  SimFileSystem files;
  files.set_capacity(100);
  create(files, "/a", std::string(40, 'x'));
  create(files, "/b", std::string(40, 'x'));
  EXPECT_OK(files.rename("/a", "/b"));
  EXPECT_EQ(files.space("/").value().free_bytes, 60u);
  EXPECT_OK(files.open("/b", OpenMode::kReadWrite, FileKind::kTable).value()->truncate(10));
  EXPECT_EQ(files.space("/").value().free_bytes, 90u);
  EXPECT_OK(files.remove("/b"));
  EXPECT_EQ(files.space("/").value().free_bytes, 100u);
}

// A model of one file under random operations: what programs see, what is durable, and per sector everything that was
// written there since.
struct Model {
  static constexpr std::size_t kSectors = 6;
  static constexpr std::size_t kSectorBytes = 512;
  std::string now = std::string(kSectors * kSectorBytes, '0');
  std::string durable = now;
  std::vector<std::set<std::string>> allowed;

  Model() : allowed(kSectors) { settle(); }
  std::string sector(const std::string& text, std::size_t index) const {
    return text.substr(index * kSectorBytes, kSectorBytes);
  }
  void settle() {
    durable = now;
    for (std::size_t i = 0; i < kSectors; ++i) allowed[i] = {sector(now, i)};
  }
};

// Writes cover whole sectors, so that a sector of a crash state is always one that was there at some time since.
RC_GTEST_PROP(CrashState, IsMadeOfSectorsThatWereThere, ()) {
  SimFileSystem files;
  Model model;
  const std::unique_ptr<File> file = create(files, "/a", model.now);
  EXPECT_OK(file->sync());
  EXPECT_OK(files.sync_directory("/"));
  const auto steps = *rc::gen::inRange(1, 30);
  for (int step = 0; step < steps; ++step) {
    if (*rc::gen::weightedElement<bool>({{1, true}, {4, false}})) {
      RC_ASSERT(file->sync().ok());
      model.settle();
    } else {
      const auto first = *rc::gen::inRange<std::size_t>(0, Model::kSectors);
      const auto count = *rc::gen::inRange<std::size_t>(1, Model::kSectors - first + 1);
      const std::string data(count * Model::kSectorBytes, static_cast<char>('A' + step));
      RC_ASSERT(write_all(*file, first * Model::kSectorBytes, bytes_of(data)).ok());
      model.now.replace(first * Model::kSectorBytes, data.size(), data);
      for (std::size_t i = first; i < first + count; ++i) model.allowed[i].insert(model.sector(model.now, i));
    }
    RC_ASSERT(after(files, kPowerLoss, "/a") == model.durable);
    RC_ASSERT(after(files, kKilled, "/a") == model.now);
    const std::string state = after(files, random_crash(*rc::gen::arbitrary<std::uint64_t>()), "/a");
    for (std::size_t i = 0; i < Model::kSectors; ++i) RC_ASSERT(model.allowed[i].contains(model.sector(state, i)));
  }
}

// Names: after a sync of the directory exactly the present ones survive; before it each durable or present one may.
RC_GTEST_PROP(CrashState, HasOnlyNamesThatWereThere, ()) {
  SimFileSystem files;
  std::set<std::string> now, durable, ever;
  const auto names_of = [](SimFileSystem& in) {
    std::set<std::string> names;
    const Result<std::vector<DirectoryEntry>> entries = in.list("/");
    for (const DirectoryEntry& entry : *entries) names.insert(entry.name);
    return names;
  };
  const auto steps = *rc::gen::inRange(1, 30);
  for (int step = 0; step < steps; ++step) {
    const std::string name(1, static_cast<char>('a' + *rc::gen::inRange(0, 5)));
    const std::string other(1, static_cast<char>('a' + *rc::gen::inRange(0, 5)));
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        if (files.open("/" + name, OpenMode::kCreate, FileKind::kOther).ok()) now.insert(name);
        break;
      case 1:
        if (files.remove("/" + name).ok()) now.erase(name);
        break;
      case 2:
        if (files.rename("/" + name, "/" + other).ok() && name != other) {
          now.erase(name);
          now.insert(other);
        }
        break;
      default: RC_ASSERT(files.sync_directory("/").ok()); durable = ever = now;
    }
    ever.insert(now.begin(), now.end());
    RC_ASSERT(names_of(files) == now);
    RC_ASSERT(names_of(*files.crash_clone(kPowerLoss)) == durable);
    RC_ASSERT(names_of(*files.crash_clone(kKilled)) == now);
    const std::set<std::string> state =
        names_of(*files.crash_clone(random_crash(*rc::gen::arbitrary<std::uint64_t>())));
    RC_ASSERT(std::includes(ever.begin(), ever.end(), state.begin(), state.end()));
  }
}

}  // namespace
}  // namespace firn::sim
