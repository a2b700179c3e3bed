// Iterators: iterator.h, bounds of options.h.
#include <algorithm>

#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

class IteratorContract : public ContractTest {
 protected:
  // Iterates over b, d, f with deleted and overwritten neighbours, as far as bounds let it.
  Iterator over_bdf(IteratorOptions options = {}) {
    put_each("abcdefg");
    settle();
    for (const char* key : {"a", "c", "e", "g"}) erase(key);
    put("d", "old");
    put("d", "D");
    settle();
    return db().iterator(options);
  }
};
FIRN_CONTRACT(IteratorContract);

TEST_P(IteratorContract, NewNextGivesTheFirst) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.next()), "b=B");
  EXPECT_EQ(text(it, it.next()), "d=D");
  EXPECT_EQ(text(it, it.next()), "f=F");
  EXPECT_EQ(text(it, it.next()), "end");
}

TEST_P(IteratorContract, NewPrevGivesTheLast) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.prev()), "f=F");
  EXPECT_EQ(text(it, it.prev()), "d=D");
  EXPECT_EQ(text(it, it.prev()), "b=B");
  EXPECT_EQ(text(it, it.prev()), "end");
}

TEST_P(IteratorContract, AnEndStaysAnEnd) {
  Iterator it = over_bdf();
  it.seek_to_last();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(text(it, it.next()), "end");
  it.seek_to_first();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(text(it, it.prev()), "end");
}

TEST_P(IteratorContract, TurnsAroundAtTheEnds) {
  Iterator it = over_bdf();
  it.seek_to_last();
  EXPECT_EQ(text(it, it.next()), "end");
  EXPECT_EQ(text(it, it.prev()), "f=F");
  it.seek_to_first();
  EXPECT_EQ(text(it, it.prev()), "end");
  EXPECT_EQ(text(it, it.next()), "b=B");
}

TEST_P(IteratorContract, TurnsAroundWhereASeekFoundNothing) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.seek("g")), "end");
  EXPECT_EQ(text(it, it.prev()), "f=F");
  EXPECT_EQ(text(it, it.seek("g")), "end");
  EXPECT_EQ(text(it, it.next()), "end");
  EXPECT_EQ(text(it, it.seek_before("b")), "end");
  EXPECT_EQ(text(it, it.next()), "b=B");
  EXPECT_EQ(text(it, it.seek_before("b")), "end");
  EXPECT_EQ(text(it, it.prev()), "end");
}

TEST_P(IteratorContract, TurnsAroundAnywhere) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.next()), "b=B");
  EXPECT_EQ(text(it, it.next()), "d=D");
  EXPECT_EQ(text(it, it.prev()), "b=B");
  EXPECT_EQ(text(it, it.next()), "d=D");
  EXPECT_EQ(text(it, it.next()), "f=F");
  EXPECT_EQ(text(it, it.prev()), "d=D");
  EXPECT_EQ(text(it, it.prev()), "b=B");
  EXPECT_EQ(text(it, it.next()), "d=D");
}

TEST_P(IteratorContract, SeekFindsTheFirstAtOrAfter) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.seek("")), "b=B");
  EXPECT_EQ(text(it, it.seek("a")), "b=B");
  EXPECT_EQ(text(it, it.seek("b")), "b=B");
  EXPECT_EQ(text(it, it.seek(Slice("b\0", 2))), "d=D");
  EXPECT_EQ(text(it, it.seek("c")), "d=D");
  EXPECT_EQ(text(it, it.next()), "f=F");
  EXPECT_EQ(text(it, it.seek("d")), "d=D");
  EXPECT_EQ(text(it, it.prev()), "b=B");
  EXPECT_EQ(text(it, it.seek("f\xFF")), "end");
}

TEST_P(IteratorContract, SeekBeforeFindsTheLastBefore) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.seek_before("")), "end");
  EXPECT_EQ(text(it, it.seek_before("b")), "end");
  EXPECT_EQ(text(it, it.seek_before(Slice("b\0", 2))), "b=B");
  EXPECT_EQ(text(it, it.seek_before("d")), "b=B");
  EXPECT_EQ(text(it, it.next()), "d=D");
  EXPECT_EQ(text(it, it.seek_before("e")), "d=D");
  EXPECT_EQ(text(it, it.prev()), "b=B");
  EXPECT_EQ(text(it, it.seek_before("\xFF\xFF")), "f=F");
}

TEST_P(IteratorContract, OverNothingEndsAtOnce) {
  for (int round = 0; round < 2; ++round) {
    Iterator it = db().iterator();
    EXPECT_EQ(it.next(), Step::kEnd);
    EXPECT_EQ(it.prev(), Step::kEnd);
    EXPECT_EQ(it.seek_to_first(), Step::kEnd);
    EXPECT_EQ(it.seek_to_last(), Step::kEnd);
    EXPECT_EQ(it.seek("a"), Step::kEnd);
    EXPECT_EQ(it.seek_before("a"), Step::kEnd);
    EXPECT_TRUE(it.status().ok());
    put("a", "1");  // The second round: everything is erased.
    settle();
    erase("a");
    settle();
  }
}

TEST_P(IteratorContract, OrderIsThatOfUnsignedBytes) {
  const std::string keys[] = {"",
                              std::string(1, '\0'),
                              std::string("\0\0", 2),
                              std::string("\0a", 2),
                              "\x01",
                              "A",
                              "a",
                              "a\x01",
                              "aa",
                              "b",
                              "\x7F",
                              "\x80",
                              "\xFE\xFF",
                              "\xFF",
                              "\xFF\x01",
                              "\xFF\xFF"};
  for (std::size_t i = 0; i < std::size(keys); ++i) put(keys[i * 7 % std::size(keys)], "v");
  settle();
  Iterator it = db().iterator();
  for (const std::string& key : keys) {
    ASSERT_EQ(it.next(), Step::kEntry);
    EXPECT_EQ(it.key(), key);
  }
  EXPECT_EQ(it.next(), Step::kEnd);
  for (auto key = std::rbegin(keys); key != std::rend(keys); ++key) {
    ASSERT_EQ(it.prev(), Step::kEntry);
    EXPECT_EQ(it.key(), *key);
  }
  EXPECT_EQ(it.prev(), Step::kEnd);
}

TEST_P(IteratorContract, StaysWithinItsBounds) {
  EXPECT_EQ(forward(over_bdf({"b", "f", nullptr})), "b=B d=D ");
  EXPECT_EQ(backward(db().iterator({"b", "f", nullptr})), "d=D b=B ");
  EXPECT_EQ(forward(db().iterator({"c", {}, nullptr})), "d=D f=F ");
  EXPECT_EQ(backward(db().iterator({"c", {}, nullptr})), "f=F d=D ");
  EXPECT_EQ(forward(db().iterator({{}, "e", nullptr})), "b=B d=D ");
  EXPECT_EQ(backward(db().iterator({{}, "e", nullptr})), "d=D b=B ");
}

TEST_P(IteratorContract, EmptyBoundsHoldNothing) {
  EXPECT_EQ(forward(over_bdf({"d", "d", nullptr})), "");
  EXPECT_EQ(backward(db().iterator({"d", "d", nullptr})), "");
  EXPECT_EQ(forward(db().iterator({"f", "b", nullptr})), "");
  EXPECT_EQ(backward(db().iterator({"f", "b", nullptr})), "");
  EXPECT_EQ(forward(db().iterator({{}, "", nullptr})), "") << "no key is before the empty one";
  EXPECT_EQ(backward(db().iterator({{}, "", nullptr})), "");
  EXPECT_EQ(forward(db().iterator({"", {}, nullptr})), "b=B d=D f=F ");
}

TEST_P(IteratorContract, SeeksDoNotLeaveTheBounds) {
  Iterator it = over_bdf({"c", "f", nullptr});
  EXPECT_EQ(text(it, it.seek("a")), "d=D");
  EXPECT_EQ(text(it, it.seek("e")), "end");
  EXPECT_EQ(text(it, it.seek("f")), "end");
  EXPECT_EQ(text(it, it.seek("z")), "end");
  EXPECT_EQ(text(it, it.prev()), "d=D");
  EXPECT_EQ(text(it, it.seek_before("z")), "d=D");
  EXPECT_EQ(text(it, it.seek_before("d")), "end");
  EXPECT_EQ(text(it, it.seek_before("a")), "end");
  EXPECT_EQ(text(it, it.next()), "d=D");
  EXPECT_EQ(text(it, it.next()), "end");
  EXPECT_EQ(text(it, it.prev()), "d=D");
  EXPECT_EQ(text(it, it.prev()), "end");
}

TEST_P(IteratorContract, SeesOneMoment) {
  put_each("abc");
  Iterator it = db().iterator();
  EXPECT_EQ(text(it, it.next()), "a=A");
  put("aa", "late");
  put("b", "late");
  erase("c");
  settle();
  EXPECT_EQ(text(it, it.next()), "b=B");
  EXPECT_EQ(text(it, it.next()), "c=C");
  EXPECT_EQ(text(it, it.next()), "end");
  EXPECT_EQ(text(it, it.seek("aa")), "b=B");
  EXPECT_EQ(all(), "a=A aa=late b=late ");
}

TEST_P(IteratorContract, AnEntryStaysUntilTheNextMove) {
  put("a", std::string(1000, 'a'));
  put("b", "B");
  Iterator it = db().iterator();
  ASSERT_EQ(it.next(), Step::kEntry);
  const Slice key = it.key();
  const Slice value = it.value();
  put("a", "new");
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  EXPECT_EQ(key, "a");
  EXPECT_EQ(value, std::string(1000, 'a'));
}

TEST_P(IteratorContract, MayBeMoved) {
  Iterator it = over_bdf();
  EXPECT_EQ(text(it, it.next()), "b=B");
  Iterator moved = std::move(it);
  EXPECT_EQ(moved.key(), "b");
  EXPECT_EQ(text(moved, moved.next()), "d=D");
}

TEST_P(IteratorContract, OfAnUnknownFamilyIsInErrorAtEveryMove) {
  Iterator it = db().iterator(Family{77});
  const auto expect_error = [&it](Step step) {
    EXPECT_EQ(step, Step::kError);
    EXPECT_TRUE(it.status().is_not_found());
    EXPECT_NE(it.status().message().find("77"), Slice::npos);
  };
  expect_error(it.next());
  expect_error(it.prev());
  expect_error(it.seek_to_first());
  expect_error(it.seek_to_last());
  expect_error(it.seek("a"));
  expect_error(it.seek_before("a"));
}

TEST_P(IteratorContract, StatusIsOkAtAnEnd) {
  Iterator it = over_bdf();
  EXPECT_TRUE(it.status().ok());
  it.seek("z");
  EXPECT_TRUE(it.status().ok());
}

TEST_P(IteratorContract, CrossesLongRunsOfErasedKeysAndOldVersions) {
  put("a", "A");
  put("z", "Z");
  for (int i = 0; i < 3000; ++i) put("m" + std::to_string(i), std::string(30, 'x'));
  for (int i = 0; i < 3000; ++i) put("a", std::to_string(i));
  settle();
  for (int i = 0; i < 3000; ++i) erase("m" + std::to_string(i));
  settle();
  EXPECT_EQ(all(), "a=2999 z=Z ");
  EXPECT_EQ(backward(db().iterator()), "z=Z a=2999 ");
  Iterator it = db().iterator();
  EXPECT_EQ(text(it, it.seek("m1")), "z=Z");
  EXPECT_EQ(text(it, it.seek_before("m1")), "a=2999");
}

TEST_P(IteratorContract, BothWaysGiveTheSameEntries) {
  for (int i = 0; i < 4000; ++i) {
    put("key" + std::to_string(i * 7919 % 1500), std::string(static_cast<std::size_t>(i % 50), 'v'));
    if (i % 3 == 0) erase("key" + std::to_string(i % 1500));
    if (i == 2000) settle();
  }
  std::vector<std::string> rows;
  Iterator it = db().iterator();
  for (Step step = it.next(); step == Step::kEntry; step = it.next()) rows.push_back(text(it, step));
  EXPECT_GT(rows.size(), 500U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find('=')) < b.substr(0, b.find('='));
  }));
  for (Step step = it.prev(); step == Step::kEntry; step = it.prev()) {
    ASSERT_FALSE(rows.empty());
    ASSERT_EQ(text(it, step), rows.back());
    rows.pop_back();
  }
  EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace firn::testing
