#include "sstable/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "codec/compression.h"
#include "tests/codec/property.h"
#include "tests/sstable/table_fixture.h"

namespace firn {
namespace {

using testing::before;
using testing::Item;
using testing::item_of;
using testing::numbered_items;
using testing::TableFixture;

std::vector<Item> read_forward(Cursor& cursor) {
  std::vector<Item> items;
  for (cursor.seek_to_first(); cursor.valid(); cursor.next()) items.push_back(item_of(cursor.entry()));
  return items;
}

std::vector<Item> read_backward(Cursor& cursor) {
  std::vector<Item> items;
  for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) items.push_back(item_of(cursor.entry()));
  std::reverse(items.begin(), items.end());
  return items;
}

TEST(Table, GetFindsWhatWasAdded) {
  TableFixture fixture;
  const auto items = numbered_items(5000);
  ASSERT_TRUE(fixture.build(items).ok());
  for (const bool map : {false, true}) {
    auto table = fixture.open(map);
    ASSERT_TRUE(table.ok()) << table.status().to_string();
    EXPECT_EQ((*table)->mapped(), map);
    EXPECT_GT((*table)->blocks(), 10U);
    for (const Item& item : items) {
      bool found = false;
      Item answer;
      ASSERT_TRUE(testing::get(**table, item.key, kSequenceMax, found, answer).ok());
      ASSERT_TRUE(found) << item.key;
      ASSERT_EQ(answer, item);
      ASSERT_TRUE(testing::get(**table, item.key, item.sequence - 1, found, answer).ok());
      ASSERT_FALSE(found);
      ASSERT_TRUE(testing::get(**table, item.key + "x", kSequenceMax, found, answer).ok());
      ASSERT_FALSE(found);
    }
  }
}

TEST(Table, MetaSaysWhatIsInside) {
  TableFixture fixture;
  std::vector<Item> items = numbered_items(100);
  items[40] = {items[40].key, "", 5, EntryKind::kTombstone};
  ASSERT_TRUE(fixture.build(items).ok());
  const TableMeta& meta = fixture.meta();
  EXPECT_EQ(meta.id, testing::kTableId);
  EXPECT_EQ(meta.file_bytes, fixture.bytes().size());
  EXPECT_EQ(meta.entries, 100U);
  EXPECT_EQ(meta.tombstones, 1U);
  EXPECT_EQ(meta.key_bytes, 700U);
  EXPECT_EQ(meta.value_bytes, 99U * 20);
  EXPECT_EQ(meta.smallest_key, "k000000");
  EXPECT_EQ(meta.largest_key, "k000099");
  EXPECT_EQ(meta.smallest_sequence, 5U);
  EXPECT_EQ(meta.largest_sequence, 1099U);
  auto unknown = Table::open_unknown(fixture.files(), testing::kTablePath, fixture.cache());
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ((*unknown)->meta(), meta);
}

TEST(Table, VersionsOfOneKeyOverManyBlocks) {
  TableFixture fixture;
  std::vector<Item> items = {{"a", "first", 9, EntryKind::kPut}};
  for (Sequence s = 5000; s > 0; s -= 2) items.push_back({"k", std::to_string(s), s, EntryKind::kPut});
  items.push_back({std::string("k\0", 2), "next", 7, EntryKind::kPut});
  ASSERT_TRUE(fixture.build(items, {.block_bytes = 512}).ok());
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  ASSERT_GT((*table)->blocks(), 20U);
  TableCursor cursor(**table);
  for (Sequence at = 1; at <= 5001; ++at) {
    const Sequence expected = at / 2 * 2;
    bool found = false;
    Item answer;
    ASSERT_TRUE(testing::get(**table, "k", at, found, answer).ok());
    ASSERT_EQ(found, expected != 0);
    cursor.seek("k", at);
    ASSERT_TRUE(cursor.valid());
    if (expected == 0) {
      ASSERT_EQ(cursor.entry().key, Slice("k\0", 2));
    } else {
      ASSERT_EQ(answer.sequence, expected);
      ASSERT_EQ(cursor.entry().sequence, expected);
    }
  }
  cursor.seek_before("k");
  ASSERT_TRUE(cursor.valid());
  EXPECT_EQ(cursor.entry().key, "a");
  cursor.seek_before(Slice("k\0", 2));
  ASSERT_TRUE(cursor.valid());
  EXPECT_EQ(cursor.entry().sequence, 2U);
}

TEST(Table, LargeValuesHaveBlocksOfTheirOwn) {
  std::vector<Item> items = numbered_items(6);
  items[1].value = std::string(2 << 20, 'x');
  items[3].value = std::string(100'000, 'y');
  for (std::size_t i = 0; i < items[3].value.size(); ++i) items[3].value[i] = static_cast<char>(i * i / 7);
  items[4].value = std::string(4097, 'z');
  for (const Compression compression : {Compression::kNone, Compression::kZstd}) {
    TableFixture fixture;
    ASSERT_TRUE(fixture.build(items, {.compression = compression}).ok());
    auto table = fixture.open(true);
    ASSERT_TRUE(table.ok());
    EXPECT_EQ((*table)->blocks(), 6U);
    EXPECT_TRUE((*table)->verify({}).ok());
    for (const ScanKind kind : {ScanKind::kUser, ScanKind::kBackground}) {
      TableCursor cursor(**table, kind);
      EXPECT_EQ(read_forward(cursor), items);
      EXPECT_EQ(read_backward(cursor), items);
    }
    bool found = false;
    Item answer;
    for (const Item& item : items) {
      ASSERT_TRUE(testing::get(**table, item.key, kSequenceMax, found, answer).ok());
      EXPECT_EQ(answer, item);
    }
  }
}

TEST(Table, PinnedValueOutlivesTheCursorsMove) {
  const auto items = numbered_items(2000);
  TableFixture fixture(10'000);
  ASSERT_TRUE(fixture.build(items).ok());
  for (const bool map : {false, true}) {
    auto table = fixture.open(map);
    ASSERT_TRUE(table.ok());
    TableCursor cursor(**table);
    std::vector<BlockRef> references;
    std::vector<Slice> values;
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) {
      references.push_back(cursor.pin());
      EXPECT_EQ(references.back().get() == nullptr, map);
      values.push_back(cursor.entry().value);
    }
    ASSERT_EQ(values.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(values[i], items[i].value);
  }
}

TEST(Table, StepsOfGetTogetherAreGet) {
  const auto items = numbered_items(3000);
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(items).ok());
  for (const bool map : {false, true}) {
    auto table = fixture.open(map);
    ASSERT_TRUE(table.ok());
    const EpochGuard guard;
    for (const Item& item : items) {
      const std::uint64_t hash = key_hash(item.key);
      (*table)->prefetch_filter(hash);
      const std::uint32_t start = (*table)->start_locate(item.key);
      ASSERT_TRUE((*table)->may_contain(hash));
      const std::uint32_t block = (*table)->finish_locate(item.key, start);
      (*table)->prefetch_block(guard, block);
      TableHit hit;
      ASSERT_TRUE((*table)->find(guard, block, item.key, kSequenceMax, hit).ok());
      ASSERT_TRUE(hit.found);
      ASSERT_EQ(hit.value, item.value);
    }
  }
}

TEST(Table, HitInAMappedTableNeedsNoBlock) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(numbered_items(100)).ok());
  auto table = fixture.open(true);
  ASSERT_TRUE(table.ok());
  const EpochGuard guard;
  TableHit hit;
  ASSERT_TRUE((*table)->get(guard, "k000050", key_hash("k000050"), kSequenceMax, hit).ok());
  EXPECT_TRUE(hit.found);
  EXPECT_EQ(hit.block, nullptr);
  EXPECT_EQ(fixture.cache().used_bytes(), 0U);
}

TEST(Table, ReferencedBlockOutlivesTable) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(numbered_items(100)).ok());
  BlockRef pinned;
  Slice value;
  {
    auto table = fixture.open();
    ASSERT_TRUE(table.ok());
    const EpochGuard guard;
    TableHit hit;
    ASSERT_TRUE((*table)->get(guard, "k000050", key_hash("k000050"), kSequenceMax, hit).ok());
    ASSERT_NE(hit.block, nullptr);
    hit.block->add_reference();
    pinned = BlockRef(hit.block);
    value = hit.value;
  }
  EXPECT_EQ(value, "50yyyyyyyyyyyyyyyyyy");
  EXPECT_GT(fixture.cache().used_bytes(), 0U);
  pinned.reset();
  EXPECT_EQ(fixture.cache().used_bytes(), 0U);
}

TEST(Table, BlockInfosCoverTheData) {
  TableFixture fixture;
  const auto items = numbered_items(3000);
  ASSERT_TRUE(fixture.build(items, {.compression = Compression::kZstd}).ok());
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  std::uint64_t offset = 0;
  std::uint64_t raw = 0;
  std::size_t entries = 0;
  for (std::uint32_t i = 0; i < (*table)->blocks(); ++i) {
    auto info = (*table)->block_info(i);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->offset, offset);
    EXPECT_EQ(info->compression, Compression::kZstd);
    EXPECT_EQ(info->first_key, items[entries].key);
    entries += info->entries;
    EXPECT_EQ(info->last_key, items[entries - 1].key);
    offset += info->stored_bytes;
    raw += info->raw_bytes;
  }
  EXPECT_EQ(entries, items.size());
  EXPECT_EQ(offset, (*table)->properties().data_bytes);
  EXPECT_EQ(raw, (*table)->properties().raw_bytes);
  EXPECT_EQ((*table)->properties().compressed_blocks, (*table)->blocks());
}

TEST(Table, BlocksAboutAPageLongGetAPageEach) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(numbered_items(3000, 100)).ok());
  auto table = fixture.open();
  ASSERT_TRUE(table.ok());
  for (std::uint32_t i = 0; i + 1 < (*table)->blocks(); ++i) EXPECT_EQ((*table)->block_offset(i), 4096ULL * i);
}

TEST(Table, BlocksOfLargeRowsAreAsNearToTheSizeAskedForAsTheyCan) {
  TableFixture fixture;
  // Value bytes and rows to a block of 4096: four of 1 KiB are nearer than three, three of 1600 than two, but two of
  // 1750 than three.
  for (const auto& [bytes, rows] : {std::pair{1024, 4}, {1600, 3}, {1750, 2}, {2500, 2}, {3000, 1}, {500, 8}}) {
    ASSERT_TRUE(fixture.build(numbered_items(400, static_cast<std::size_t>(bytes))).ok());
    auto table = fixture.open();
    ASSERT_TRUE(table.ok());
    auto info = (*table)->block_info(1);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->entries, static_cast<std::uint32_t>(rows)) << bytes;
  }
}

TEST(TableBuilder, RefusesDisorder) {
  const auto add_both = [](const Item& a, const Item& b) {
    TableFixture fixture;
    return fixture.build({a, b}).code();
  };
  EXPECT_EQ(add_both({"b", "", 1}, {"a", "", 1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(add_both({"ab", "", 1}, {"a", "", 1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(add_both({"a", "", 1}, {"a", "", 1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(add_both({"a", "", 1}, {"a", "", 2}), StatusCode::kInvalidArgument);
  EXPECT_EQ(add_both({"a", "", 2}, {"a", "", 1}), StatusCode::kOk);
  EXPECT_EQ(add_both({"", "", 2}, {"a", "", 3}), StatusCode::kOk);
  EXPECT_EQ(add_both({"\x7f", "", 2}, {"\x80", "", 3}), StatusCode::kOk);
}

TEST(TableBuilder, NeedsAnEntry) {
  TableFixture fixture;
  EXPECT_EQ(fixture.build({}).code(), StatusCode::kInvalidArgument);
}

TEST(TableBuilder, FirstErrorIsFinal) {
  TableFixture fixture;
  fixture.files().set_capacity(1 << 20);
  auto file = fixture.files().open("big.table", OpenMode::kCreate, FileKind::kTable);
  ASSERT_TRUE(file.ok());
  TableBuilder builder(**file, 1, {});
  const std::string value(10000, 'v');
  Status s;
  int i = 0;
  for (; i < 1000 && s.ok(); ++i) s = builder.add({std::to_string(1000000 + i), value, 1, EntryKind::kPut});
  EXPECT_EQ(s.code(), StatusCode::kNoSpace);
  EXPECT_EQ(builder.add({"9", value, 1, EntryKind::kPut}).code(), StatusCode::kNoSpace);
  EXPECT_EQ(builder.finish().status().code(), StatusCode::kNoSpace);
}

TEST(TableBuilder, UsesTheLastOfTheSpace) {
  TableFixture fixture;
  ASSERT_TRUE(fixture.build(numbered_items(100'000, 50)).ok());
  ASSERT_GT(fixture.meta().file_bytes, 6U << 20);
  fixture.files().set_capacity(fixture.meta().file_bytes);
  EXPECT_TRUE(fixture.build(numbered_items(100'000, 50)).ok());
  fixture.files().set_capacity(fixture.meta().file_bytes - 1);
  EXPECT_EQ(fixture.build(numbered_items(100'000, 50)).code(), StatusCode::kNoSpace);
}

// Keys that agree in many places: short alphabets, shared prefixes of every length, zero bytes at the end.
std::string make_key() {
  const std::string letters(
      "\0\x01"
      "aaab\x7f\x80\xff",
      9);
  std::string key;
  switch (*codec::range_gen(0, 6)) {
    case 0: break;
    case 1: key = "shared/prefix/"; break;
    case 2: key.assign(static_cast<std::size_t>(*codec::range_gen(0, 40)), 'p'); break;
    case 3: key.assign(static_cast<std::size_t>(*codec::range_gen(0, 40)), '\0'); break;
    case 4: key.assign(static_cast<std::size_t>(*codec::range_gen(0, 300)), 'q'); break;
    default: key = "\xff\xff\xff\xff\xff\xff\xff\xff\xff"; break;
  }
  const int tail = *codec::range_gen(0, 12);
  for (int i = 0; i < tail; ++i) key += letters[static_cast<std::size_t>(*codec::range_gen(0, 9))];
  if (*codec::range_gen(0, 200) == 0) key.resize(kKeyBytesMax, 'z');
  return key;
}

std::vector<Item> make_items() {
  std::map<std::pair<std::string, Sequence>, Item> items;  // By key, then 2^56 - 1 - sequence.
  const int keys = *codec::range_gen(1, 120);
  const bool zero_sequences = *codec::range_gen(0, 4) == 0;
  const Sequence wide = *codec::range_gen(0, 4) == 0 ? kSequenceMax : 5000;
  for (int i = 0; i < keys; ++i) {
    const std::string key = make_key();
    const int versions = zero_sequences ? 1 : *codec::range_gen(0, 20) == 0 ? 60 : *codec::range_gen(1, 3);
    for (int v = 0; v < versions; ++v) {
      Item item{key, "", zero_sequences ? 0 : *codec::range_gen<Sequence>(0, wide), EntryKind::kPut};
      if (!zero_sequences && *codec::range_gen(0, 5) == 0) {
        item.kind = EntryKind::kTombstone;
      } else {
        const int size = *codec::range_gen(0, 40);
        const std::size_t bytes = size == 39 ? 70000 : size == 38 ? 3000 : static_cast<std::size_t>(size);
        item.value.assign(bytes, static_cast<char>('a' + i % 26));
      }
      items.insert_or_assign({key, kSequenceMax - item.sequence}, item);
    }
  }
  std::vector<Item> sorted;
  sorted.reserve(items.size());
  for (auto& [unused, item] : items) sorted.push_back(std::move(item));
  return sorted;
}

TableOptions make_options() {
  TableOptions options;
  options.block_bytes = *rc::gen::element(512U, 1000U, 4096U, 16384U, 65536U);
  options.filter_bits_per_key = *rc::gen::element(0U, 10U, 16U);
  options.compression =
      *rc::gen::element(Compression::kNone, Compression::kNone, Compression::kZstd, Compression::kLz4);
  if (!compression_available(options.compression)) options.compression = Compression::kZstd;
  return options;
}

std::optional<Item> model_get(const std::vector<Item>& items, const std::string& key, Sequence at) {
  const auto found = std::lower_bound(items.begin(), items.end(), Item{key, "", at}, before);
  if (found == items.end() || found->key != key) return std::nullopt;
  return *found;
}

void check_lookups(const Table& table, const std::vector<Item>& items, const std::string& key, Sequence at,
                   Cursor& cursor) {
  bool found = false;
  Item answer;
  const Status s = testing::get(table, key, at, found, answer);
  RC_ASSERT(s.ok());
  const std::optional<Item> expected = model_get(items, key, at);
  RC_ASSERT(found == expected.has_value());
  if (found) RC_ASSERT(answer == *expected);

  const auto first = std::lower_bound(items.begin(), items.end(), Item{key, "", at}, before);
  cursor.seek(key, at);
  RC_ASSERT(cursor.status().ok());
  RC_ASSERT(cursor.valid() == (first != items.end()));
  if (cursor.valid()) RC_ASSERT(item_of(cursor.entry()) == *first);
  if (cursor.valid() && first != items.begin()) {
    cursor.prev();
    RC_ASSERT(cursor.valid());
    RC_ASSERT(item_of(cursor.entry()) == *std::prev(first));
  }
  const auto begin = std::lower_bound(items.begin(), items.end(), Item{key, "", kSequenceMax}, before);
  cursor.seek_before(key);
  RC_ASSERT(cursor.valid() == (begin != items.begin()));
  if (cursor.valid()) RC_ASSERT(item_of(cursor.entry()) == *std::prev(begin));
}

TEST(Table, BehavesLikeASortedMap) {
  codec::expect_fewer_cases(200, [] {
    const std::vector<Item> items = make_items();
    const TableOptions options = make_options();
    TableFixture fixture(*rc::gen::element<std::uint64_t>(0, 20000, 1 << 20));
    const Status built = fixture.build(items, options);
    RC_ASSERT(built.ok());
    auto opened = fixture.open(*rc::gen::arbitrary<bool>());
    RC_ASSERT(opened.ok());
    const Table& table = **opened;
    const Status verified = table.verify({});
    RC_ASSERT(verified.ok());
    for (const ScanKind kind : {ScanKind::kUser, ScanKind::kBackground}) {
      TableCursor cursor(table, kind);
      RC_ASSERT(read_forward(cursor) == items);
      RC_ASSERT(read_backward(cursor) == items);
    }
    TableCursor cursor(table);
    for (const Item& item : items) {
      check_lookups(table, items, item.key, item.sequence, cursor);
      check_lookups(table, items, item.key, kSequenceMax, cursor);
      if (item.sequence > 0) check_lookups(table, items, item.key, item.sequence - 1, cursor);
    }
    for (int i = 0; i < 20; ++i) check_lookups(table, items, make_key(), kSequenceMax, cursor);
  });
}

}  // namespace
}  // namespace firn
