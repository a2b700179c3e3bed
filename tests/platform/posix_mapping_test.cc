// Pages of mapped tables and logs that cannot be read: a file cut short under its mapping stands for a failing device,
// for both raise SIGBUS.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "platform/memory.h"
#include "platform/posix_file_system.h"
#include "tests/platform/file_helpers.h"
#include "tests/platform/temporary_directory.h"

namespace firn {
namespace {

using testing::bytes_of;
using testing::create;
using testing::publish;

constexpr std::size_t kPage = 4096;

// What is mapped changes behind the compiler's back.
char byte_at(const FileMapping& mapping, std::size_t offset) {
  return static_cast<char>(*reinterpret_cast<const volatile std::byte*>(mapping.bytes().data() + offset));
}

class Mapped : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }
  std::unique_ptr<FileMapping> map(const std::string& name, std::size_t bytes) {
    return create(files_, path(name), std::string(bytes, 'm'))->map().value();
  }
  void cut(const std::string& name, std::uint64_t bytes) {
    ASSERT_EQ(truncate(path(name).c_str(), static_cast<off_t>(bytes)), 0);
  }

  testing::TemporaryDirectory directory_;
  PosixFileSystem files_;
};

TEST_F(Mapped, UnreadablePageReadsAsZerosAndMarksTheMapping) {
  const std::unique_ptr<FileMapping> mapping = map("a", 3 * kPage);
  cut("a", kPage);
  EXPECT_EQ(byte_at(*mapping, 0), 'm');
  EXPECT_FALSE(mapping->damaged());
  EXPECT_EQ(byte_at(*mapping, 2 * kPage + 17), '\0');
  EXPECT_TRUE(mapping->damaged());
  EXPECT_EQ(byte_at(*mapping, kPage), '\0');
  EXPECT_EQ(byte_at(*mapping, 0), 'm');
}

TEST_F(Mapped, WhatWasJustWrittenIsResidentAndHolesAreNot) {
  EXPECT_TRUE(map("a", 3 * kHugePageBytes + 5)->resident());
  EXPECT_TRUE(map("b", kPage)->resident());
  const auto file = create(files_, path("c"), std::string(kPage, 'm'));
  ASSERT_TRUE(file->truncate(2 * kHugePageBytes).ok());
  const std::unique_ptr<FileMapping> mapping = file->map().value();
  EXPECT_FALSE(mapping->resident());
  EXPECT_EQ(byte_at(*mapping, 0), 'm');
  EXPECT_EQ(byte_at(*mapping, 2 * kHugePageBytes - 1), '\0');
  EXPECT_FALSE(mapping->damaged());
}

TEST_F(Mapped, LastPartialPageIsProtectedToo) {
  const std::unique_ptr<FileMapping> mapping = map("a", kPage + 10);
  cut("a", 0);
  EXPECT_EQ(byte_at(*mapping, kPage + 9), '\0');
  EXPECT_TRUE(mapping->damaged());
}

TEST_F(Mapped, DamageStaysWithItsMapping) {
  const std::unique_ptr<FileMapping> damaged = map("a", kPage);
  const std::unique_ptr<FileMapping> whole = map("b", kPage);
  cut("a", 0);
  EXPECT_EQ(byte_at(*damaged, 0), '\0');
  EXPECT_TRUE(damaged->damaged());
  EXPECT_FALSE(whole->damaged());
  // Its place in the table of ranges is used again.
  for (int i = 0; i < 600; ++i) {
    const std::unique_ptr<FileMapping> again =
        files_.open(path("b"), OpenMode::kRead, FileKind::kTable).value()->map().value();
    EXPECT_FALSE(again->damaged());
  }
}

TEST_F(Mapped, LargeFilesAreMappedWholeAndAlignedToHugePages) {
  const std::size_t bytes = 3 * kHugePageBytes + 12345;
  const std::unique_ptr<FileMapping> mapping = map("a", bytes);
  EXPECT_EQ(mapping->bytes().size(), bytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapping->bytes().data()) % kHugePageBytes, 0u);
  EXPECT_TRUE(std::all_of(mapping->bytes().begin(), mapping->bytes().end(),
                          [](std::byte byte) { return byte == std::byte{'m'}; }));
  cut("a", kHugePageBytes);
  EXPECT_EQ(byte_at(*mapping, bytes - 1), '\0');
  EXPECT_EQ(byte_at(*mapping, kHugePageBytes), '\0');
  EXPECT_EQ(byte_at(*mapping, kHugePageBytes - 1), 'm');
  EXPECT_TRUE(mapping->damaged());
}

TEST_F(Mapped, ThreadsFaultWhileOthersMapAndUnmap) {
  std::atomic<bool> done{false};
  std::vector<std::thread> mappers;
  for (int i = 0; i < 2; ++i) {
    mappers.emplace_back([&, i] {
      const std::unique_ptr<File> file = create(files_, path("other" + std::to_string(i)), std::string(kPage, 'o'));
      while (!done) {
        const std::unique_ptr<FileMapping> mapping = file->map().value();
        EXPECT_EQ(byte_at(*mapping, 0), 'o');
        EXPECT_FALSE(mapping->damaged());
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    const std::string name = "a" + std::to_string(round);
    const std::unique_ptr<FileMapping> mapping = map(name, 8 * kPage);
    cut(name, 0);
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&] {
        for (std::size_t page = 0; page < 8; ++page) EXPECT_EQ(byte_at(*mapping, page * kPage), '\0');
        EXPECT_TRUE(mapping->damaged());
      });
    }
    for (std::thread& reader : readers) reader.join();
  }
  done = true;
  for (std::thread& mapper : mappers) mapper.join();
}

TEST_F(Mapped, LogWhosePagesFailAnswersWithAnError) {
  const std::unique_ptr<LogFile> log = files_.create_log(path("log"), 4 * kPage).value();
  EXPECT_OK(publish(*log, "fine"));
  cut("log", 0);
  const std::span<std::byte> room = log->reserve(kPage);
  ASSERT_EQ(room.size(), kPage);
  std::fill(room.begin(), room.end(), std::byte{'x'});
  const Status status = log->publish(kPage);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path("log")));
  EXPECT_EQ(log->end_offset(), 4u);
  EXPECT_EQ(log->sync().code(), StatusCode::kIo);
  EXPECT_EQ(log->write(bytes_of("x")).code(), StatusCode::kIo);
  EXPECT_TRUE(log->reserve(1).empty());
}

TEST_F(Mapped, PopulateIgnoresPagesThatFail) {
  const std::unique_ptr<LogFile> log = files_.create_log(path("log"), 4 * kPage).value();
  cut("log", 0);
  log->populate(0, 4 * kPage);
  log->populate(0, 1000 * kPage);
}

// A page past the end of a file, mapped by somebody who is not Firn.
const volatile char* foreign_fault(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  void* page = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return static_cast<const volatile char*>(page);
}

TEST_F(Mapped, ForeignFaultsEndTheProcessAsBefore) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGBUS, SIG_DFL);
        const std::unique_ptr<FileMapping> mapping = map("a", kPage);
        [[maybe_unused]] const char byte = *foreign_fault(path("foreign"));
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(Mapped, SentSignalsEndTheProcessAsBefore) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGBUS, SIG_DFL);
        const std::unique_ptr<FileMapping> mapping = map("a", kPage);
        raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(Mapped, ForeignFaultsGoToTheHandlerThatWasThere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGBUS, [](int) { _exit(42); });
        const std::unique_ptr<FileMapping> mapping = map("a", kPage);
        cut("a", 0);
        if (byte_at(*mapping, 0) != '\0' || !mapping->damaged()) _exit(1);
        [[maybe_unused]] const char byte = *foreign_fault(path("foreign"));
      },
      ::testing::ExitedWithCode(42), "");
}

TEST_F(Mapped, ForeignFaultsGoToTheHandlerThatWasThereWithTheirAddress) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        struct sigaction action = {};
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = [](int, siginfo_t* info, void*) { _exit(info->si_addr == nullptr ? 1 : 43); };
        sigaction(SIGBUS, &action, nullptr);
        const std::unique_ptr<FileMapping> mapping = map("a", kPage);
        [[maybe_unused]] const char byte = *foreign_fault(path("foreign"));
      },
      ::testing::ExitedWithCode(43), "");
}

TEST_F(Mapped, WithoutMappingsNoHandlerIsInstalled) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        struct sigaction before;
        struct sigaction after;
        sigaction(SIGBUS, nullptr, &before);
        PosixFileSystem files(Mappings::kNever);
        EXPECT_OK(files.create_log(path("log"), kPage));
        sigaction(SIGBUS, nullptr, &after);
        _exit(before.sa_handler == after.sa_handler ? 44 : 1);
      },
      ::testing::ExitedWithCode(44), "");
}

}  // namespace
}  // namespace firn
