#include "platform/io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "tests/platform/file_helpers.h"

namespace firn {
namespace {

using ::testing::AllOf;
using testing::bytes_of;
using testing::contents;
using testing::create;
using ::testing::HasSubstr;

// Answers the transfers of one kind by a list of faults, then lets the rest through.
void fail_next(sim::SimFileSystem& files, sim::OperationKind kind, std::vector<sim::Fault> faults) {
  files.set_fault_hook([kind, faults, next = std::size_t{0}](const sim::Operation& operation) mutable {
    if (operation.kind != kind || next == faults.size()) return std::optional<sim::Fault>();
    return std::optional<sim::Fault>(faults[next++]);
  });
}

class Io : public ::testing::Test {
 protected:
  std::string read(std::uint64_t offset, std::size_t bytes) {
    std::string into(bytes, '?');
    last_ = read_exactly(*file_, offset, std::as_writable_bytes(std::span(into)));
    return into;
  }

  sim::SimFileSystem files_;
  std::unique_ptr<File> file_ = create(files_, "/file", "hello world");
  Status last_;
};

TEST_F(Io, ReadExactlyHidesShortReadsAndInterruptions) {
  fail_next(files_, sim::OperationKind::kRead,
            {sim::Fault(0, 1), sim::Fault(EINTR), sim::Fault(EINTR, 2), sim::Fault(0, 3)});
  EXPECT_EQ(read(0, 11), "hello world");
  EXPECT_OK(last_);
}

TEST_F(Io, ReadExactlyRetriesADeviceErrorOnce) {
  fail_next(files_, sim::OperationKind::kRead, {sim::Fault(EIO)});
  EXPECT_EQ(read(6, 5), "world");
  EXPECT_OK(last_);

  fail_next(files_, sim::OperationKind::kRead, {sim::Fault(EIO), sim::Fault(EIO)});
  read(6, 5);
  EXPECT_EQ(last_.code(), StatusCode::kIo);
  EXPECT_THAT(std::string(last_.message()), HasSubstr("read /file: Input/output error"));
}

TEST_F(Io, ReadExactlyTakesTheEndOfTheFileForDamage) {
  read(6, 10);
  EXPECT_EQ(last_.code(), StatusCode::kCorruption);
  EXPECT_EQ(last_.file(), "/file");
  EXPECT_EQ(last_.offset(), 6u);
  EXPECT_THAT(std::string(last_.message()), HasSubstr("file ends at 11"));
  read(100, 1);
  EXPECT_EQ(last_.offset(), 100u);
  EXPECT_THAT(std::string(last_.message()), HasSubstr("file ends at or before 100"));
}

TEST_F(Io, ReadExactlyOfNothingNeedsNoFile) {
  read(1000, 0);
  EXPECT_OK(last_);
}

TEST_F(Io, ReadFileReturnsTheWholeFile) {
  EXPECT_EQ(*read_file(files_, "/file"), "hello world");
  EXPECT_TRUE(read_file(files_, "/missing").status().is_not_found());
}

TEST_F(Io, ReadFileOfAShrinkingFileIsDamage) {
  files_.set_fault_hook([this](const sim::Operation& operation) -> std::optional<sim::Fault> {
    if (operation.kind == sim::OperationKind::kRead) EXPECT_OK(file_->truncate(3));
    return std::nullopt;
  });
  EXPECT_EQ(read_file(files_, "/file").status().code(), StatusCode::kCorruption);
}

TEST_F(Io, WriteAllHidesShortWritesAndInterruptions) {
  fail_next(files_, sim::OperationKind::kWrite, {sim::Fault(0, 2), sim::Fault(EINTR), sim::Fault(EINTR, 1)});
  EXPECT_OK(write_all(*file_, 6, bytes_of("there")));
  EXPECT_EQ(contents(files_, "/file"), "hello there");
}

TEST_F(Io, WriteAllDoesNotRetryErrors) {
  fail_next(files_, sim::OperationKind::kWrite, {sim::Fault(ENOSPC, 2)});
  const Status status = write_all(*file_, 0, bytes_of("HELLO"));
  EXPECT_EQ(status.code(), StatusCode::kNoSpace);
  EXPECT_THAT(std::string(status.message()), HasSubstr("write /file"));
  EXPECT_EQ(contents(files_, "/file"), "HEllo world");
}

TEST_F(Io, WriteAllGivesUpWhenNothingIsEverWritten) {
  files_.set_fault_hook([](const sim::Operation&) { return sim::Fault(0, 0); });
  EXPECT_EQ(write_all(*file_, 0, bytes_of("x")).code(), StatusCode::kIo);
}

TEST(ErrnoStatus, TellsWhatACallerCanReactTo) {
  EXPECT_EQ(errno_status("write", "/f", ENOSPC).code(), StatusCode::kNoSpace);
  EXPECT_EQ(errno_status("write", "/f", EDQUOT).code(), StatusCode::kNoSpace);
  EXPECT_EQ(errno_status("open", "/f", ENOENT).code(), StatusCode::kNotFound);
  EXPECT_EQ(errno_status("map", "/f", ENOMEM).code(), StatusCode::kOutOfMemory);
  for (const int error : {EIO, EACCES, EPERM, EROFS, EMFILE, ENOTDIR, EEXIST}) {
    EXPECT_EQ(errno_status("open", "/f", error).code(), StatusCode::kIo) << error;
  }
}

TEST(ErrnoStatus, SaysWhatWasTriedOnWhatWhyAndWhatToDo) {
  for (const int error : {EACCES, EPERM, EROFS}) {
    EXPECT_THAT(std::string(errno_status("open", "/db/CURRENT", error).message()),
                AllOf(HasSubstr("open /db/CURRENT: permission denied"), HasSubstr("(")));
  }
  EXPECT_THAT(std::string(errno_status("open", "/f", EMFILE).message()), HasSubstr("ulimit -n"));
  EXPECT_EQ(errno_status("sync", "/f", EIO).message(), "sync /f: Input/output error");
}

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(join_path("/db", "a"), "/db/a");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("", "a"), "a");
}

TEST(ParentDirectory, HoldsTheName) {
  EXPECT_EQ(parent_directory("/db/a"), "/db");
  EXPECT_EQ(parent_directory("/db/"), "/");
  EXPECT_EQ(parent_directory("/"), "/");
  EXPECT_EQ(parent_directory("db"), ".");
  EXPECT_EQ(parent_directory("a/db//"), "a");
}

Status replace_durably(FileSystem& files, std::string_view contents) {
  Status status = replace_file(files, "/", "CURRENT", contents);
  return status.ok() ? files.sync_directory("/") : status;
}

TEST(ReplaceFile, MakesAndReplacesDurably) {
  sim::SimFileSystem files;
  EXPECT_OK(replace_durably(files, "one"));
  EXPECT_OK(replace_durably(files, "two"));
  EXPECT_EQ(contents(*files.crash_clone({}), "/CURRENT"), "two");
  EXPECT_TRUE(files.pending_operations().empty());
}

TEST(ReplaceFile, OverwritesWhatACrashLeft) {
  sim::SimFileSystem files;
  create(files, "/CURRENT.tmp", "longer than what follows");
  EXPECT_OK(replace_durably(files, "one"));
  EXPECT_EQ(contents(files, "/CURRENT"), "one");
  EXPECT_FALSE(testing::exists(files, "/CURRENT.tmp"));
}

// Stops the replacement at each of its operations, by a failure and by a power failure of each kind.
TEST(ReplaceFile, LeavesOldOrNewContentsWhereverItStops) {
  for (std::uint64_t stop = 0;; ++stop) {
    sim::SimFileSystem files;
    EXPECT_OK(replace_durably(files, "old"));
    const std::uint64_t first = files.operation_count();
    bool stopped = false;
    files.set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
      if (operation.index != first + stop) return std::nullopt;
      stopped = true;
      for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto crashed = files.crash_clone({sim::CrashMode::kRandom, seed, 50});
        EXPECT_THAT(contents(*crashed, "/CURRENT"), ::testing::AnyOf("old", "new")) << "operation " << stop;
      }
      return sim::Fault(EIO, 1);
    });
    const Status status = replace_durably(files, "new");
    files.set_fault_hook(nullptr);
    EXPECT_EQ(status.ok(), !stopped);
    EXPECT_THAT(contents(files, "/CURRENT"), ::testing::AnyOf("old", "new"));
    if (!stopped) break;
    EXPECT_OK(replace_durably(files, "again"));
    EXPECT_EQ(contents(*files.crash_clone({}), "/CURRENT"), "again") << "after a failure of operation " << stop;
  }
}

}  // namespace
}  // namespace firn
