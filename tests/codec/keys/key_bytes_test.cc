#include "firn/codec/key_bytes.h"

#include "tests/codec/property.h"

namespace firn::codec {
namespace {

TEST(PrefixEnd, IsTheNextStringOfItsLength) {
  std::string out = "x";
  EXPECT_TRUE(append_prefix_end(out, "ab"));
  EXPECT_EQ(out, "xac");
}

TEST(PrefixEnd, DropsTrailingBytesThatCannotGrow) {
  std::string out;
  EXPECT_TRUE(append_prefix_end(out, "a\xFF\xFF"));
  EXPECT_EQ(out, "b");
}

TEST(PrefixEnd, IsNoneAboveAllOnesAndForTheEmptyPrefix) {
  std::string out;
  EXPECT_FALSE(append_prefix_end(out, "\xFF\xFF"));
  EXPECT_FALSE(append_prefix_end(out, ""));
  EXPECT_EQ(out, "");
}

TEST(PrefixEnd, TheRangeHoldsExactlyWhatBeginsWithThePrefix) {
  expect_property([] {
    const std::string prefix = *bytes_gen();
    const std::string key = *rc::gen::oneOf(
        bytes_gen(), rc::gen::map(bytes_gen(), [prefix](const std::string& tail) { return prefix + tail; }));
    std::string end;
    const bool bounded = append_prefix_end(end, prefix);
    RC_ASSERT(key.starts_with(prefix) == (key >= prefix && (!bounded || key < end)));
  });
}

}  // namespace
}  // namespace firn::codec
