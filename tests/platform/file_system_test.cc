// The contract of FileSystem, File, LogFile and FileLock, held by every implementation.
#include "firn/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "firn/sim/file_system.h"
#include "platform/posix_file_system.h"
#include "tests/platform/file_helpers.h"
#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

using testing::bytes_of;
using testing::contents;
using testing::create;
using ::testing::HasSubstr;
using testing::publish;
using testing::text_of;
using ::testing::UnorderedElementsAre;

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<FileSystem>()> make;
  bool mappings;
};

class FileSystemContract : public ::testing::TestWithParam<Implementation> {
 protected:
  FileSystemContract() : files_(GetParam().make()) {
    // In memory there is nothing yet above the directory.
    for (std::size_t at = 1; at != std::string::npos;) {
      at = directory_.path().find('/', at + 1);
      EXPECT_OK(files_->create_directory(directory_.path().substr(0, at)));
    }
  }

  FileSystem& files() { return *files_; }
  std::string path(const std::string& name) const { return directory_.path(name); }
  const std::string& directory() const { return directory_.path(); }
  std::unique_ptr<LogFile> create_log(const std::string& name, std::uint64_t capacity_bytes) {
    Result<std::unique_ptr<LogFile>> log = files_->create_log(path(name), capacity_bytes);
    EXPECT_TRUE(log.ok()) << log.status().to_string();
    return std::move(log).value();
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    const std::vector<DirectoryEntry> entries = files_->list(directory()).value();
    for (const DirectoryEntry& entry : entries) names.push_back(entry.name);
    return names;
  }

 private:
  testing::TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
};

INSTANTIATE_TEST_SUITE_P(
    Implementations, FileSystemContract,
    ::testing::Values(
        Implementation{"Posix", [] { return std::make_unique<PosixFileSystem>(); }, true},
        Implementation{"PosixWithoutMappings", [] { return std::make_unique<PosixFileSystem>(Mappings::kNever); },
                       false},
        Implementation{"Memory", [] { return std::make_unique<sim::SimFileSystem>(); }, false},
        Implementation{"MemoryWithMappings",
                       [] { return std::make_unique<sim::SimFileSystem>(sim::SimFileSystem::Options{true}); }, true}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(FileSystemContract, WrittenBytesReadBack) {
  const std::unique_ptr<File> file = create(files(), path("a"), "hello");
  EXPECT_OK(write_all(*file, 5, bytes_of(" world")));
  EXPECT_EQ(contents(files(), path("a")), "hello world");
  EXPECT_EQ(file->size().value(), 11u);
  EXPECT_EQ(file->path(), path("a"));
  EXPECT_OK(file->sync());
}

TEST_P(FileSystemContract, WritesBeyondTheEndLeaveZerosBetween) {
  const std::unique_ptr<File> file = create(files(), path("a"), "x");
  EXPECT_OK(write_all(*file, 5000, bytes_of("y")));
  EXPECT_EQ(contents(files(), path("a")), "x" + std::string(4999, '\0') + "y");
}

TEST_P(FileSystemContract, ReadsAreShortAtTheEnd) {
  const std::unique_ptr<File> file = create(files(), path("a"), "hello");
  std::string into(10, '?');
  const IoResult result = file->read_at(3, std::as_writable_bytes(std::span(into)));
  EXPECT_EQ(result.error, 0);
  EXPECT_EQ(result.bytes, 2u);
  EXPECT_EQ(into.substr(0, 3), "lo?");
  EXPECT_EQ(file->read_at(5, std::as_writable_bytes(std::span(into))).bytes, 0u);
  EXPECT_EQ(file->read_at(500, std::as_writable_bytes(std::span(into))).bytes, 0u);
}

TEST_P(FileSystemContract, EmptyTransfersDoNothing) {
  const std::unique_ptr<File> file = create(files(), path("a"));
  EXPECT_EQ(file->write_at(100, {}).error, 0);
  EXPECT_EQ(file->read_at(0, {}).error, 0);
  EXPECT_EQ(file->size().value(), 0u);
  EXPECT_EQ(contents(files(), path("a")), "");
}

TEST_P(FileSystemContract, OpeningAMissingFileIsNotFoundAndNamesIt) {
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite}) {
    const Status status = files().open(path("missing"), mode, FileKind::kTable);
    EXPECT_TRUE(status.is_not_found());
    EXPECT_THAT(status.message(), HasSubstr(path("missing")));
  }
}

TEST_P(FileSystemContract, CreatingAnExistingFileFailsAndLeavesIt) {
  create(files(), path("a"), "kept");
  const Status status = files().open(path("a"), OpenMode::kCreate, FileKind::kTable);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.message(), HasSubstr(path("a")));
  EXPECT_EQ(contents(files(), path("a")), "kept");
}

TEST_P(FileSystemContract, MissingDirectoriesAreNotFound) {
  EXPECT_TRUE(Status(files().open(path("no/a"), OpenMode::kCreate, FileKind::kTable)).is_not_found());
  EXPECT_TRUE(Status(files().create_log(path("no/a"), 4096)).is_not_found());
  EXPECT_TRUE(Status(files().list(path("no"))).is_not_found());
  EXPECT_TRUE(files().create_directory(path("no/a")).is_not_found());
  EXPECT_TRUE(files().sync_directory(path("no")).is_not_found());
  EXPECT_TRUE(files().remove(path("no")).is_not_found());
  EXPECT_TRUE(files().remove_directory(path("no")).is_not_found());
  EXPECT_TRUE(files().rename(path("no"), path("b")).is_not_found());
  EXPECT_TRUE(Status(files().lock(path("no/LOCK"))).is_not_found());
  EXPECT_TRUE(Status(files().space(path("no"))).is_not_found());
}

TEST_P(FileSystemContract, FilesOpenedForReadingCannotBeWritten) {
  create(files(), path("a"), "kept");
  const std::unique_ptr<File> file = files().open(path("a"), OpenMode::kRead, FileKind::kTable).value();
  EXPECT_NE(file->write_at(0, bytes_of("lost")).error, 0);
  EXPECT_FALSE(file->truncate(0).ok());
  EXPECT_EQ(contents(files(), path("a")), "kept");
}

TEST_P(FileSystemContract, ReadWriteKeepsTheContents) {
  create(files(), path("a"), "12345");
  const std::unique_ptr<File> file = files().open(path("a"), OpenMode::kReadWrite, FileKind::kTable).value();
  EXPECT_OK(write_all(*file, 1, bytes_of("xx")));
  EXPECT_EQ(contents(files(), path("a")), "1xx45");
}

TEST_P(FileSystemContract, TruncateCutsAndGrowsByZeros) {
  const std::unique_ptr<File> file = create(files(), path("a"), "12345");
  EXPECT_OK(file->truncate(2));
  EXPECT_OK(file->truncate(4));
  EXPECT_EQ(contents(files(), path("a")), std::string("12\0\0", 4));
}

TEST_P(FileSystemContract, AllocateLeavesTheSize) {
  const std::unique_ptr<File> file = create(files(), path("a"), "12345");
  EXPECT_OK(file->allocate(100'000));
  EXPECT_OK(file->allocate(0));
  EXPECT_EQ(contents(files(), path("a")), "12345");
}

TEST_P(FileSystemContract, HintsChangeNothing) {
  const std::unique_ptr<File> file = create(files(), path("a"), "12345");
  file->start_writeback(0, 5);
  file->prefetch(0, 5);
  file->prefetch(1'000'000, 5);
  EXPECT_EQ(contents(files(), path("a")), "12345");
}

TEST_P(FileSystemContract, RemovedFilesStayReadableWhileOpen) {
  const std::unique_ptr<File> file = create(files(), path("a"), "12345");
  EXPECT_OK(files().remove(path("a")));
  EXPECT_FALSE(testing::exists(files(), path("a")));
  std::string into(5, '?');
  EXPECT_OK(read_exactly(*file, 0, std::as_writable_bytes(std::span(into))));
  EXPECT_EQ(into, "12345");
}

TEST_P(FileSystemContract, RenameReplaces) {
  create(files(), path("a"), "new");
  const std::unique_ptr<File> old = create(files(), path("b"), "old");
  EXPECT_OK(files().rename(path("a"), path("b")));
  EXPECT_EQ(contents(files(), path("b")), "new");
  EXPECT_THAT(names(), UnorderedElementsAre("b"));
  std::string into(3, '?');
  EXPECT_OK(read_exactly(*old, 0, std::as_writable_bytes(std::span(into))));
  EXPECT_EQ(into, "old");
}

TEST_P(FileSystemContract, RenameToItselfKeepsTheFile) {
  create(files(), path("a"), "kept");
  EXPECT_OK(files().rename(path("a"), path("a")));
  EXPECT_EQ(contents(files(), path("a")), "kept");
}

TEST_P(FileSystemContract, RenameMovesBetweenDirectories) {
  create(files(), path("a"), "moved");
  EXPECT_OK(files().create_directory(path("sub")));
  EXPECT_OK(files().rename(path("a"), path("sub/b")));
  EXPECT_EQ(contents(files(), path("sub/b")), "moved");
  EXPECT_THAT(names(), UnorderedElementsAre("sub"));
}

TEST_P(FileSystemContract, RenameDoesNotMixFilesAndDirectories) {
  create(files(), path("a"));
  EXPECT_OK(files().create_directory(path("sub")));
  EXPECT_EQ(files().rename(path("a"), path("sub")).code(), StatusCode::kIo);
  EXPECT_EQ(files().rename(path("sub"), path("a")).code(), StatusCode::kIo);
  EXPECT_EQ(files().rename(path("sub"), path("sub/sub")).code(), StatusCode::kIo);
  EXPECT_THAT(names(), UnorderedElementsAre("a", "sub"));
}

TEST_P(FileSystemContract, DirectoriesAreListedWithKindsAndSizes) {
  create(files(), path("a"), "12345");
  EXPECT_OK(files().create_directory(path("sub")));
  EXPECT_OK(files().create_directory(path("sub")));
  std::vector<DirectoryEntry> entries = files().list(directory()).value();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_FALSE(entries[0].is_directory);
  EXPECT_EQ(entries[0].bytes, 5u);
  EXPECT_EQ(entries[1].name, "sub");
  EXPECT_TRUE(entries[1].is_directory);
}

TEST_P(FileSystemContract, OnlyEmptyDirectoriesAreRemoved) {
  EXPECT_OK(files().create_directory(path("sub")));
  create(files(), path("sub/a"));
  EXPECT_EQ(files().remove_directory(path("sub")).code(), StatusCode::kIo);
  EXPECT_OK(files().remove(path("sub/a")));
  EXPECT_OK(files().sync_directory(path("sub")));
  EXPECT_OK(files().remove_directory(path("sub")));
  EXPECT_TRUE(names().empty());
}

TEST_P(FileSystemContract, FilesAreNotDirectories) {
  create(files(), path("a"));
  EXPECT_EQ(files().create_directory(path("a")).code(), StatusCode::kIo);
  EXPECT_EQ(files().remove_directory(path("a")).code(), StatusCode::kIo);
  EXPECT_EQ(files().sync_directory(path("a")).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files().list(path("a"))).code(), StatusCode::kIo);
  EXPECT_EQ(Status(files().open(path("a/b"), OpenMode::kRead, FileKind::kTable)).code(), StatusCode::kIo);
  EXPECT_OK(files().create_directory(path("sub")));
  EXPECT_EQ(files().remove(path("sub")).code(), StatusCode::kIo);
}

TEST_P(FileSystemContract, MappingShowsTheFileAsItWas) {
  const std::unique_ptr<File> file = create(files(), path("a"), std::string(10'000, 'm'));
  Result<std::unique_ptr<FileMapping>> mapping = file->map();
  if (!GetParam().mappings) {
    EXPECT_EQ(mapping.status().code(), StatusCode::kNotSupported);
    return;
  }
  EXPECT_EQ(text_of((*mapping)->bytes()), std::string(10'000, 'm'));
  EXPECT_FALSE((*mapping)->damaged());
  EXPECT_TRUE(create(files(), path("empty"))->map().value()->bytes().empty());
}

TEST_P(FileSystemContract, LockIsExclusiveUntilItIsDropped) {
  std::unique_ptr<FileLock> lock = files().lock(path("LOCK")).value();
  const Status second = files().lock(path("LOCK"));
  EXPECT_EQ(second.code(), StatusCode::kBusy);
  EXPECT_THAT(second.message(), HasSubstr(path("LOCK")));
  EXPECT_OK(files().lock(path("OTHER")));
  lock.reset();
  EXPECT_OK(files().lock(path("LOCK")));
  EXPECT_TRUE(testing::exists(files(), path("LOCK")));
}

TEST_P(FileSystemContract, SpaceIsPlausible) {
  const SpaceInfo space = files().space(directory()).value();
  EXPECT_GT(space.total_bytes, 0u);
  EXPECT_LE(space.free_bytes, space.total_bytes);
}

TEST_P(FileSystemContract, NewLogIsZerosOfItsCapacity) {
  const std::unique_ptr<LogFile> log = create_log("log", 10'000);
  EXPECT_EQ(log->path(), path("log"));
  EXPECT_EQ(log->capacity_bytes(), 10'000u);
  EXPECT_EQ(log->end_offset(), 0u);
  EXPECT_EQ(contents(files(), path("log")), std::string(10'000, '\0'));
  EXPECT_EQ(Status(files().create_log(path("log"), 10'000)).code(), StatusCode::kIo);
}

TEST_P(FileSystemContract, LogMixesPublishedAndWrittenBytes) {
  const std::unique_ptr<LogFile> log = create_log("log", 4096);
  EXPECT_OK(publish(*log, "one "));
  EXPECT_OK(log->write(bytes_of("two ")));
  EXPECT_OK(publish(*log, "three"));
  EXPECT_EQ(log->end_offset(), 13u);
  EXPECT_OK(log->sync());
  EXPECT_EQ(contents(files(), path("log")).substr(0, 14), std::string("one two three\0", 14));
}

TEST_P(FileSystemContract, OnlyThePublishedPartOfAReservationCounts) {
  const std::unique_ptr<LogFile> log = create_log("log", 4096);
  const std::span<std::byte> room = log->reserve(100);
  ASSERT_EQ(room.size(), 100u);
  std::fill(room.begin(), room.begin() + 3, std::byte{'x'});
  EXPECT_OK(log->publish(3));
  EXPECT_OK(publish(*log, "y"));
  EXPECT_EQ(contents(files(), path("log")).substr(0, 4), "xxxy");
}

TEST_P(FileSystemContract, LogEndsAtItsCapacity) {
  const std::unique_ptr<LogFile> log = create_log("log", 10);
  EXPECT_OK(publish(*log, "12345678"));
  EXPECT_TRUE(log->reserve(3).empty());
  EXPECT_EQ(log->write(bytes_of("abc")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(log->end_offset(), 8u);
  EXPECT_OK(log->write(bytes_of("ab")));
  EXPECT_TRUE(log->reserve(1).empty());
  EXPECT_EQ(contents(files(), path("log")), "12345678ab");
}

TEST_P(FileSystemContract, LogSyncsAndPopulatesBesideItsWriter) {
  constexpr std::uint64_t kCapacity = std::uint64_t{1} << 20;
  const std::unique_ptr<LogFile> log = create_log("log", kCapacity);
  std::atomic<bool> done{false};
  std::thread background([&] {
    std::uint64_t ahead = 0;
    while (!done) {
      log->populate(0, ahead += 100'000);
      EXPECT_OK(log->sync());
    }
  });
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string record(static_cast<std::size_t>(1 + i % 200), static_cast<char>('a' + i % 26));
    EXPECT_OK(i % 7 == 0 ? log->write(bytes_of(record)) : publish(*log, record));
    expected += record;
  }
  done = true;
  background.join();
  EXPECT_EQ(contents(files(), path("log")).substr(0, expected.size()), expected);
}

TEST_P(FileSystemContract, FilesAreSharedByThreads) {
  const std::unique_ptr<File> file = create(files(), path("a"));
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string mine(1000, static_cast<char>('a' + i));
      for (int round = 0; round < 20; ++round) {
        EXPECT_OK(write_all(*file, i * 1000, bytes_of(mine)));
        std::string into(1000, '?');
        EXPECT_OK(read_exactly(*file, i * 1000, std::as_writable_bytes(std::span(into))));
        EXPECT_EQ(into, mine);
        create(files(), path(std::to_string(i)), "x");
        EXPECT_OK(files().rename(path(std::to_string(i)), path("same")));
        EXPECT_OK(files().list(directory()));
      }
      EXPECT_OK(file->sync());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(contents(files(), path("a")),
            std::string(1000, 'a') + std::string(1000, 'b') + std::string(1000, 'c') + std::string(1000, 'd'));
}

}  // namespace
}  // namespace firn
