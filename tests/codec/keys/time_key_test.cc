#include "firn/codec/time_key.h"

#include <tuple>

#include "tests/codec/property.h"

namespace firn::codec {
namespace {

constexpr Slice kUlidText = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

Ulid ulid() { return *parse_ulid(kUlidText); }

std::string encode(Slice prefix, std::uint64_t ms, const Ulid& ulid) {
  std::string out;
  const Status status = append_time_key(out, {prefix, ms, ulid});
  EXPECT_TRUE(status.ok()) << status.to_string();
  return out;
}

std::string bound(Slice prefix, std::uint64_t ms) {
  std::string out;
  EXPECT_TRUE(append_time_bound(out, prefix, ms).ok());
  return out;
}

// Allowed prefixes, among them many that begin one another or have separators inside.
rc::Gen<std::string> prefix_gen() {
  const auto pieces = list_gen<std::string>(4, rc::gen::element('a', 'b', ':', '/', '0', '\0', '\xFF'));
  return rc::gen::suchThat(rc::gen::oneOf(pieces, bytes_gen()), [](const std::string& prefix) {
    std::string out;
    return append_time_bound(out, prefix, 0).ok();
  });
}

rc::Gen<std::uint64_t> time_gen() {
  return rc::gen::oneOf(range_gen<std::uint64_t>(0, 4), range_gen<std::uint64_t>(kTimeKeyMsMax - 3, kTimeKeyMsMax + 1),
                        range_gen<std::uint64_t>(0, kTimeKeyMsMax + 1));
}

TEST(TimeKey, BytesNeverChange) {
  EXPECT_EQ(encode("evt", 1469922850259, ulid()), "evt:1469922850259:01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(encode("", 7, ulid()), ":0000000000007:01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(bound("evt", 7), "evt:0000000000007");
  EXPECT_EQ(bound("evt", kTimeKeyMsMax), "evt:9999999999999");
  EXPECT_EQ(bound("evt", kTimeKeyMsMax + 1), "evt::");
}

TEST(TimeKey, APrefixThatWouldMixWithOthersIsRefused) {
  std::string out = "before";
  EXPECT_EQ(append_time_key(out, {"user:5", 1, ulid()}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(append_time_bound(out, ":0", 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(encode("app:user5:", 1, ulid()), "app:user5::0000000000001:01ARZ3NDEKTSV4RRFFQ69G5FAV");
}

TEST(TimeKey, AFourteenthDigitIsRefused) {
  std::string out;
  EXPECT_EQ(append_time_key(out, {"a", kTimeKeyMsMax + 1, ulid()}).code(), StatusCode::kInvalidArgument);
}

TEST(TimeKey, OtherBytesAreRefused) {
  EXPECT_FALSE(parse_time_key("").ok());
  EXPECT_FALSE(parse_time_key("a:0000000000001").ok());
  EXPECT_FALSE(parse_time_key("a:000000000001x:01ARZ3NDEKTSV4RRFFQ69G5FAV").ok());
  EXPECT_FALSE(parse_time_key("a:0000000000001-01ARZ3NDEKTSV4RRFFQ69G5FAV").ok());
  EXPECT_FALSE(parse_time_key("a-0000000000001:01ARZ3NDEKTSV4RRFFQ69G5FAV").ok());
  EXPECT_FALSE(parse_time_key("a:0000000000001:01arz3ndektsv4rrffq69g5fav").ok());
  EXPECT_FALSE(parse_time_key("a:0000000000001:8ZZZZZZZZZZZZZZZZZZZZZZZZZ").ok());
  EXPECT_FALSE(parse_time_key("a:1:0000000000001:01ARZ3NDEKTSV4RRFFQ69G5FAV").ok());
}

TEST(TimeKey, PartsComeBackAndOrderWithinAPrefixIsTimeThenUlid) {
  expect_property([] {
    const std::string prefix = *prefix_gen();
    const auto key = [] {
      Ulid made;
      made.bytes[0] = *range_gen<unsigned char>(0, 255);
      made.bytes[15] = *range_gen<unsigned char>(0, 255);
      return std::pair(*time_gen(), made);
    };
    const auto a = key();
    auto b = key();
    if (*rc::gen::arbitrary<bool>()) b.first = a.first;
    const std::string bytes = encode(prefix, a.first, a.second);
    const Result<TimeKey> parsed = parse_time_key(bytes);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(std::tuple(parsed->prefix, parsed->time_ms, parsed->ulid) ==
              std::tuple(Slice(prefix), a.first, a.second));
    RC_ASSERT((bytes < encode(prefix, b.first, b.second)) == (a < b));
  });
}

TEST(TimeKey, ARangeHoldsExactlyTheTimesOfItsOwnPrefix) {
  expect_property([] {
    const std::string prefix = *prefix_gen();
    const std::string other = *rc::gen::oneOf(rc::gen::just(prefix), prefix_gen());
    const std::uint64_t time = *time_gen();
    const auto edge = rc::gen::oneOf(time_gen(), rc::gen::just(time), rc::gen::just(time + 1),
                                     rc::gen::just<std::uint64_t>(UINT64_MAX));
    const std::uint64_t from = *edge, to = *edge;
    const std::string key = encode(other, time, ulid());
    const bool wanted = other == prefix && from <= time && time < to;
    RC_ASSERT((key >= bound(prefix, from) && key < bound(prefix, to)) == wanted);
  });
}

TEST(TimeKey, NoKeyBeginsAnother) {
  expect_property([] {
    const std::string a = encode(*prefix_gen(), *time_gen(), ulid());
    const std::string tail = *rc::gen::oneOf(prefix_gen(), rc::gen::just(std::string()));
    std::string b;
    // A key whose prefix is another key is refused; any other does not begin with it.
    if (!append_time_key(b, {a + tail, 1, ulid()}).ok()) return;
    RC_FAIL("a prefix that holds a whole key was taken");
  });
  expect_property([] {
    const std::string a = encode(*prefix_gen(), *time_gen(), ulid()), b = encode(*prefix_gen(), *time_gen(), ulid());
    RC_ASSERT(a == b || !a.starts_with(b));
  });
}

}  // namespace
}  // namespace firn::codec
