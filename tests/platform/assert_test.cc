#include "platform/assert.h"

#include <gtest/gtest.h>

namespace {

TEST(Assert, TrueConditionIsEvaluatedOnce) {
  int evaluated = 0;
  FIRN_ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, FalseConditionAbortsWithFileAndLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(FIRN_ASSERT(1 + 1 == 3), "assert_test.cc:[0-9]+: assertion failed: 1 \\+ 1 == 3");
}

}  // namespace
