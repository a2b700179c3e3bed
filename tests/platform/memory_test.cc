#include "platform/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "platform/address_space.h"

namespace firn {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

TEST(Pages, AreZeroedAndWritable) {
  for (const std::size_t bytes :
       {std::size_t{1}, kMappedBytesMin - 1, kMappedBytesMin, kHugePageBytes, kHugePageBytes + 1}) {
    char* pages = static_cast<char*>(allocate_pages(bytes));
    ASSERT_NE(pages, nullptr);
    EXPECT_TRUE(std::all_of(pages, pages + bytes, [](char byte) { return byte == 0; })) << bytes;
    std::fill(pages, pages + bytes, 'x');
    free_pages(pages, bytes);
  }
}

TEST(Pages, LargeAreasAreAlignedToHugePages) {
  for (int i = 0; i < 20; ++i) {
    const std::size_t bytes = kHugePageBytes + static_cast<std::size_t>(i) * 12345;
    void* pages = allocate_pages(bytes);
    ASSERT_NE(pages, nullptr);
    EXPECT_EQ(address(pages) % kHugePageBytes, 0u);
    free_pages(pages, bytes);
  }
}

TEST(Pages, TooMuchIsNull) {
  EXPECT_EQ(allocate_pages(std::numeric_limits<std::size_t>::max()), nullptr);
  EXPECT_EQ(allocate_pages(std::numeric_limits<std::size_t>::max() / 2), nullptr);
}

TEST(Pages, FreeingNullIsAllowed) { free_pages(nullptr, 4096); }

TEST(ReserveAddresses, AlignsAsAsked) {
  const std::size_t alignment = 16 * page_bytes();
  const std::size_t bytes = kMappedBytesMin + page_bytes();
  void* area = reserve_addresses(bytes, alignment);
  ASSERT_NE(area, nullptr);
  EXPECT_EQ(address(area) % alignment, 0u);
  free_pages(area, bytes);
}

}  // namespace
}  // namespace firn
