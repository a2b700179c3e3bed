// DB::close, and what outlives a database: iterators, snapshots, pinned values.
#include <memory>

#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

using CloseContract = ContractTest;
FIRN_CONTRACT(CloseContract);

TEST_P(CloseContract, AfterItEveryCallAnswersClosed) {
  const Family family = create("other");
  put("a", "1");
  const Snapshot snapshot = db().snapshot();
  ASSERT_EQ(text(db().close()), "ok");
  WriteBatch batch;
  batch.put("b", "2");
  EXPECT_EQ(text(db().put("b", "2").status()), "closed");
  EXPECT_EQ(text(db().erase("a").status()), "closed");
  EXPECT_EQ(text(db().write(batch).status()), "closed");
  EXPECT_EQ(text(db().write(WriteBatch()).status()), "closed");
  EXPECT_EQ(text(db().sync()), "closed");
  EXPECT_EQ(get("a"), "closed");
  EXPECT_EQ(get(family, "a", {&snapshot}), "closed");
  const Slice keys[] = {"a", "b"};
  for (const auto& answer : db().multi_get(keys)) EXPECT_EQ(text(answer), "closed");
  EXPECT_EQ(all(), "error: closed");
  EXPECT_EQ(forward(db().scan("a", "b")), "error: closed");
  EXPECT_EQ(forward(db().scan_prefix("a")), "error: closed");
  EXPECT_EQ(text(db().create_family("new").status()), "closed");
  EXPECT_EQ(text(db().drop_family(family)), "closed");
  EXPECT_EQ(text(db().family("other").status()), "closed");
  EXPECT_EQ(text(db().flush()), "closed");
  EXPECT_EQ(text(db().compact_range()), "closed");
  EXPECT_EQ(text(db().wait_idle()), "closed");
  EXPECT_EQ(text(db().verify()), "closed");
  EXPECT_EQ(text(db().health()), "closed");
  EXPECT_EQ(text(db().properties().status()), "closed");
}

TEST_P(CloseContract, TheRestOfTheInterfaceStaysHarmless) {
  put("a", "1");
  ASSERT_EQ(text(db().close()), "ok");
  EXPECT_EQ(db().visible_sequence(), 1U);
  EXPECT_GE(db().durable_sequence(), 1U);
  EXPECT_EQ(db().statistics().writes, 1U);
  static_cast<void>(db().families());
  static_cast<void>(db().snapshot());
  static_cast<void>(db().recovery());
  static_cast<void>(db().sizes());
}

TEST_P(CloseContract, ASecondOneIsOk) {
  EXPECT_EQ(text(db().close()), "ok");
  EXPECT_EQ(text(db().close()), "ok");
}

TEST_P(CloseContract, TheErrorSaysWhatToDo) {
  ASSERT_EQ(text(db().close()), "ok");
  EXPECT_NE(db().get("a").status().message(), "");
}

TEST_P(CloseContract, IteratorsGoOnAfterIt) {
  for (int i = 0; i < 1000; ++i) put("key" + std::to_string(i), std::string(100, 'v'));
  settle();
  for (int i = 1000; i < 1500; ++i) put("key" + std::to_string(i), std::string(100, 'v'));
  Iterator it = db().iterator();
  ASSERT_EQ(it.next(), Step::kEntry);
  ASSERT_EQ(text(db().close()), "ok");
  int count = 1;
  for (; it.next() == Step::kEntry; ++count) ASSERT_EQ(it.value(), std::string(100, 'v'));
  EXPECT_EQ(count, 1500);
  EXPECT_TRUE(it.status().ok());
  destroy_db();
  for (; it.prev() == Step::kEntry; --count) ASSERT_EQ(it.value(), std::string(100, 'v'));
  EXPECT_EQ(count, 0);
  EXPECT_EQ(text(it, it.seek("key10")), "key10=" + std::string(100, 'v'));
}

TEST_P(CloseContract, PinnedValuesOutliveTheDatabase) {
  const std::string large(10'000, 'l');
  put("flushed", large);
  settle();
  put("fresh", large);
  put("small", "s");
  auto flushed = db().get_pinned("flushed");
  auto fresh = db().get_pinned("fresh");
  auto small = db().get_pinned("small");
  put("fresh", "overwritten");
  put("flushed", "overwritten");
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  EXPECT_EQ(flushed->slice(), large);
  ASSERT_EQ(text(db().close()), "ok");
  EXPECT_EQ(fresh->slice(), large);
  destroy_db();
  EXPECT_EQ(flushed->slice(), large);
  EXPECT_EQ(fresh->slice(), large);
  EXPECT_EQ(small->slice(), "s");
}

TEST_P(CloseContract, DestructionCloses) {
  put("a", "1");
  destroy_db();
  open();
  EXPECT_EQ(get("a"), backend().persistent() ? "1" : "not found");
}

class ReopenContract : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(All, ReopenContract, ::testing::ValuesIn(persistent_backends()), kind_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReopenContract);

TEST_P(ReopenContract, KeepsWhatWasWritten) {
  put_each("abc");
  settle();
  erase("b");
  put("c", "new");
  reopen();
  EXPECT_EQ(all(), "a=A c=new ");
  EXPECT_TRUE(db().recovery().clean);
  EXPECT_EQ(db().recovery().batches, 0U);
}

TEST_P(ReopenContract, GoesOnCountingSequences) {
  put_each("abc");
  reopen();
  EXPECT_EQ(db().visible_sequence(), 3U);
  EXPECT_EQ(put("d", "D"), 4U);
  reopen();
  EXPECT_EQ(db().visible_sequence(), 4U);
  EXPECT_GE(db().durable_sequence(), 4U);
}

TEST_P(ReopenContract, KeepsWritesOfEveryDurability) {
  ASSERT_TRUE(db().put("none", "1", WriteOptions{Durability::kNone}).ok());
  ASSERT_TRUE(db().put("buffered", "1", WriteOptions{Durability::kBuffered}).ok());
  ASSERT_TRUE(db().put("sync", "1", WriteOptions{Durability::kSync}).ok());
  reopen();
  EXPECT_EQ(all(), "buffered=1 none=1 sync=1 ");
}

TEST_P(ReopenContract, KeepsFamilies) {
  const Family one = create("one");
  const Family two = create("two");
  put(one, "k", "1");
  put(two, "k", "2");
  ASSERT_TRUE(db().drop_family(one).ok());
  reopen();
  EXPECT_EQ(db().families().size(), 2U);
  EXPECT_TRUE(db().family("one").status().is_not_found());
  EXPECT_TRUE(db().get(one, "k").status().is_not_found());
  ASSERT_TRUE(db().family("two").ok());
  EXPECT_EQ(*db().family("two"), two);
  EXPECT_EQ(get(two, "k"), "2");
  EXPECT_GT(create("three").id, two.id);
}

TEST_P(ReopenContract, NeverUsesTheIdOfADroppedFamilyAgain) {
  const Family dropped = create("dropped");
  put(dropped, "k", "old");
  ASSERT_TRUE(db().drop_family(dropped).ok());
  reopen();
  const Family fresh = create("fresh");
  EXPECT_GT(fresh.id, dropped.id);
  EXPECT_EQ(all(fresh), "");
}

TEST_P(ReopenContract, ManyTimesLosesNothing) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 200; ++i) put("key" + std::to_string(i * 10 + round), std::to_string(round));
    if (round % 3 == 0) settle();
    reopen();
    int count = 0;
    Iterator it = db().iterator();
    while (it.next() == Step::kEntry) ++count;
    ASSERT_EQ(count, 200 * (round + 1));
  }
}

TEST_P(ReopenContract, OfAnEmptyDatabaseIsEmpty) {
  reopen();
  EXPECT_EQ(all(), "");
  EXPECT_EQ(db().visible_sequence(), 0U);
}

}  // namespace
}  // namespace firn::testing
