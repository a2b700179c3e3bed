#include "compaction/level_cursor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/compaction/runs.h"

namespace firn::compaction {
namespace {

// Tables [10..19], [20..29], [30..39].
RunList three_tables() {
  Items run;
  for (int i = 10; i < 40; ++i) run.push_back({std::to_string(i), 1, EntryKind::kPut, "v"});
  return RunList(std::move(run), {10, 20});
}

TEST(LevelCursor, EqualsTheSortedListUnderAnyMoves) {
  EXPECT_TRUE(rc::check("cursor over tables = sorted list", [] {
    Items all = *history_gen(40);
    std::sort(all.begin(), all.end());
    const auto cuts = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 40));
    const RunList tables(all, cuts);
    LevelCursor level(tables);
    RunCursor model(all);
    for (int i = 0; i < 40; ++i) {
      const int move = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(model.valid() ? 0 : 10, 14));
      const std::string key = *key_gen();
      const auto sequence = *rc::gen::inRange<Sequence>(0, 50);
      for (Cursor* cursor : {static_cast<Cursor*>(&level), static_cast<Cursor*>(&model)}) {
        switch (move) {
          case 10: cursor->seek_to_first(); break;
          case 11: cursor->seek_to_last(); break;
          case 12: cursor->seek(key, sequence); break;
          case 13: cursor->seek_before(key); break;
          default: move < 5 ? cursor->next() : cursor->prev(); break;
        }
      }
      RC_ASSERT(level.valid() == model.valid());
      RC_ASSERT(level.status().ok());
      if (level.valid()) RC_ASSERT(item_of(level.entry()) == item_of(model.entry()));
    }
  }));
}

TEST(LevelCursor, OpensOnlyTheTableItNeeds) {
  const RunList tables = three_tables();
  LevelCursor level(tables);
  EXPECT_EQ(tables.opened, 0U);
  level.seek("25", kSequenceMax);
  EXPECT_EQ(level.entry().key, "25");
  EXPECT_EQ(tables.opened, 1U);
  level.seek("29", kSequenceMax);  // The same table: not opened again.
  EXPECT_EQ(tables.opened, 1U);
  level.next();
  EXPECT_EQ(level.entry().key, "30");
  EXPECT_EQ(tables.opened, 2U);
}

TEST(LevelCursor, OfNoTablesIsEmpty) {
  const RunList tables({}, {});
  LevelCursor level(tables);
  level.seek_to_first();
  EXPECT_FALSE(level.valid());
  level.seek_to_last();
  EXPECT_FALSE(level.valid());
  level.seek("a", 1);
  EXPECT_FALSE(level.valid());
  level.seek_before("a");
  EXPECT_FALSE(level.valid());
}

TEST(LevelCursor, StopsAtATableThatCannotBeOpened) {
  RunList tables = three_tables();
  tables.broken = 1;
  LevelCursor level(tables);
  level.seek("19", kSequenceMax);
  level.next();
  EXPECT_FALSE(level.valid());
  EXPECT_EQ(level.status().code(), StatusCode::kIo);
  level.seek("12", kSequenceMax);  // Other tables can be read all the same.
  EXPECT_TRUE(level.valid());
  EXPECT_TRUE(level.status().ok());
}

}  // namespace
}  // namespace firn::compaction
