// What damaged files do: right answers or typed errors, from any bytes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/key_head.h"
#include "sstable/index.h"
#include "sstable/table.h"
#include "sstable/table_format.h"
#include "tests/codec/property.h"
#include "tests/sstable/failing_mapping.h"
#include "tests/sstable/table_fixture.h"
#include "tests/support/cases.h"

namespace firn {
namespace {

using sstable::SectionKind;
using testing::Item;
using testing::item_of;
using testing::numbered_items;
using testing::TableFixture;

bool is_damage(const Status& s) { return s.code() == StatusCode::kCorruption || s.code() == StatusCode::kNewerFormat; }

// Reads everything in every way: each answer is the right one or a report of damage. Whether all were right.
bool read_all(const Table& table, const std::vector<Item>& items) {
  bool all_right = true;
  for (const Item& item : items) {
    bool found = false;
    Item answer;
    const Status s = testing::get(table, item.key, item.sequence, found, answer);
    if (!s.ok()) {
      EXPECT_TRUE(is_damage(s)) << s.to_string();
      EXPECT_EQ(s.file(), testing::kTablePath);
      EXPECT_TRUE(s.offset().has_value());
      all_right = false;
      continue;
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(answer, item);
  }
  for (const ScanKind kind : {ScanKind::kUser, ScanKind::kBackground}) {
    TableCursor cursor(table, kind);
    std::size_t i = 0;
    for (cursor.seek_to_first(); cursor.valid(); cursor.next(), ++i) EXPECT_EQ(item_of(cursor.entry()), items[i]);
    EXPECT_TRUE(cursor.status().ok() ? i == items.size() : is_damage(cursor.status()));
    all_right &= cursor.status().ok();
    i = items.size();
    for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) EXPECT_EQ(item_of(cursor.entry()), items[--i]);
    EXPECT_TRUE(cursor.status().ok() ? i == 0 : is_damage(cursor.status()));
  }
  return all_right;
}

std::vector<Item> small_items() {
  auto items = numbered_items(60, 12);
  items[30] = {items[30].key, "", 5, EntryKind::kTombstone};
  items.push_back({std::string("z\0z", 3), std::string(700, 'x'), 3, EntryKind::kPut});
  return items;
}

void expect_every_flip_noticed(const TableOptions& options, bool map) {
  const std::vector<Item> items = small_items();
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items, options).ok());
  auto file = fixture.files().open(testing::kTablePath, OpenMode::kReadWrite, FileKind::kTable);
  ASSERT_TRUE(file.ok());
  const std::string original = fixture.bytes();
  const auto put = [&](std::size_t at, char byte) {
    ASSERT_TRUE(write_all(**file, at, std::as_bytes(std::span(&byte, 1))).ok());
  };
  const std::uint64_t footer = original.size() - sstable::kFooterBytes;
  for (std::size_t at = 0; at < original.size(); ++at) {
    put(at, static_cast<char>(original[at] ^ (1 << at % 8)));
    auto table = fixture.open(map);
    if (table.ok()) {
      ASSERT_LT(at, footer);
      EXPECT_FALSE(read_all(**table, items)) << "flip at " << at;
      std::vector<TableDamage> damage;
      const Status s = (*table)->verify([&](const TableDamage& d) { damage.push_back(d); });
      EXPECT_TRUE(is_damage(s));
      ASSERT_EQ(damage.size(), 1U);
      EXPECT_LE(damage[0].offset, at);
      EXPECT_GT(damage[0].offset + damage[0].bytes, at);
    } else {
      EXPECT_TRUE(is_damage(table.status())) << table.status().to_string();
      EXPECT_EQ(table.status().file(), testing::kTablePath);
    }
    if (at >= footer) {
      EXPECT_FALSE(Table::open_unknown(fixture.files(), testing::kTablePath, fixture.cache()).ok());
    }
    put(at, original[at]);
    if (::testing::Test::HasFailure()) return;
  }
  auto table = fixture.open(map);
  ASSERT_TRUE(table.ok());
  EXPECT_TRUE(read_all(**table, items));
}

TEST(Damage, EveryFlippedByteIsNoticed) { expect_every_flip_noticed({.block_bytes = 512}, false); }
TEST(Damage, EveryFlippedByteOfAMappedTableIsNoticed) { expect_every_flip_noticed({.block_bytes = 512}, true); }
TEST(Damage, EveryFlippedByteOfACompressedTableIsNoticed) {
  expect_every_flip_noticed({.block_bytes = 512, .compression = Compression::kZstd}, false);
}

TEST(Damage, EveryTruncationIsNoticed) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(small_items(), {.block_bytes = 512}).ok());
  auto file = fixture.files().open(testing::kTablePath, OpenMode::kReadWrite, FileKind::kTable);
  ASSERT_TRUE(file.ok());
  for (std::uint64_t bytes = fixture.meta().file_bytes; bytes-- > 0;) {
    ASSERT_TRUE((*file)->truncate(bytes).ok());
    EXPECT_EQ(fixture.open().status().code(), StatusCode::kCorruption) << bytes;
    const Status s = Table::open_unknown(fixture.files(), testing::kTablePath, fixture.cache()).status();
    EXPECT_EQ(s.code(), StatusCode::kCorruption) << bytes;
  }
}

TEST(Damage, TruncationUnderAnOpenTableIsNoticed) {
  const std::vector<Item> items = small_items();
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items, {.block_bytes = 512}).ok());
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  auto file = fixture.files().open(testing::kTablePath, OpenMode::kReadWrite, FileKind::kTable);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->truncate(700).ok());
  EXPECT_FALSE(read_all(**table, items));
  EXPECT_FALSE((*table)->verify({}).ok());
}

TEST(Damage, OtherTablesAreRefused) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(small_items()).ok());
  const std::string mine = fixture.bytes();
  const TableMeta meta = fixture.meta();
  std::vector<Item> others = small_items();
  others[3].value[0] ^= 1;
  ASSERT_TRUE(fixture.build(others).ok());
  EXPECT_EQ(fixture.meta().file_bytes, meta.file_bytes);
  // Same id, same size, other contents: a file from another life of the database.
  EXPECT_EQ(Table::open(fixture.files(), testing::kTablePath, meta, fixture.cache(), false).status().code(),
            StatusCode::kCorruption);
  TableMeta renamed = fixture.meta();
  renamed.id = 8;
  EXPECT_EQ(Table::open(fixture.files(), testing::kTablePath, renamed, fixture.cache(), false).status().code(),
            StatusCode::kCorruption);
  TableMeta miscounted = fixture.meta();
  ++miscounted.entries;
  EXPECT_EQ(Table::open(fixture.files(), testing::kTablePath, miscounted, fixture.cache(), false).status().code(),
            StatusCode::kCorruption);
}

TEST(Damage, OnlyItsOwnBlockFails) {
  const auto items = numbered_items(2000);
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  std::string bytes = fixture.bytes();
  bytes[4096 * 2 + 100] ^= 1;
  fixture.set_bytes(bytes);
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  const auto damaged = (*table)->block_info(2);
  EXPECT_EQ(damaged.status().offset(), 8192U);
  const std::string first = (*table)->block_info(1)->last_key;
  const std::string last = (*table)->block_info(3)->first_key;
  for (const Item& item : items) {
    bool found = false;
    Item answer;
    const Status s = testing::get(**table, item.key, kSequenceMax, found, answer);
    EXPECT_EQ(s.ok(), item.key <= first || item.key >= last) << item.key;
  }
  std::vector<TableDamage> damage;
  EXPECT_FALSE((*table)->verify([&](const TableDamage& d) { damage.push_back(d); }).ok());
  ASSERT_EQ(damage.size(), 1U);
  EXPECT_EQ(damage[0].offset, 8192U);
  EXPECT_EQ(damage[0].bytes, 4096U);
  EXPECT_GT(damage[0].first_key, first);
  EXPECT_EQ(damage[0].last_key, last.substr(0, damage[0].last_key.size()));
  TableCursor cursor(**table);
  cursor.seek(last, kSequenceMax);
  ASSERT_TRUE(cursor.valid());
  cursor.prev();
  EXPECT_FALSE(cursor.valid());
  EXPECT_EQ(cursor.status().code(), StatusCode::kCorruption);
  cursor.seek_to_first();
  EXPECT_TRUE(cursor.valid());
  EXPECT_TRUE(cursor.status().ok());
}

TEST(Damage, ReadErrorsArePassedOn) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(numbered_items(500)).ok());
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  fixture.files().set_fault_hook([](const sim::Operation& op) -> std::optional<sim::Fault> {
    if (op.kind == sim::OperationKind::kRead) return EIO;
    return std::nullopt;
  });
  bool found = false;
  Item answer;
  EXPECT_EQ(testing::get(**table, "k000100", kSequenceMax, found, answer).code(), StatusCode::kIo);
  EXPECT_EQ(fixture.open().status().code(), StatusCode::kIo);
  TableCursor cursor(**table);
  cursor.seek_to_first();
  EXPECT_EQ(cursor.status().code(), StatusCode::kIo);
  fixture.files().set_fault_hook({});
  cursor.seek_to_first();
  EXPECT_TRUE(cursor.valid());
  EXPECT_TRUE(testing::get(**table, "k000100", kSequenceMax, found, answer).ok());
  EXPECT_TRUE(found);
}

// A page that cannot be read shows as zeros in the mapping: whatever was lost, answers come from the file then.
TEST(Damage, LostPagesOfAMappingAreReadFromTheFile) {
  const auto items = numbered_items(1000);
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  for (const bool touched_before : {false, true}) {
    for (std::size_t page = 0; page * 4096 < fixture.meta().file_bytes; ++page) {
      testing::FailingMappings files(fixture.files());
      auto table = Table::open(files, testing::kTablePath, fixture.meta(), fixture.cache(), true);
      ASSERT_TRUE(table.ok());
      ASSERT_TRUE((*table)->mapped());
      TableCursor cursor(**table);
      cursor.seek(items[500].key, kSequenceMax);
      if (touched_before) {
        ASSERT_TRUE(read_all(**table, items));
      }
      files.mapping().lose(page * 4096, 4096);
      EXPECT_TRUE(read_all(**table, items));
      std::size_t i = 500;
      for (cursor.seek(items[i].key, kSequenceMax); cursor.valid(); cursor.next(), ++i) {
        ASSERT_EQ(item_of(cursor.entry()), items[i]);
      }
      EXPECT_EQ(i, items.size());
      EXPECT_TRUE(cursor.status().ok());
      // Values no longer come from the mapping: they need their block.
      const EpochGuard guard;
      TableHit hit;
      ASSERT_TRUE((*table)->get(guard, items[5].key, key_hash(items[5].key), kSequenceMax, hit).ok());
      EXPECT_NE(hit.block, nullptr);
    }
  }
}

TEST(Damage, GetsAnOldVersionWheneverTheMappingFails) {
  std::vector<Item> items;
  for (Sequence sequence = 100; sequence > 0; --sequence) {
    items.push_back({"key", std::string(300, static_cast<char>('a' + sequence % 26)), sequence, EntryKind::kPut});
  }
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  bool lost = true;
  std::size_t questions = 0;
  while (lost) {
    testing::FailingMappings files(fixture.files());
    auto table = Table::open(files, testing::kTablePath, fixture.meta(), fixture.cache(), true);
    ASSERT_TRUE(table.ok());
    ASSERT_GT((*table)->blocks(), 5u);
    files.lose_after(++questions);
    const EpochGuard guard;
    TableHit hit;
    ASSERT_TRUE((*table)->get(guard, "key", key_hash("key"), 1, hit).ok());
    ASSERT_TRUE(hit.found) << "lost after question " << questions;
    EXPECT_EQ(hit.sequence, 1u);
    lost = files.lost();
  }
  EXPECT_GT(questions, 5u);
}

TEST(Damage, WhatNeitherMappingNorFileCanReadIsAnError) {
  const auto items = numbered_items(1000);
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  testing::FailingMappings files(fixture.files());
  auto table = Table::open(files, testing::kTablePath, fixture.meta(), fixture.cache(), true);
  ASSERT_TRUE(table.ok());
  ASSERT_TRUE(read_all(**table, items));
  files.mapping().lose(4096, 4096);
  fixture.files().set_fault_hook([](const sim::Operation& op) -> std::optional<sim::Fault> {
    if (op.kind == sim::OperationKind::kRead && op.offset == 4096) return EIO;
    return std::nullopt;
  });
  const std::string first = (*table)->block_info(0)->last_key;
  const std::string last = (*table)->block_info(2)->first_key;
  for (const Item& item : items) {
    bool found = false;
    Item answer;
    const Status s = testing::get(**table, item.key, kSequenceMax, found, answer);
    EXPECT_EQ(s.code(), item.key <= first || item.key >= last ? StatusCode::kOk : StatusCode::kIo);
  }
}

// Puts every checksum right again after its bytes were changed, as an adversary would.
void seal(std::string& bytes, const std::vector<std::uint64_t>& block_offsets, std::size_t checksums_at) {
  const std::size_t footer_at = bytes.size() - sstable::kFooterBytes;
  for (std::size_t i = 0; i + 1 < block_offsets.size(); ++i) {
    const Slice extent = Slice(bytes).substr(block_offsets[i], block_offsets[i + 1] - block_offsets[i]);
    store(bytes.data() + checksums_at + 8 * i, sstable::table_checksum(testing::kTableId, block_offsets[i], extent));
  }
  for (std::size_t kind = 1; kind < sstable::kSectionCount; ++kind) {
    char* const entry = bytes.data() + footer_at + sstable::kFooterTableOffset + kind * sstable::kSectionEntryBytes;
    const auto offset = load<std::uint64_t>(entry + 8);
    const auto length = load<std::uint64_t>(entry + 16);
    if (offset > bytes.size() || length > bytes.size() - offset) continue;
    store(entry + 24, sstable::table_checksum(testing::kTableId, offset, Slice(bytes).substr(offset, length)));
  }
  store(bytes.data() + footer_at + sstable::kFooterChecksumOffset,
        sstable::table_checksum(load<std::uint64_t>(bytes.data() + footer_at + sstable::kFooterIdOffset), footer_at,
                                Slice(bytes).substr(footer_at, sstable::kFooterChecksumOffset)));
}

// Whatever is read from it, only that it ends and stays within bounds (which the sanitizers judge).
void read_blindly(const Table& table, const std::vector<Item>& items) {
  for (const Item& item : items) {
    bool found = false;
    Item answer;
    static_cast<void>(testing::get(table, item.key, item.sequence, found, answer));
  }
  for (const ScanKind kind : {ScanKind::kUser, ScanKind::kBackground}) {
    TableCursor cursor(table, kind);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) static_cast<void>(item_of(cursor.entry()));
    for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) static_cast<void>(item_of(cursor.entry()));
    for (std::size_t i = 0; i < items.size(); i += 7) {
      cursor.seek(items[i].key, items[i].sequence);
      cursor.seek_before(items[i].key);
    }
  }
  for (std::uint32_t i = 0; i < table.blocks(); ++i) static_cast<void>(table.block_info(i));
  static_cast<void>(table.verify({}));
}

TEST(Damage, NoBytesUnderRightChecksumsMakeItStray) {
  const std::vector<Item> items = small_items();
  for (const Compression compression : {Compression::kNone, Compression::kZstd}) {
    TableFixture fixture;
    ASSERT_TRUE(fixture.build(items, {.block_bytes = 512, .compression = compression}).ok());
    const std::string original = fixture.bytes();
    std::vector<std::uint64_t> offsets;
    {
      auto table = fixture.open();
      ASSERT_TRUE(table.ok());
      for (std::uint32_t i = 0; i <= (*table)->blocks(); ++i) offsets.push_back((*table)->block_offset(i));
    }
    std::string first_checksum;
    append_fixed(first_checksum, sstable::table_checksum(testing::kTableId, 0, Slice(original).substr(0, offsets[1])));
    const std::size_t checksums_at = original.find(first_checksum);
    ASSERT_NE(checksums_at, std::string::npos);
    const std::size_t footer_at = original.size() - sstable::kFooterBytes;
    codec::expect_fewer_cases(1000, [&] {
      std::string bytes = original;
      const int changes = *codec::range_gen(1, 4);
      for (int i = 0; i < changes; ++i) {
        // Block heads, the metadata's beginnings and the footer matter most.
        const std::size_t block = offsets[*codec::range_gen<std::size_t>(0, offsets.size())];
        const std::size_t data_end = offsets.back();
        const std::size_t start = *rc::gen::elementOf(std::vector{block, data_end, data_end + 128, footer_at});
        const auto at = start + *codec::range_gen<std::size_t>(0, *rc::gen::element<std::size_t>(24, 64, 200));
        if (at >= bytes.size()) continue;
        bytes[at] = *rc::gen::element<char>('\0', '\1', '\x10', '\x7f', '\x80', '\xff', *rc::gen::arbitrary<char>());
      }
      seal(bytes, offsets, checksums_at);
      fixture.set_bytes(bytes);
      auto table = Table::open_unknown(fixture.files(), testing::kTablePath, fixture.cache());
      if (table.ok()) read_blindly(**table, items);
    });
  }
}

// What verify says of the table when one number of a section is another under right checksums.
template <class T>
Status verify_with(const std::vector<Item>& items, const TableOptions& options, SectionKind kind, std::size_t at,
                   T number) {
  TableFixture fixture;
  if (Status s = fixture.build(items, options); !s.ok()) return s;
  std::string bytes = fixture.bytes();
  const auto footer = sstable::decode_footer(Slice(bytes).substr(bytes.size() - sstable::kFooterBytes),
                                             testing::kTablePath, bytes.size());
  if (!footer.ok()) return footer.status();
  store(bytes.data() + footer->section(kind).offset + at, number);
  seal(bytes, {}, 0);
  fixture.set_bytes(bytes);
  const auto table = Table::open_unknown(fixture.files(), testing::kTablePath, fixture.cache());
  EXPECT_TRUE(table.ok()) << table.status().to_string();
  return table.ok() ? (*table)->verify({}) : Status();
}

// Mapped, such a table would fail its readers.
TEST(Damage, VerifyComparesCompressedBlocksAndRawBytes) {
  constexpr std::size_t kRawBytesAt = 48;
  constexpr std::size_t kCompressedBlocksAt = 56;
  const TableOptions options{.block_bytes = 512, .compression = Compression::kZstd};
  const auto verify = [&](std::size_t at, auto number) {
    return verify_with(small_items(), options, SectionKind::kProperties, at, number);
  };
  EXPECT_EQ(verify(kCompressedBlocksAt, std::uint32_t{0}).code(), StatusCode::kCorruption);
  EXPECT_EQ(verify(kRawBytesAt, std::uint64_t{1}).code(), StatusCode::kCorruption);
}

// One entry in each block, so that no other one is lost with the first.
TEST(Damage, VerifyNoticesAnIndexThatMissesTheFirstEntry) {
  const std::string value(600, 'v');
  const std::vector<Item> items = {{"a", value, 1}, {"b", value, 1}, {"c", value, 1}};
  const TableOptions options{.block_bytes = 512};
  const auto verify = [&](std::uint64_t first_head) {
    return verify_with(items, options, SectionKind::kIndex, sstable::kIndexHeaderBytes, first_head);
  };
  EXPECT_TRUE(verify(key_head("b", 0)).ok());
  EXPECT_EQ(verify(0).code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace firn
