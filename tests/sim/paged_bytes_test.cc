#include "platform/sim/paged_bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace firn::sim {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string all_of(const PagedBytes& bytes) {
  std::string text(bytes.size(), '?');
  EXPECT_EQ(bytes.read(0, std::as_writable_bytes(std::span(text))), text.size());
  return text;
}

TEST(PagedBytes, GapsReadAsZeros) {
  PagedBytes bytes;
  bytes.write(10'000, bytes_of("end"));
  EXPECT_EQ(all_of(bytes), std::string(10'000, '\0') + "end");
}

TEST(PagedBytes, BytesThatWereCutDoNotComeBack) {
  PagedBytes bytes;
  bytes.write(0, bytes_of(std::string(9000, 'x')));
  bytes.resize(5);
  bytes.resize(9000);
  EXPECT_EQ(all_of(bytes), "xxxxx" + std::string(8995, '\0'));
}

TEST(PagedBytes, ReadsStopAtTheEnd) {
  PagedBytes bytes;
  bytes.write(0, bytes_of("abc"));
  std::string into(10, '?');
  EXPECT_EQ(bytes.read(1, std::as_writable_bytes(std::span(into))), 2u);
  EXPECT_EQ(into.substr(0, 3), "bc?");
  EXPECT_EQ(bytes.read(3, std::as_writable_bytes(std::span(into))), 0u);
  EXPECT_EQ(bytes.read(1'000'000, std::as_writable_bytes(std::span(into))), 0u);
}

// Each step changes one of two files or copies one over the other; strings do the same.
RC_GTEST_PROP(PagedBytes, BehaveLikeStrings, ()) {
  PagedBytes paged[2];
  std::string plain[2];
  const auto steps = *rc::gen::inRange(0, 40);
  for (int step = 0; step < steps; ++step) {
    const auto which = *rc::gen::inRange<std::size_t>(0, 2);
    const auto offset = *rc::gen::inRange<std::size_t>(0, 20'000);
    switch (*rc::gen::inRange(0, 3)) {
      case 0: {
        const std::string data(*rc::gen::inRange<std::size_t>(1, 9000), static_cast<char>('a' + step % 26));
        paged[which].write(offset, bytes_of(data));
        if (plain[which].size() < offset + data.size()) plain[which].resize(offset + data.size());
        plain[which].replace(offset, data.size(), data);
        break;
      }
      case 1:
        paged[which].resize(offset);
        plain[which].resize(offset);
        break;
      default: paged[which] = paged[1 - which]; plain[which] = plain[1 - which];
    }
    RC_ASSERT(all_of(paged[0]) == plain[0]);
    RC_ASSERT(all_of(paged[1]) == plain[1]);
  }
}

TEST(PagedBytes, CopiesMayBeWrittenInDifferentThreads) {
  PagedBytes first;
  first.write(0, bytes_of(std::string(100'000, 'o')));
  PagedBytes second = first;
  const auto overwrite = [](PagedBytes& bytes, char letter) {
    for (std::uint64_t offset = 0; offset < 100'000; offset += 10)
      bytes.write(offset, bytes_of(std::string(10, letter)));
  };
  std::thread other(overwrite, std::ref(second), '2');
  overwrite(first, '1');
  other.join();
  EXPECT_EQ(all_of(first), std::string(100'000, '1'));
  EXPECT_EQ(all_of(second), std::string(100'000, '2'));
}

}  // namespace
}  // namespace firn::sim
