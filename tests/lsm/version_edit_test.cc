#include "lsm/version_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "codec/varint.h"

namespace firn::lsm {

namespace {

using ::testing::HasSubstr;

VersionEdit full_edit() {
  VersionEdit edit;
  edit.next_file_id = 300;
  edit.next_family_id = 3;
  edit.last_sequence = 123456789;
  edit.log_segments_removed = {5, 6};
  edit.log_segments_added = {9};
  edit.log_durable = {9, 4200};
  FamilyOptions options;
  options.filter_bits_per_key = 16;
  options.separate_value_bytes = 500;
  options.value_garbage_percent = 45;
  options.compression = LevelCompression{Compression::kNone, Compression::kLz4, Compression::kZstd};
  edit.families_created = {{1, "users", options}, {2, std::string("\0\xFF", 2), {}}};
  edit.tables_removed = {{1, 6, 7}};
  TableMeta meta{8, 1 << 20, 0xD16E57, 1000, 10, 16000, 100000, "a", std::string("z\0", 2), 17, 999, {}};
  edit.values_added = {{1, {12, 70'000, 0xF17E, 4, 69'000}}};
  TableMeta referring = meta;
  referring.values = {{12, 4, 69'000}, {13, 1, 5000}};
  edit.tables_added = {{1, 6, referring}, {0, 0, meta}};
  edit.flushed = {{0, 999}};
  edit.families_dropped = {2};
  edit.clean_close = CleanClose{{{9, 4096, 0xABCD}, {10, 0, 0}}, 1000};
  return edit;
}

TEST(VersionEdit, SurvivesTheRoundTrip) {
  const std::string bytes = encode_version_edit(full_edit());
  const Result<VersionEdit> decoded = decode_version_edit(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(encode_version_edit(*decoded), bytes);
  EXPECT_EQ(decoded->next_file_id, 300U);
  EXPECT_EQ(decoded->next_family_id, 3U);
  EXPECT_EQ(decoded->last_sequence, 123456789U);
  EXPECT_EQ(decoded->log_segments_removed, (std::vector<std::uint64_t>{5, 6}));
  EXPECT_EQ(decoded->log_segments_added, (std::vector<std::uint64_t>{9}));
  EXPECT_EQ(decoded->log_durable, full_edit().log_durable);
  ASSERT_EQ(decoded->families_created.size(), 2U);
  EXPECT_EQ(decoded->families_created[0].options.filter_bits_per_key, 16U);
  EXPECT_EQ(decoded->families_created[0].options.compression, full_edit().families_created[0].options.compression);
  EXPECT_EQ(decoded->families_created[0].options.separate_value_bytes, 500U);
  EXPECT_EQ(decoded->families_created[0].options.value_garbage_percent, 45U);
  EXPECT_EQ(decoded->families_created[1].options.separate_value_bytes, FamilyOptions().separate_value_bytes);
  ASSERT_EQ(decoded->values_added.size(), 1U);
  EXPECT_EQ(decoded->values_added[0].meta, full_edit().values_added[0].meta);
  EXPECT_EQ(decoded->families_created[1].name, std::string("\0\xFF", 2));
  EXPECT_FALSE(decoded->families_created[1].options.compression.has_value());
  ASSERT_EQ(decoded->tables_added.size(), 2U);
  EXPECT_EQ(decoded->tables_added[0].meta, full_edit().tables_added[0].meta);
  EXPECT_EQ(decoded->tables_added[1].meta, full_edit().tables_added[1].meta);
  EXPECT_EQ(decoded->tables_added[0].level, 6U);
  EXPECT_EQ(decoded->tables_removed[0].id, 7U);
  EXPECT_EQ(decoded->flushed[0].sequence, 999U);
  EXPECT_EQ(decoded->families_dropped, std::vector<std::uint32_t>{2});
  EXPECT_EQ(decoded->clean_close, full_edit().clean_close);
}

TEST(VersionEdit, EmptyIsNoBytes) {
  EXPECT_EQ(encode_version_edit({}), "");
  EXPECT_TRUE(decode_version_edit("").ok());
}

TEST(VersionEdit, UnknownFieldIsANewerFormat) {
  std::string bytes = encode_version_edit(full_edit());
  append_varint(bytes, 99);
  append_varint(bytes, 0);
  const Status status = decode_version_edit(bytes).status();
  EXPECT_EQ(status.code(), StatusCode::kNewerFormat);
  EXPECT_THAT(std::string(status.message()), HasSubstr("field 99 is unknown to manifest format version 1"));
}

TEST(VersionEdit, UnknownCodecIsANewerFormat) {
  VersionEdit edit;
  edit.families_created = {{1, "x", {}}};
  edit.families_created[0].options.compression.emplace().fill(static_cast<Compression>(9));
  EXPECT_EQ(decode_version_edit(encode_version_edit(edit)).status().code(), StatusCode::kNewerFormat);
}

TEST(VersionEdit, TruncatedAnywhereIsMalformedOrShorter) {
  const std::string bytes = encode_version_edit(full_edit());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Result<VersionEdit> decoded = decode_version_edit(Slice(bytes).substr(0, size));
    if (decoded.ok()) {
      EXPECT_EQ(encode_version_edit(*decoded), bytes.substr(0, size));
    } else {
      EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument) << size;
    }
  }
}

TEST(VersionEdit, NonsenseIsMalformed) {
  const TableMeta sound{8, 1, 1, 10, 5, 1, 1, "a", "b", 1, 2, {}};
  const auto expect_malformed = [](const VersionEdit& edit) {
    EXPECT_EQ(decode_version_edit(encode_version_edit(edit)).status().code(), StatusCode::kInvalidArgument);
  };
  const auto with_table = [&](auto change) {
    AddedTable table{0, 0, sound};
    change(table);
    VersionEdit edit;
    edit.tables_added = {table};
    return edit;
  };
  EXPECT_TRUE(decode_version_edit(encode_version_edit(with_table([](AddedTable&) {}))).ok());
  expect_malformed(with_table([](AddedTable& table) { table.level = kLevelCount; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.id = 0; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.values = {{9, 0, 1}}; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.values = {{9, 1, 1}, {9, 1, 1}}; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.tombstones = 11; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.smallest_key = "c"; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.smallest_sequence = 3; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.largest_sequence = kSequenceMax + 1; }));
  expect_malformed(with_table([](AddedTable& table) { table.meta.largest_key = std::string(kKeyBytesMax + 1, 'x'); }));
}

TEST(VersionEdit, SingleFieldTwiceIsMalformed) {
  VersionEdit edit;
  edit.next_file_id = 5;
  const std::string once = encode_version_edit(edit);
  EXPECT_EQ(decode_version_edit(once + once).status().code(), StatusCode::kInvalidArgument);
}

RC_GTEST_PROP(VersionEdit, AnyBytesAreSafe, (const std::string& bytes)) {
  const Result<VersionEdit> decoded = decode_version_edit(bytes);
  RC_ASSERT(decoded.ok() || decoded.status().code() == StatusCode::kInvalidArgument ||
            decoded.status().code() == StatusCode::kNewerFormat);
}

RC_GTEST_PROP(VersionEdit, SoundBytesWithHarmAreSafe, ()) {
  std::string bytes = encode_version_edit(full_edit());
  const auto harms = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
      rc::gen::pair(rc::gen::inRange<std::size_t>(0, bytes.size()), rc::gen::arbitrary<char>()));
  for (const auto& [at, byte] : harms) bytes[at] = byte;
  const Result<VersionEdit> decoded = decode_version_edit(bytes);
  // What is accepted says what it means: it survives another trip.
  if (decoded.ok()) {
    const std::string again = encode_version_edit(*decoded);
    RC_ASSERT(encode_version_edit(*decode_version_edit(again)) == again);
  }
}

}  // namespace

}  // namespace firn::lsm
