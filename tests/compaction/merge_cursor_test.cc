#include "compaction/merge_cursor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/compaction/runs.h"

namespace firn::compaction {
namespace {

// Every entry in one of `count` runs.
std::vector<Items> deal(const Items& history, std::size_t count) {
  std::vector<Items> runs(count);
  std::size_t present = 0;
  for (const Item& item : history) {
    // Runs of wins as well as alternation: stay with a run for a while.
    if (*rc::gen::inRange(0, 3) == 0) present = *rc::gen::inRange<std::size_t>(0, count);
    runs[present].push_back(item);
  }
  for (Items& run : runs) std::sort(run.begin(), run.end());
  return runs;
}

std::vector<std::unique_ptr<Cursor>> cursors(const std::vector<Items>& runs) {
  std::vector<std::unique_ptr<Cursor>> children;
  for (const Items& run : runs) children.push_back(std::make_unique<RunCursor>(run));
  return children;
}

Items numbered(std::initializer_list<int> numbers) {
  Items run;
  for (const int number : numbers) run.push_back({std::to_string(1000 + number), 1, EntryKind::kPut, "v"});
  return run;
}

// A merge and the sorted list it should be equal to, moved in step.
struct Pair {
  MergeCursor merge;
  const Items& all;
  std::size_t at = SIZE_MAX;

  void seek(const std::string& key, Sequence sequence) {
    merge.seek(key, sequence);
    const Item sought{key, sequence, EntryKind::kPut, {}};
    at = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), sought) - all.begin());
  }
  void seek_before(const std::string& key) {
    merge.seek_before(key);
    const Item sought{key, kSequenceMax, EntryKind::kPut, {}};
    at = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), sought) - all.begin()) - 1;
  }
  void step(bool forward) {
    if (at >= all.size()) {
      forward ? merge.seek_to_first() : merge.seek_to_last();
      at = forward ? 0 : all.size() - 1;
    } else {
      forward ? merge.next() : merge.prev();
      at = forward ? at + 1 : at - 1;
    }
  }
  void check() const {
    RC_ASSERT(merge.valid() == (at < all.size()));
    RC_ASSERT(merge.status().ok());
    if (merge.valid()) RC_ASSERT(item_of(merge.entry()) == all[at]);
  }
};

TEST(MergeCursor, EqualsTheSortedListUnderAnyMoves) {
  EXPECT_TRUE(rc::check("merge of k runs = sorted list", [] {
    const std::size_t count = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, 12));
    const Items history = count == 0 ? Items() : *history_gen(60);
    const std::vector<Items> runs = deal(history, count);
    Items all = history;
    std::sort(all.begin(), all.end());
    Pair pair{MergeCursor(cursors(runs)), all};
    for (int i = 0; i < 20; ++i) {
      switch (*rc::gen::inRange(0, 4)) {
        case 0: pair.seek(*key_gen(), *rc::gen::inRange<Sequence>(0, 70)); break;
        case 1: pair.seek_before(*key_gen()); break;
        default: pair.step(*rc::gen::arbitrary<bool>()); break;
      }
      pair.check();
      const int steps = *rc::gen::element(0, 1, 2, 30);
      const bool forward = *rc::gen::arbitrary<bool>();
      for (int step = 0; step < steps; ++step) {
        pair.step(forward);
        pair.check();
      }
    }
  }));
}

TEST(MergeCursor, HeadOffsetChangesNothing) {
  EXPECT_TRUE(rc::check("keys with a common prefix, heads beyond it", [] {
    Items history = *history_gen(60);
    for (Item& item : history) item.key = "prefix-of-14-B" + item.key;
    const std::vector<Items> runs = deal(history, *rc::gen::inRange<std::size_t>(1, 6));
    Items all = history;
    std::sort(all.begin(), all.end());
    Pair pair{MergeCursor(cursors(runs), *rc::gen::inRange<std::size_t>(0, 15)), all};
    const bool forward = *rc::gen::arbitrary<bool>();
    for (std::size_t i = 0; i <= all.size(); ++i) {
      pair.step(forward);
      pair.check();
    }
  }));
}

TEST(MergeCursor, LongRunsOfOneChildComeOutWhole) {
  std::vector<Items> runs(5);
  Items all;
  for (int i = 0; i < 5000; ++i) {
    const Item item{std::to_string(100000 + i), 1, EntryKind::kPut, {}};
    runs[static_cast<std::size_t>(i / 100 % 5)].push_back(item);
    all.push_back(item);
  }
  MergeCursor merge(cursors(runs));
  std::size_t count = 0;
  for (merge.seek_to_first(); merge.valid(); merge.next()) ASSERT_EQ(item_of(merge.entry()), all[count++]);
  EXPECT_EQ(count, all.size());
  for (merge.seek_to_last(); merge.valid(); merge.prev()) ASSERT_EQ(item_of(merge.entry()), all[--count]);
  EXPECT_EQ(count, 0U);
}

TEST(MergeCursor, OfNoChildrenIsEmpty) {
  MergeCursor merge({});
  merge.seek_to_first();
  EXPECT_FALSE(merge.valid());
  merge.seek_before("a");
  EXPECT_FALSE(merge.valid());
  EXPECT_TRUE(merge.status().ok());
}

TEST(MergeCursor, EndsWithTheErrorOfAnyChild) {
  const std::vector<Items> runs = {numbered({1, 4, 7}), numbered({2, 5, 8}), numbered({3, 6, 9})};
  for (std::size_t count = 1; count <= runs.size(); ++count) {
    for (std::size_t broken = 0; broken < count; ++broken) {
      for (std::uint64_t moves = 0; moves <= runs[broken].size(); ++moves) {
        std::vector<std::unique_ptr<Cursor>> children;
        for (std::size_t i = 0; i < count; ++i) {
          children.push_back(std::make_unique<RunCursor>(runs[i], i == broken ? moves : UINT64_MAX));
        }
        MergeCursor merge(std::move(children));
        std::uint64_t entries = 0;
        for (merge.seek_to_first(); merge.valid(); merge.next()) ++entries;
        EXPECT_EQ(merge.status().code(), StatusCode::kIo) << count << ' ' << broken << ' ' << moves;
        // Nothing is shown that the broken child might have preceded.
        EXPECT_LE(entries, moves == 0 ? 0 : (moves - 1) * count + broken + 1);
      }
    }
  }
}

TEST(MergeCursor, RecoversFromAnErrorByASeek) {
  const Items run = numbered({1, 2});
  std::vector<std::unique_ptr<Cursor>> children;
  struct Flaky final : Cursor {
    void seek_to_first() override { fail(Status(StatusCode::kIo, "once")); }
    void seek_to_last() override { end(); }
    void seek(Slice, Sequence) override { status_ = Status(), end(); }
    void seek_before(Slice) override { end(); }
    void next() override { end(); }
    void prev() override { end(); }
  };
  children.push_back(std::make_unique<Flaky>());
  children.push_back(std::make_unique<RunCursor>(run));
  MergeCursor merge(std::move(children));
  merge.seek_to_first();
  EXPECT_EQ(merge.status().code(), StatusCode::kIo);
  merge.seek("", kSequenceMax);
  EXPECT_TRUE(merge.status().ok());
  EXPECT_TRUE(merge.valid());
}

}  // namespace
}  // namespace firn::compaction
