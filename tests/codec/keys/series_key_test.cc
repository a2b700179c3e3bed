#include "firn/codec/series_key.h"

#include <tuple>

#include "tests/codec/hex.h"
#include "tests/codec/property.h"

namespace firn::codec {
namespace {

std::string encode(std::uint64_t series, std::int64_t time) {
  return std::string(encode_series_key({series, time}).slice());
}

TEST(SeriesKey, BytesNeverChange) {
  EXPECT_EQ(to_hex(encode(7, 0)), "00000000000000078000000000000000");
  EXPECT_EQ(to_hex(encode(7, 1427162400000)), "00000000000000078000014c49820500");
  EXPECT_EQ(to_hex(encode(UINT64_MAX, -1)), "ffffffffffffffff7fffffffffffffff");
  EXPECT_EQ(to_hex(series_prefix(258)), "0000000000000102");
}

TEST(SeriesKey, OtherLengthsAreRefused) {
  EXPECT_FALSE(parse_series_key("").ok());
  EXPECT_FALSE(parse_series_key(encode(1, 1).substr(1)).ok());
  EXPECT_EQ(parse_series_key(encode(1, 1) + "x").status().message(), "not a series key: not 16 bytes long");
}

TEST(SeriesKey, ComesBackAndOrdersBySeriesThenTime) {
  expect_property([] {
    const auto key = [] { return std::pair(*bits_gen(), *integer_gen()); };
    const auto a = key();
    auto b = key();
    if (*rc::gen::arbitrary<bool>()) b.first = a.first;
    const std::string bytes = encode(a.first, a.second);
    const Result<SeriesKey> parsed = parse_series_key(bytes);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == (SeriesKey{a.first, a.second}));
    RC_ASSERT((bytes < encode(b.first, b.second)) == (a < b));
    RC_ASSERT(bytes.starts_with(series_prefix(b.first)) == (a.first == b.first));
  });
}

}  // namespace
}  // namespace firn::codec
