// What only the real file system can show: other processes, descriptors, limits. Its contract as a FileSystem is
// tested in file_system_test.cc.
#include "platform/posix_file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "platform/memory_limit.h"
#include "tests/platform/file_helpers.h"
#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

using testing::create;
using ::testing::HasSubstr;

class Posix : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  testing::TemporaryDirectory directory_;
  PosixFileSystem files_;
};

// A child that takes the lock, says so through a pipe, and waits to be killed.
class LockingProcess {
 public:
  LockingProcess(FileSystem& files, const std::string& path) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    child_ = fork();
    if (child_ == 0) {
      const Result<std::unique_ptr<FileLock>> lock = files.lock(path);
      const char answer = lock.ok() ? 'y' : 'n';
      if (write(ends[1], &answer, 1) != 1) _exit(1);
      for (;;) pause();
    }
    EXPECT_EQ(::read(ends[0], &answer_, 1), 1);
    close(ends[0]);
    close(ends[1]);
  }
  ~LockingProcess() { kill_and_wait(); }

  bool locked() const { return answer_ == 'y'; }
  void kill_and_wait() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  pid_t child_ = 0;
  char answer_ = '?';
};

TEST_F(Posix, LockExcludesOtherProcessesUntilTheyDie) {
  LockingProcess other(files_, path("LOCK"));
  ASSERT_TRUE(other.locked());
  const Status status = files_.lock(path("LOCK"));
  EXPECT_EQ(status.code(), StatusCode::kBusy);
  EXPECT_THAT(status.message(), HasSubstr("another process"));
  other.kill_and_wait();
  EXPECT_OK(files_.lock(path("LOCK")));
}

TEST_F(Posix, LockIsNotInheritedByForkedChildrenAsTheirOwn) {
  const std::unique_ptr<FileLock> lock = files_.lock(path("LOCK")).value();
  const LockingProcess child(files_, path("LOCK"));
  EXPECT_FALSE(child.locked());
}

TEST_F(Posix, LockIsOneForAllPathsToTheFile) {
  const std::unique_ptr<FileLock> lock = files_.lock(path("LOCK")).value();
  std::filesystem::create_symlink(path("LOCK"), path("LINK"));
  const Status status = files_.lock(path("LINK"));
  EXPECT_EQ(status.code(), StatusCode::kBusy);
  EXPECT_THAT(status.message(), HasSubstr("this process"));
}

std::set<int> descriptors_that_programs_inherit() {
  std::set<int> found;
  for (int descriptor = 0; descriptor < 256; ++descriptor) {
    const int flags = fcntl(descriptor, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) found.insert(descriptor);
  }
  return found;
}

TEST_F(Posix, NoDescriptorIsInheritedByOtherPrograms) {
  const std::set<int> before = descriptors_that_programs_inherit();
  const std::unique_ptr<File> file = create(files_, path("a"));
  const std::unique_ptr<File> reader = files_.open(path("a"), OpenMode::kRead, FileKind::kTable).value();
  const std::unique_ptr<LogFile> log = files_.create_log(path("log"), 4096).value();
  const std::unique_ptr<FileLock> lock = files_.lock(path("LOCK")).value();
  EXPECT_EQ(descriptors_that_programs_inherit(), before);
}

std::size_t descriptor_count() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST_F(Posix, DescriptorsAreClosed) {
  const std::size_t before = descriptor_count();
  for (int i = 0; i < 10; ++i) {
    const std::unique_ptr<File> file = create(files_, path("a"), "text");
    EXPECT_OK(file->map());
    EXPECT_OK(files_.create_log(path("log"), 4096));
    EXPECT_OK(files_.lock(path("LOCK")));
    EXPECT_FALSE(files_.create_log(path("log"), 4096).ok());
    EXPECT_OK(files_.sync_directory(directory_.path()));
    EXPECT_OK(files_.list(directory_.path()));
    EXPECT_OK(files_.remove(path("a")));
    EXPECT_OK(files_.remove(path("log")));
  }
  EXPECT_EQ(descriptor_count(), before);
}

// Sees the size of a file without having it open, for who has a file open keeps its bytes.
class SizeWatch {
 public:
  explicit SizeWatch(const std::string& path) : descriptor_(::open(path.c_str(), O_PATH | O_CLOEXEC)) {}
  ~SizeWatch() { close(descriptor_); }
  off_t bytes() const {
    struct stat info;
    return fstat(descriptor_, &info) == 0 ? info.st_size : -1;
  }

 private:
  int descriptor_;
};

// More than two steps of posix_remove().
const std::string& large_text() {
  static const std::string text(std::size_t{9} << 20, 'x');
  return text;
}

// Some file systems, those of other machines, grant no leases.
bool grants_leases(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool granted = fcntl(descriptor, F_SETLEASE, F_WRLCK) == 0;
  close(descriptor);
  return granted;
}

TEST_F(Posix, ALargeFileIsFreedInSteps) {
  create(files_, path("a"), large_text());
  const bool can_be_sure = grants_leases(path("a"));
  const SizeWatch watch(path("a"));
  EXPECT_OK(files_.remove(path("a")));
  EXPECT_EQ(watch.bytes(), can_be_sure ? off_t{1} << 20 : static_cast<off_t>(large_text().size()));
}

TEST_F(Posix, WhoHasARemovedFileOpenKeepsItsBytes) {
  const std::unique_ptr<File> open = create(files_, path("a"), large_text());
  EXPECT_OK(files_.remove(path("a")));
  std::string read(large_text().size(), ' ');
  EXPECT_EQ(open->read_at(0, std::as_writable_bytes(std::span(read))).bytes, read.size());
  EXPECT_TRUE(read == large_text());
}

TEST_F(Posix, WhoHasARemovedFileMappedKeepsItsBytes) {
  create(files_, path("a"), large_text());
  const int descriptor = ::open(path("a").c_str(), O_RDONLY | O_CLOEXEC);
  void* const mapped = mmap(nullptr, large_text().size(), PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  ASSERT_NE(mapped, MAP_FAILED);
  const SizeWatch watch(path("a"));
  EXPECT_OK(files_.remove(path("a")));
  EXPECT_EQ(watch.bytes(), static_cast<off_t>(large_text().size()));
  EXPECT_TRUE(std::string_view(static_cast<const char*>(mapped), large_text().size()) == large_text());
  munmap(mapped, large_text().size());
}

TEST_F(Posix, TheOtherNameOfARemovedFileKeepsItsBytes) {
  create(files_, path("a"), large_text());
  std::filesystem::create_hard_link(path("a"), path("b"));
  EXPECT_OK(files_.remove(path("a")));
  EXPECT_TRUE(testing::contents(files_, path("b")) == large_text());
}

// A limit on the size of files stands for all that a file system may refuse.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    previous_ = signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, previous_);
  }

 private:
  rlimit before_;
  void (*previous_)(int);
};

TEST_F(Posix, LogThatCannotBeAllocatedLeavesNoFile) {
  const FileSizeLimit limit(1 << 20);
  const Status status = files_.create_log(path("log"), 2 << 20);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.message(), HasSubstr(path("log")));
  EXPECT_FALSE(testing::exists(files_, path("log")));
}

std::uint64_t space_taken(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

TEST_F(Posix, LogTakesItsSpacePieceByPiece) {
  constexpr std::uint64_t kCapacity = std::uint64_t{64} << 20;
  const std::unique_ptr<LogFile> log = files_.create_log(path("log"), kCapacity).value();
  const std::uint64_t at_first = space_taken(path("log"));
  EXPECT_GT(at_first, 0u);
  EXPECT_LE(at_first, kCapacity / 8);
  EXPECT_TRUE(log->make_room(kCapacity / 2));
  EXPECT_GE(space_taken(path("log")), kCapacity / 2);
  EXPECT_TRUE(log->make_room(kCapacity));
  EXPECT_FALSE(log->make_room(kCapacity + 1));
}

std::uint64_t memory_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if ((word == "RssFile:" || word == "RssShmem:") && status >> kilobytes && kilobytes > 0) return kilobytes * 1024;
  }
  return 0;
}

TEST_F(Posix, WrittenPartOfALogIsNoMemoryOfThisProcess) {
  constexpr std::size_t kCapacity = std::size_t{32} << 20;
  const std::unique_ptr<LogFile> log = files_.create_log(path("log"), kCapacity).value();
  const std::span<std::byte> room = log->reserve(kCapacity);
  ASSERT_EQ(room.size(), kCapacity);
  std::fill(room.begin(), room.end(), std::byte{'x'});
  EXPECT_OK(log->publish(kCapacity));
  const std::uint64_t before = memory_of_files();
  log->populate(kCapacity, kCapacity);
  EXPECT_LE(memory_of_files() + kCapacity / 2, before);
  EXPECT_EQ(testing::contents(files_, path("log")), std::string(kCapacity, 'x'));
}

TEST_F(Posix, WritesThatTheSystemRefusesSayWhy) {
  const std::unique_ptr<File> file = create(files_, path("a"), std::string(1000, 'x'));
  const FileSizeLimit limit(1500);
  EXPECT_EQ(file->write_at(1000, testing::bytes_of(std::string(1000, 'y'))).bytes, 500u);
  const Status status = write_all(*file, 1000, testing::bytes_of(std::string(1000, 'y')));
  EXPECT_THAT(status.message(), HasSubstr("write " + path("a") + ": File too large"));
  EXPECT_EQ(file->truncate(3000).code(), StatusCode::kIo);
  EXPECT_FALSE(file->allocate(std::uint64_t{1} << 62).ok());
}

TEST_F(Posix, TooManyOpenFilesIsSaid) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  create(files_, path("a"));
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status status = files_.open(path("a"), OpenMode::kRead, FileKind::kTable);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.message(), HasSubstr("too many open files"));
}

TEST_F(Posix, DanglingLinksAreNotListed) {
  std::filesystem::create_symlink(path("nowhere"), path("link"));
  EXPECT_TRUE(files_.list(directory_.path()).value().empty());
}

TEST_F(Posix, MapsHalfOfTheMemoryOrNothing) {
  const std::uint64_t budget = PosixFileSystem().mapping_budget_bytes();
  EXPECT_GT(budget, 0U);
  EXPECT_EQ(budget, memory_limit_bytes() / 2);
  EXPECT_EQ(PosixFileSystem(Mappings::kNever).mapping_budget_bytes(), 0U);
}

}  // namespace
}  // namespace firn
