#include "firn/codec/tuple.h"

#include <algorithm>
#include <limits>

#include "firn/codec/key_bytes.h"
#include "tests/codec/hex.h"
#include "tests/codec/keys/tuple_values.h"

namespace firn::codec {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

template <class... Parts>
std::string key(const Parts&... parts) {
  std::string out;
  const Status status = append_tuple(out, parts...);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return out;
}

// The message with which the reader refuses `bytes`; empty if it takes them.
std::string refusal(Slice bytes) {
  Status status;
  decode(TupleReader(bytes), status);
  return std::string(status.message());
}

TEST(Tuple, BytesNeverChange) {
  EXPECT_EQ(to_hex(key()), "00");
  EXPECT_EQ(to_hex(key(nullptr)), "0200");
  EXPECT_EQ(to_hex(key(0)), "1a0100");
  EXPECT_EQ(to_hex(key(5)), "1b050100");
  EXPECT_EQ(to_hex(key(-5)), "18fafd00");
  EXPECT_EQ(to_hex(key(256)), "1c01000100");
  EXPECT_EQ(to_hex(key(kMax)), "227fffffffffffffff0100");
  EXPECT_EQ(to_hex(key(kMin)), "117ffffffffffffffffd00");
  EXPECT_EQ(to_hex(key(5.0)), "1b050200");
  EXPECT_EQ(to_hex(key(5.5)), "1b05033fe000000000000000");
  EXPECT_EQ(to_hex(key(-5.5)), "18fafcc01fffffffffffff00");
  EXPECT_EQ(to_hex(key(0.0)), "1a0200");
  EXPECT_EQ(to_hex(key(-0.0)), "19fe00");
  EXPECT_EQ(to_hex(key(kInfinity)), "237ff000000000000000");
  EXPECT_EQ(to_hex(key(-kInfinity)), "10800fffffffffffff00");
  EXPECT_EQ(to_hex(key("ab")), "3061620000");
  EXPECT_EQ(to_hex(key(Slice("\0\1\2", 3))),
            "30010101020200"
            "00");
  EXPECT_EQ(to_hex(key(Keyword{"ns", "n"})), "386e73006e0000");
  EXPECT_EQ(to_hex(key(Instant{0})), "40800000000000000000");
  EXPECT_EQ(to_hex(key(Instant{-1})), "407fffffffffffffff00");
  EXPECT_EQ(to_hex(key(descending(5))), "e4fafe00");
  EXPECT_EQ(to_hex(key(descending("ab"))), "cf9e9dff00");
  std::string nested;
  EXPECT_TRUE(TupleWriter(nested).begin_vector().add(1).add(descending(2)).end_vector().finish().ok());
  EXPECT_EQ(to_hex(nested), "481b0101e4fdfe0000");
}

TEST(Tuple, TheExampleOfTheDocumentation) {
  EXPECT_EQ(key("user", 42, -0.5, descending(Instant{1427162400000}), Keyword{"order", "placed"}),
            from_hex("30 75 73 65 72 00"
                     "1b 2a 01"
                     "19 fc c0 1f ff ff ff ff ff ff"
                     "bf 7f ff fe b3 b6 7d fa ff"
                     "38 6f 72 64 65 72 00 70 6c 61 63 65 64 00"
                     "00"));
}

TEST(Tuple, TheOrderIsTheStatedOne) {
  std::vector<std::string> keys = {
      key(),
      key(nullptr),
      key(nullptr, 1),
      key(-kInfinity),
      key(-1e300),
      key(-0x1p64),
      key(kMin),
      key(-0x1p63),  // The same value as a double.
      key(kMin + 1),
      key(-9007199254740993),  // 2^53 + 1: no double.
      key(-9007199254740992.0),
      key(-9007199254740991),
      key(-1.5),
      key(-1),
      key(-1.0),
      key(-0.5),
      key(-5e-324),
      key(-0.0),
      key(0),
      key(0.0),
      key(5e-324),
      key(0.5),
      key(1),
      key(1.0),
      key(1.5),
      key(9007199254740992),
      key(9007199254740992.0),
      key(9007199254740993),
      key(9007199254740994.0),
      key(kMax),
      key(0x1p63),
      key(0x1p64),
      key(kInfinity),
      key(""),
      key(Slice("\0", 1)),
      key(Slice("\0\0", 2)),
      key("\x01"),
      key("\x02"),
      key("a"),
      key("a", 0),
      key(Slice("a\0", 2)),
      key("a\x01"),
      key("ab"),
      key("\xC3\xA9"),
      key("\xFF"),
      key(Keyword{"", "z"}),
      key(Keyword{"a", "b"}),
      key(Keyword{"ab", "a"}),
      key(Instant{kMin}),
      key(Instant{-1}),
      key(Instant{0}),
      key(Instant{kMax}),
  };
  std::string empty_vector, vector_of_nil;
  EXPECT_TRUE(TupleWriter(empty_vector).begin_vector().end_vector().finish().ok());
  EXPECT_TRUE(TupleWriter(vector_of_nil).begin_vector().add(nullptr).end_vector().finish().ok());
  keys.push_back(empty_vector);
  keys.push_back(vector_of_nil);
  keys.push_back(key(descending("b")));
  keys.push_back(key(descending("a")));
  keys.push_back(key(descending(2)));
  keys.push_back(key(descending(1.0)));
  keys.push_back(key(descending(1)));
  keys.push_back(key(descending(nullptr)));
  for (std::size_t i = 1; i < keys.size(); ++i) EXPECT_LT(keys[i - 1], keys[i]) << to_hex(keys[i - 1]);
}

TEST(Tuple, NanIsRefusedAndNothingIsAppended) {
  std::string out = "before";
  const Status status = append_tuple(out, "a", std::numeric_limits<double>::quiet_NaN(), 7);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(out, "before");
}

TEST(Tuple, AnIntegerBeyond64SignedBitsIsRefused) {
  std::string out;
  EXPECT_EQ(append_tuple(out, std::uint64_t{1} << 63).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(append_tuple(out, (std::uint64_t{1} << 63) - 1).ok());
}

TEST(Tuple, UnbalancedTooDeepAndTooLongAreRefused) {
  std::string out;
  EXPECT_FALSE(TupleWriter(out).begin_vector().finish().ok());
  EXPECT_FALSE(TupleWriter(out).end_vector().finish().ok());
  EXPECT_FALSE(append_tuple(out, std::string(kKeyBytesMax - 2, 'x')).ok());
  EXPECT_EQ(out, "");
  for (const std::size_t depth : {kTupleDepthMax, kTupleDepthMax + 1}) {
    out.clear();
    TupleWriter writer(out);
    for (std::size_t i = 0; i < depth; ++i) writer.begin_vector(i % 2 == 0 ? Direction::kDescending : Direction{});
    writer.add(7);
    for (std::size_t i = 0; i < depth; ++i) writer.end_vector();
    EXPECT_EQ(writer.finish().ok(), depth == kTupleDepthMax);
    EXPECT_EQ(refusal(out).empty(), depth == kTupleDepthMax);
  }
  EXPECT_TRUE(append_tuple(out, std::string(kKeyBytesMax - 3, 'x')).ok());
  EXPECT_EQ(out.size(), kKeyBytesMax);
  EXPECT_EQ(refusal(out), "");
}

TEST(Tuple, ATextIsBorrowedFromTheKeyWhereItLiesThereAsItIs) {
  const std::string bytes = key("plain", Slice("\0", 1), descending("down"));
  std::string scratch;
  TupleReader reader(bytes);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.part().text.view(scratch).data(), bytes.data() + 1);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.part().text.view(scratch), Slice("\0", 1));
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.part().text.view(scratch), "down");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.status().ok());
}

TEST(Tuple, BytesThatNoWriterMadeAreRefusedWithTheirPlace) {
  EXPECT_EQ(refusal(""), "not a tuple key: byte 0: the key does not end as a tuple does");
  EXPECT_EQ(refusal(from_hex("1b0501")), "not a tuple key: byte 3: the key does not end as a tuple does");
  EXPECT_EQ(refusal(from_hex("0000")), "not a tuple key: byte 0: bytes follow the end of the tuple");
  EXPECT_EQ(refusal(from_hex("0300")), "not a tuple key: byte 0: unknown type of part");
  EXPECT_EQ(refusal(from_hex("ff00")), "not a tuple key: byte 0: unknown type of part");
  EXPECT_NE(refusal(from_hex("1c00050100")), "");                // A leading zero byte.
  EXPECT_NE(refusal(from_hex("1b05")), "");                      // Cut within a number.
  EXPECT_NE(refusal(from_hex("1b050400")), "");                  // An unknown end of a number.
  EXPECT_NE(refusal(from_hex("22ffffffffffffffff0100")), "");    // An integer above 2^63 - 1.
  EXPECT_NE(refusal(from_hex("19fd00")), "");                    // Minus zero is no integer.
  EXPECT_NE(refusal(from_hex("22ffffffffffffffff0200")), "");    // 2^64 - 1 is no double.
  EXPECT_NE(refusal(from_hex("1b05033ff000000000000000")), "");  // A fraction of 1.
  EXPECT_NE(refusal(from_hex("1b0503000000000000000000")), "");  // A fraction of 0.
  EXPECT_NE(refusal(from_hex("1b0503000000000000000100")), "");  // 5 + 5e-324 is no double.
  EXPECT_NE(refusal(from_hex("237ff800000000000000")), "");      // NaN.
  EXPECT_NE(refusal(from_hex("233ff000000000000000")), "");      // 1.0 is not huge.
  EXPECT_NE(refusal(from_hex("306100")), "");                    // The key ends after the text.
  EXPECT_NE(refusal(from_hex("3061")), "");                      // The text does not end.
  EXPECT_NE(refusal(from_hex("3001030000")), "");                // An unknown escape.
  EXPECT_NE(refusal(from_hex("30010000")), "");                  // An escape of nothing.
  EXPECT_NE(refusal(from_hex("40800000")), "");                  // Cut within an instant.
  EXPECT_NE(refusal(from_hex("481b0101")), "");                  // The vector does not end.
}

TEST(Tuple, ValuesAndTypesComeBack) {
  expect_property([] {
    const Values values = *values_gen();
    Status status;
    RC_ASSERT(decode(TupleReader(encode(values)), status) == values);
    RC_ASSERT(status.ok());
  });
}

TEST(Tuple, TheOrderOfBytesIsTheOrderOfValues) {
  expect_property([] {
    const Values a = *values_gen();
    const Values b = *rc::gen::oneOf(values_gen(), near_gen(a));
    const int order = compare(a, b);
    const int byte_order = encode(a).compare(encode(b));
    RC_ASSERT((order < 0) == (byte_order < 0));
    RC_ASSERT((order > 0) == (byte_order > 0));
  });
}

TEST(Tuple, NumbersOrderAsValues) {
  expect_property([] {
    const auto number = [] {
      Value value;
      if (*rc::gen::arbitrary<bool>()) {
        value.kind = TupleKind::kInteger;
        value.integer = *integer_gen();
      } else {
        value.kind = TupleKind::kDouble;
        value.number = *double_gen();
      }
      return value;
    };
    const Value a = number();
    Value b = number();
    if (*rc::gen::arbitrary<bool>()) {  // The same value as the other type, as near as it goes.
      if (a.kind == TupleKind::kInteger) {
        b.kind = TupleKind::kDouble;
        b.number = static_cast<double>(a.integer);
      } else if (std::fabs(a.number) < 0x1p63) {
        b.kind = TupleKind::kInteger;
        b.integer = static_cast<std::int64_t>(a.number);
      }
    }
    const int order = compare(a, b);
    const int byte_order = encode({a}).compare(encode({b}));
    RC_ASSERT((order < 0) == (byte_order < 0));
    RC_ASSERT((order > 0) == (byte_order > 0));
  });
}

TEST(Tuple, SortedListsOfKeysAreSortedListsOfValues) {
  expect_property([] {
    auto lists = *list_gen<std::vector<Values>>(12, values_gen());
    std::vector<std::string> keys;
    for (const Values& values : lists) keys.push_back(encode(values));
    std::sort(keys.begin(), keys.end());
    std::sort(lists.begin(), lists.end(), [](const Values& a, const Values& b) { return compare(a, b) < 0; });
    for (std::size_t i = 0; i < lists.size(); ++i) RC_ASSERT(keys[i] == encode(lists[i]));
  });
}

TEST(Tuple, NoKeyBeginsAnother) {
  expect_property([] {
    const Values a = *values_gen();
    const Values b = *rc::gen::oneOf(values_gen(), near_gen(a));
    const std::string left = encode(a), right = encode(b);
    RC_ASSERT(left == right || (!left.starts_with(right) && !right.starts_with(left)));
  });
}

TEST(Tuple, APrefixBeginsAndBoundsExactlyTheKeysWithTheseFirstParts) {
  expect_property([] {
    const Values a = *values_gen();
    const Values first = *near_gen(a);
    const std::string bytes = encode(a), prefix = encode_prefix(first);
    const bool begins = first.size() <= a.size() && std::equal(first.begin(), first.end(), a.begin());
    RC_ASSERT(bytes.starts_with(prefix) == begins);
    std::string end;
    const bool bounded = append_prefix_end(end, prefix);
    RC_ASSERT(bounded == !first.empty());
    RC_ASSERT(begins == (bytes >= prefix && (!bounded || bytes < end)));
  });
}

TEST(Tuple, ReaderTakesOnlyWhatTheWriterMakes) {
  expect_property([] {
    std::string bytes = encode(*values_gen());
    const auto changes = *list_gen<std::vector<std::pair<std::size_t, char>>>(
        3, rc::gen::pair(range_gen<std::size_t>(0, 1000), range_gen<char>('\x80', '\x7F')));
    for (const auto& [at, to] : changes) bytes[at % bytes.size()] = to;
    Status status;
    const Values values = decode(TupleReader(bytes), status);
    if (status.ok()) RC_ASSERT(encode(values) == bytes);
  });
}

}  // namespace
}  // namespace firn::codec
