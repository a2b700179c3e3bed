// PinnedValue by itself: pinned_value.h.
#include "firn/pinned_value.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace firn {
namespace {

void count(void* counter) noexcept { ++*static_cast<int*>(counter); }

TEST(PinnedValue, CopiesShortBytes) {
  std::string bytes(PinnedValue::kInlineBytes, 'b');
  const PinnedValue value{Slice(bytes)};
  bytes.assign(bytes.size(), 'x');
  EXPECT_EQ(value.slice(), std::string(PinnedValue::kInlineBytes, 'b'));
  EXPECT_EQ(value.size(), PinnedValue::kInlineBytes);
}

TEST(PinnedValue, IsEmptyAtFirst) {
  const PinnedValue value{};
  EXPECT_EQ(value.slice(), "");
  EXPECT_EQ(value.to_string(), "");
}

TEST(PinnedValue, ReleasesItsOwnerOnce) {
  int released = 0;
  {
    PinnedValue value("bytes", &released, count);
    EXPECT_EQ(value.slice(), "bytes");
    PinnedValue moved = std::move(value);
    EXPECT_EQ(moved.slice(), "bytes");
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(PinnedValue, ResetReleases) {
  int released = 0;
  PinnedValue value("bytes", &released, count);
  value.reset();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(value.size(), 0U);
  EXPECT_EQ(value.slice(), "");
  value.reset();
  EXPECT_EQ(released, 1);
}

TEST(PinnedValue, AssignmentReleasesWhatWasHeld) {
  int first = 0;
  int second = 0;
  PinnedValue value("first", &first, count);
  value = PinnedValue("second", &second, count);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(value.slice(), "second");
  value = PinnedValue(Slice("short"));
  EXPECT_EQ(second, 1);
  EXPECT_EQ(value.slice(), "short");
}

TEST(PinnedValue, MovesShortBytesWithIt) {
  PinnedValue value{Slice("short")};
  const PinnedValue moved = std::move(value);
  EXPECT_EQ(moved.slice(), "short");
}

}  // namespace
}  // namespace firn
