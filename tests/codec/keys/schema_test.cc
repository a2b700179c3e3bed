#include "firn/codec/schema.h"

#include "firn/codec/entity_key.h"
#include "firn/codec/key_bytes.h"
#include "firn/codec/series_key.h"
#include "firn/codec/time_key.h"
#include "tests/codec/keys/tuple_values.h"

namespace firn::codec {
namespace {

const KeySchema& schema(std::string_view name) {
  const KeySchema* found = find_key_schema(name);
  EXPECT_NE(found, nullptr);
  return *found;
}

std::string text_of(std::string_view name, Slice key) {
  std::string out;
  const Status status = schema(name).format_text(key, out);
  return status.ok() ? out : status.to_string();
}

std::string json_of(std::string_view name, Slice key) {
  std::string out;
  const Status status = schema(name).format_json(key, out);
  return status.ok() ? out : status.to_string();
}

// The key of `text`, or the message of the refusal.
std::string key_of(std::string_view name, std::string_view text) {
  std::string out;
  const Status status = schema(name).parse_key(text, out);
  return status.ok() ? out : std::string(status.message());
}

std::string prefix_of(std::string_view name, std::string_view text) {
  std::string out;
  const Status status = schema(name).parse_prefix(text, out);
  return status.ok() ? out : std::string(status.message());
}

template <class... Parts>
std::string tuple(const Parts&... parts) {
  std::string out;
  EXPECT_TRUE(append_tuple(out, parts...).ok());
  return out;
}

TEST(Schema, AreFoundByName) {
  std::string names;
  for (const KeySchema* each : key_schemas()) names.append(each->name()).append(" ");
  EXPECT_EQ(names, "tuple entity time series ");
  EXPECT_EQ(find_key_schema("nothing"), nullptr);
}

TEST(TupleSchema, ShowsEveryTypeAsTextAndAsJson) {
  const std::string key = tuple("us\"er\t\xC3\xA9\xFF", 42, -0.5, 5.0, nullptr, Keyword{"order", "placed"},
                                Keyword{"", "a b"}, Instant{1427162400000}, descending(7));
  EXPECT_EQ(text_of("tuple", key), R"(["us\"er\t)"
                                   "\xC3\xA9"
                                   R"(\xff" 42 -0.5 5.0 nil :order/placed :"a b" @2015-03-24T02:00:00.000Z ~7])");
  EXPECT_EQ(json_of("tuple", key),
            R"({"parts":[{"type":"string","value_hex":"75732265)"
            R"(7209c3a9ff"},{"type":"integer","value":42},{"type":"double","value":-0.5},)"
            R"({"type":"double","value":5.0},{"type":"nil"},)"
            R"({"type":"keyword","namespace":"order","name":"placed"},)"
            R"({"type":"keyword","namespace":"","name":"a b"},)"
            R"({"type":"instant","ms":1427162400000},{"type":"integer","value":7,"descending":true}]})");
}

TEST(TupleSchema, ShowsExtremesExactly) {
  const std::string key = tuple(-0.0, HUGE_VAL, -HUGE_VAL, 1e300, 5e-324, INT64_MIN, INT64_MAX, Instant{INT64_MIN},
                                Instant{-62167219200000}, Instant{253402300799999}, Instant{253402300800000});
  EXPECT_EQ(text_of("tuple", key),
            "[-0.0 Infinity -Infinity 1e+300 5e-324 -9223372036854775808 9223372036854775807 "
            "@-9223372036854775808 @0000-01-01T00:00:00.000Z @9999-12-31T23:59:59.999Z @253402300800000]");
  EXPECT_EQ(json_of("tuple", tuple(HUGE_VAL, (std::int64_t{1} << 53) - 1, std::int64_t{1} << 53, "a\"\n")),
            R"({"parts":[{"type":"double","value":"Infinity"},{"type":"integer","value":9007199254740991},)"
            R"({"type":"integer","value":"9007199254740992"},{"type":"string","value":"a\"\u000a"}]})");
}

TEST(TupleSchema, ReadsWhatPeopleWrite) {
  EXPECT_EQ(key_of("tuple", R"(  [ "a"  1 1.50 [nil [:k]]  ~"z" @2015-03-24 @2015-03-24T02:00Z @-5 ] )"),
            key_of("tuple", R"(["a" 1 1.5 [nil [:k]] ~"z" @1427155200000 @1427162400000 @-5])"));
  EXPECT_EQ(key_of("tuple", R"(["A\\"])"), tuple("A\\"));
  EXPECT_EQ(key_of("tuple", R"(["\x41\x00"])"), tuple(Slice("A\0", 2)));
  EXPECT_EQ(key_of("tuple", R"([:"a/b"/"" -0 -0.0 1e2])"), tuple(Keyword{"a/b", ""}, 0, -0.0, 100.0));
  EXPECT_EQ(key_of("tuple", "[]"), tuple());
}

TEST(TupleSchema, RefusesOtherTextWithThePlace) {
  EXPECT_EQ(key_of("tuple", ""), "tuple key: character 1: a tuple begins with [");
  EXPECT_EQ(key_of("tuple", "[1 2 "), "tuple key: character 6: a ] is missing");
  EXPECT_EQ(key_of("tuple", "[1] 2"), "tuple key: character 5: the tuple ended before this");
  EXPECT_EQ(key_of("tuple", R"(["a)"), "tuple key: character 4: a \" is missing");
  EXPECT_EQ(key_of("tuple", R"(["\q"])"),
            R"(tuple key: character 4: unknown escape: there are \t, \n, \r, \xNN, and \ before punctuation)");
  EXPECT_EQ(key_of("tuple", R"(["\x4"])"), R"(tuple key: character 5: \x takes two hexadecimal digits)");
  EXPECT_EQ(key_of("tuple", "[foo]"), "tuple key: character 2: a value is expected");
  EXPECT_EQ(key_of("tuple", "[1-2]"), "tuple key: character 2: this is no number");
  EXPECT_EQ(key_of("tuple", "[9223372036854775808]"),
            "tuple key: character 2: the number does not fit in 64 bits, signed");
  EXPECT_EQ(key_of("tuple", "[1e999]"), "tuple key: character 2: the number is beyond the range of a double");
  EXPECT_EQ(key_of("tuple", "[1\"a\"]"), "tuple key: character 3: a blank or ] is expected");
  EXPECT_EQ(key_of("tuple", "[@2015-02-30]"), "tuple key: character 3: there is no such day");
  EXPECT_EQ(key_of("tuple", "[@2015-02-20T25:00]"), "tuple key: character 3: there is no such time of day");
  EXPECT_EQ(key_of("tuple", "[@2015-2-20]"), "tuple key: character 9: a date is written 2015-03-24T02:00:00.000Z");
  EXPECT_EQ(key_of("tuple", "[:]"),
            "tuple key: character 3: a keyword is written :name, :namespace/name, or with parts in quotes");
  EXPECT_EQ(key_of("tuple", std::string(40, '[')), "tuple key: character 34: vectors are nested deeper than 32");
  EXPECT_EQ(key_of("tuple", "[\"" + std::string(70000, 'x') + "\"]"), "tuple: the key is longer than 65535 bytes");
}

TEST(TupleSchema, SaysWhereAKeyDoesNotFit) {
  EXPECT_EQ(text_of("tuple", "user:1"), "invalid argument: not a tuple key: byte 0: unknown type of part");
  EXPECT_EQ(json_of("tuple", "\x02"),
            "invalid argument: not a tuple key: byte 1: the key does not end as a tuple does");
}

TEST(TupleSchema, TextComesBackAsTheSameKey) {
  expect_property([] {
    const Values values = *values_gen();
    const std::string key = encode(values);
    const std::string text = text_of("tuple", key);
    RC_ASSERT(key_of("tuple", text) == key);
    RC_ASSERT(prefix_of("tuple", text) == encode_prefix(values));
    for (const char c : text) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    for (const char c : json_of("tuple", key)) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
  });
}

TEST(EntitySchema, ShowsAndReads) {
  std::string key;
  append_entity_key(key, {42, EntityTag::kRel, "a\\/\t\xFF"});
  EXPECT_EQ(text_of("entity", key), R"(42/Rel/a\\/\t\xff)");
  EXPECT_EQ(json_of("entity", key), R"({"id":42,"tag":"Rel","suffix_hex":"615c2f09ff"})");
  EXPECT_EQ(key_of("entity", R"(42/Rel/a\\/\t\xff)"), key);
  EXPECT_EQ(prefix_of("entity", "42"), entity_prefix(42).slice());
  EXPECT_EQ(prefix_of("entity", "42/200"), entity_tag_prefix(42, static_cast<EntityTag>(200)).slice());
  EXPECT_EQ(prefix_of("entity", "42/Meta/"), entity_tag_prefix(42, EntityTag::kMeta).slice());
  EXPECT_EQ(prefix_of("entity", R"(42/Rel/a\\/\t\xff)"), key);
}

TEST(EntitySchema, RefusesOtherTextWithThePlace) {
  EXPECT_EQ(key_of("entity", "x"), "entity key: character 1: a number is expected");
  EXPECT_EQ(key_of("entity", "18446744073709551616/Evt/"),
            "entity key: character 1: the number does not fit in 64 bits");
  EXPECT_EQ(key_of("entity", "42"), "entity key: character 3: the id is followed by / and a tag");
  EXPECT_EQ(key_of("entity", "42/Evt"), "entity key: character 7: the tag is followed by / and the suffix");
  EXPECT_EQ(key_of("entity", "42/Evto/"), "entity key: character 7: the tag is followed by / and the suffix");
  EXPECT_EQ(key_of("entity", "42/0/"), "entity key: character 4: a tag is Evt, Sig, Meta, Rel, Mv, Idx or 1 to 255");
}

TEST(EntitySchema, TextComesBackAsTheSameKey) {
  expect_property([] {
    std::string key;
    append_entity_key(key, {*bits_gen(), static_cast<EntityTag>(*range_gen(1, 256)), *bytes_gen()});
    RC_ASSERT(key_of("entity", text_of("entity", key)) == key);
    RC_ASSERT(prefix_of("entity", text_of("entity", key)) == key);
  });
}

TEST(TimeSchema, ShowsAndReads) {
  const std::string key = "my app:1427162400000:01ARZ3NDEKTSV4RRFFQ69G5FAV";
  EXPECT_EQ(text_of("time", key), R"(my\ app @2015-03-24T02:00:00.000Z 01ARZ3NDEKTSV4RRFFQ69G5FAV)");
  EXPECT_EQ(json_of("time", key), R"({"prefix":"my app","time_ms":1427162400000,"ulid":"01ARZ3NDEKTSV4RRFFQ69G5FAV"})");
  EXPECT_EQ(key_of("time", R"(my\x20app @1427162400000 01arz3ndektsv4rrffq69g5fav)"), key);
  EXPECT_EQ(prefix_of("time", R"(my\ app)"), "my app:");
  EXPECT_EQ(prefix_of("time", R"(my\ app @2015-03-24T02)"),
            "time key: character 23: a date is written 2015-03-24T02:00:00.000Z");
  EXPECT_EQ(prefix_of("time", R"(my\ app @2015-03-24T02:00)"), "my app:1427162400000");
  EXPECT_EQ(prefix_of("time", text_of("time", key)), key);
}

TEST(TimeSchema, RefusesOtherText) {
  EXPECT_EQ(key_of("time", "evt"), "time key: character 4: an instant begins with @");
  EXPECT_EQ(key_of("time", "evt @-1 01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            "time key: character 9: a time key has no time before 1970");
  EXPECT_EQ(key_of("time", "evt @1 01ARZ3"), "not a ULID: not 26 characters");
  EXPECT_EQ(prefix_of("time", "a:1"), "time key: in a prefix no ':' may be followed by a digit");
}

TEST(TimeSchema, TextComesBackAsTheSameKey) {
  expect_property([] {
    std::string key;
    const std::string prefix = *rc::gen::suchThat(bytes_gen(), [](const std::string& bytes) {
      std::string out;
      return append_time_bound(out, bytes, 0).ok();
    });
    Ulid ulid;
    for (unsigned char& byte : ulid.bytes) byte = *range_gen<unsigned char>(0, 255);
    const auto ms = *range_gen<std::uint64_t>(0, kTimeKeyMsMax + 1);
    RC_ASSERT(append_time_key(key, {prefix, ms, ulid}).ok());
    RC_ASSERT(key_of("time", text_of("time", key)) == key);
    RC_ASSERT(prefix_of("time", text_of("time", key)) == key);
  });
}

TEST(SeriesSchema, ShowsAndReads) {
  const std::string key(encode_series_key({7, 1427162400000}).slice());
  EXPECT_EQ(text_of("series", key), "7 @2015-03-24T02:00:00.000Z");
  EXPECT_EQ(json_of("series", key), R"({"series":7,"time":1427162400000})");
  EXPECT_EQ(key_of("series", "7 @2015-03-24T02:00:00Z"), key);
  EXPECT_EQ(prefix_of("series", "7"), series_prefix(7).slice());
  EXPECT_EQ(prefix_of("series", "7 @2015-03-24T02:00"), key);
  EXPECT_EQ(key_of("series", "7"), "series key: character 2: an instant begins with @");
  EXPECT_EQ(key_of("series", "7 @1 x"), "series key: character 5: the key should end here");
  EXPECT_EQ(text_of("series", "short"), "invalid argument: not a series key: not 16 bytes long");
}

TEST(SeriesSchema, TextComesBackAsTheSameKey) {
  expect_property([] {
    const std::string key(encode_series_key({*bits_gen(), *integer_gen()}).slice());
    RC_ASSERT(key_of("series", text_of("series", key)) == key);
  });
}

TEST(Schema, AnyBytesAreShownOrRefused) {
  expect_property([] {
    const std::string bytes = *bytes_gen();
    for (const KeySchema* each : key_schemas()) {
      std::string out = "before";
      if (each->format_text(bytes, out).ok()) RC_ASSERT(key_of(each->name(), out.substr(6)) == bytes);
      out = "before";
      if (!each->format_json(bytes, out).ok()) RC_ASSERT(out == "before");
      out = "before";
      if (!each->parse_key(bytes, out).ok()) RC_ASSERT(out == "before");
      out = "before";
      if (!each->parse_prefix(bytes, out).ok()) RC_ASSERT(out == "before");
    }
  });
}

}  // namespace
}  // namespace firn::codec
