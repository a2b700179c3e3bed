#include "firn/codec/entity_key.h"

#include <tuple>

#include "tests/codec/hex.h"
#include "tests/codec/property.h"

namespace firn::codec {
namespace {

std::string encode(std::uint64_t id, EntityTag tag, Slice suffix) {
  std::string out;
  append_entity_key(out, {id, tag, suffix});
  return out;
}

rc::Gen<EntityTag> tag_gen() {
  return rc::gen::map(range_gen(1, 256), [](int tag) { return static_cast<EntityTag>(tag); });
}

TEST(EntityKey, BytesNeverChange) {
  EXPECT_EQ(to_hex(encode(42, EntityTag::kRel, "x")), "000000000000002a000478");
  EXPECT_EQ(to_hex(encode(UINT64_MAX, EntityTag::kEvt, "")), "ffffffffffffffff0001");
  EXPECT_EQ(to_hex(encode(1, EntityTag::kSig, "")), "00000000000000010002");
  EXPECT_EQ(to_hex(encode(1, EntityTag::kMeta, "")), "00000000000000010003");
  EXPECT_EQ(to_hex(encode(1, EntityTag::kMv, "")), "00000000000000010005");
  EXPECT_EQ(to_hex(encode(1, EntityTag::kIdx, "")), "00000000000000010006");
  EXPECT_EQ(to_hex(encode(1, static_cast<EntityTag>(kEntityUserTagMin), "")), "00000000000000010040");
  EXPECT_EQ(to_hex(entity_prefix(258)), "000000000000010200");
  EXPECT_EQ(to_hex(entity_tag_prefix(258, EntityTag::kIdx)), "00000000000001020006");
}

TEST(EntityKey, OtherBytesAreRefused) {
  EXPECT_EQ(parse_entity_key("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(parse_entity_key(from_hex("000000000000000100")).status().message(),
            "not an entity key: shorter than 10 bytes");
  EXPECT_EQ(parse_entity_key(from_hex("00000000000000010101")).status().message(),
            "not an entity key: byte 8 is not zero");
  EXPECT_EQ(parse_entity_key(from_hex("00000000000000010000")).status().message(),
            "not an entity key: byte 9 is no tag");
}

TEST(EntityKey, PartsComeBack) {
  expect_property([] {
    const auto id = *bits_gen();
    const auto tag = *tag_gen();
    const auto suffix = *bytes_gen();
    const std::string key = encode(id, tag, suffix);
    const Result<EntityKey> parsed = parse_entity_key(key);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(std::tuple(parsed->id, parsed->tag, parsed->suffix) == std::tuple(id, tag, Slice(suffix)));
    RC_ASSERT(parsed->suffix.data() == key.data() + kEntityTagPrefixBytes);
  });
}

TEST(EntityKey, ByteOrderIsIdThenTagThenSuffix) {
  expect_property([] {
    const auto entity = [] { return std::tuple(*bits_gen(), *tag_gen(), *bytes_gen()); };
    const auto a = entity();
    auto b = entity();
    if (*rc::gen::arbitrary<bool>()) std::get<0>(b) = std::get<0>(a);
    if (*rc::gen::arbitrary<bool>()) std::get<1>(b) = std::get<1>(a);
    const auto key = [](const auto& e) { return encode(std::get<0>(e), std::get<1>(e), std::get<2>(e)); };
    RC_ASSERT((key(a) < key(b)) == (a < b));
    // Across ids and tags, no key begins another.
    const bool same = std::get<0>(a) == std::get<0>(b) && std::get<1>(a) == std::get<1>(b);
    RC_ASSERT(same || !key(a).starts_with(key(b)));
  });
}

TEST(EntityKey, PrefixesBeginExactlyTheirKeys) {
  expect_property([] {
    const auto id = *bits_gen();
    const auto tag = *tag_gen();
    const auto other_id = *rc::gen::oneOf(rc::gen::just(id), bits_gen());
    const auto other_tag = *rc::gen::oneOf(rc::gen::just(tag), tag_gen());
    const std::string key = encode(id, tag, *bytes_gen());
    RC_ASSERT(key.starts_with(entity_prefix(other_id)) == (id == other_id));
    RC_ASSERT(key.starts_with(entity_tag_prefix(other_id, other_tag)) == (id == other_id && tag == other_tag));
  });
}

TEST(EntityKey, WhatParsesIsWhatIsWritten) {
  expect_property([] {
    const std::string bytes = *rc::gen::oneOf(bytes_gen(), list_gen<std::string>(14, rc::gen::element('\0', '\1')));
    const Result<EntityKey> parsed = parse_entity_key(bytes);
    if (parsed.ok()) RC_ASSERT(encode(parsed->id, parsed->tag, parsed->suffix) == bytes);
  });
}

}  // namespace
}  // namespace firn::codec
