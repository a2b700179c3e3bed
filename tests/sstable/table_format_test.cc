#include "sstable/table_format.h"

#include <gtest/gtest.h>

#include <string>

#include "sstable/block_reader.h"
#include "tests/sstable/table_fixture.h"
#include "tests/wal/documented_hex.h"

namespace firn::sstable {
namespace {

using testing::Item;
using testing::TableFixture;

// The table that the document shows: two blocks.
std::vector<Item> example_items() {
  return {{"apple", "red", 12, EntryKind::kPut},
          {"apple", "green", 10, EntryKind::kPut},
          {"apricot", "", 11, EntryKind::kTombstone},
          {"banana", "yellow", 9, EntryKind::kPut}};
}
constexpr TableOptions kExampleOptions{.block_bytes = 96};

std::string example_table(TableMeta& meta) {
  TableFixture fixture;
  EXPECT_TRUE(fixture.build(example_items(), kExampleOptions).ok());
  meta = fixture.meta();
  return fixture.bytes();
}

std::string section_bytes(const std::string& table, SectionKind kind) {
  const auto footer = decode_footer(Slice(table).substr(table.size() - kFooterBytes), "t", table.size());
  EXPECT_TRUE(footer.ok());
  return table.substr(footer->section(kind).offset, footer->section(kind).length);
}

void expect_documented(const std::string& name, const std::string& bytes) {
  EXPECT_EQ(testing::as_documented(bytes), testing::as_documented(testing::documented_hex(name, bytes.size()))) << name;
}

TEST(TableFormat, ExampleIsTheDocumentedOne) {
  TableMeta meta;
  const std::string table = example_table(meta);
  expect_documented("table-blocks", section_bytes(table, SectionKind::kData));
  expect_documented("table-filter", section_bytes(table, SectionKind::kFilter));
  expect_documented("table-index", section_bytes(table, SectionKind::kIndex));
  expect_documented("table-properties", section_bytes(table, SectionKind::kProperties));
  expect_documented("table-footer", table.substr(table.size() - kFooterBytes));
}

// The other way round: a table put together from the document alone.
TEST(TableFormat, DocumentedExampleIsATable) {
  TableMeta meta;
  const std::string built = example_table(meta);
  std::string table;
  table += testing::documented_hex("table-blocks", section_bytes(built, SectionKind::kData).size());
  table += testing::documented_hex("table-filter", kSectionAlignment);
  table += testing::documented_hex("table-index", section_bytes(built, SectionKind::kIndex).size());
  table += testing::documented_hex("table-properties", section_bytes(built, SectionKind::kProperties).size());
  table += testing::documented_hex("table-footer", kFooterBytes);
  TableFixture fixture;
  fixture.set_bytes(table);
  auto opened = Table::open(fixture.files(), testing::kTablePath, meta, fixture.cache(), false);
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  EXPECT_TRUE((*opened)->verify({}).ok());
  TableCursor cursor(**opened);
  std::vector<Item> items;
  for (cursor.seek_to_first(); cursor.valid(); cursor.next()) items.push_back(testing::item_of(cursor.entry()));
  EXPECT_EQ(items, example_items());
}

std::string footer_page(std::uint32_t version) {
  Footer footer;
  footer.table_id = 7;
  footer.file_bytes = 2 * kFooterBytes;
  footer.section(SectionKind::kData).length = kFooterBytes;
  for (const SectionKind kind : {SectionKind::kFilter, SectionKind::kIndex, SectionKind::kProperties}) {
    footer.section(kind).offset = kFooterBytes;
  }
  std::string page(kFooterBytes, '?');
  encode_footer(footer, page.data());
  store(page.data() + kFooterVersionOffset, version);
  store(page.data() + kFooterChecksumOffset,
        table_checksum(7, kFooterBytes, Slice(page).substr(0, kFooterChecksumOffset)));
  return page;
}

TEST(TableFormat, NewerVersionsAreRefusedByName) {
  EXPECT_TRUE(decode_footer(footer_page(kTableVersion), "t", 2 * kFooterBytes).ok());
  const Status s = decode_footer(footer_page(kTableVersion + 1), "t", 2 * kFooterBytes).status();
  EXPECT_EQ(s.code(), StatusCode::kNewerFormat);
  EXPECT_NE(s.message().find("table format 3"), std::string_view::npos) << s.message();
  EXPECT_EQ(decode_footer(footer_page(0), "t", 2 * kFooterBytes).status().code(), StatusCode::kCorruption);
}

TEST(TableFormat, OtherFilesAreNoTables) {
  EXPECT_EQ(decode_footer(std::string(kFooterBytes, 'x'), "t", kFooterBytes).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(decode_footer(footer_page(1), "t", 3 * kFooterBytes).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(decode_footer("short", "t", 5).status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace firn::sstable
