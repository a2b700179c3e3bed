// Single writes and point reads: db.h.
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

using WriteContract = ContractTest;
FIRN_CONTRACT(WriteContract);

TEST_P(WriteContract, AMissingKeyIsNotFound) {
  EXPECT_EQ(get("a"), "not found");
  EXPECT_TRUE(db().get_pinned("a").status().is_not_found());
}

TEST_P(WriteContract, PutThenGet) {
  put("a", "1");
  settle();
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "not found");
  EXPECT_EQ(get(""), "not found");
  EXPECT_EQ(get("aa"), "not found");
}

TEST_P(WriteContract, TheNewestValueCounts) {
  put("a", "1");
  settle();
  put("a", "2");
  EXPECT_EQ(get("a"), "2");
  settle();
  EXPECT_EQ(get("a"), "2");
}

TEST_P(WriteContract, ErasedKeysAreNotFound) {
  put("a", "1");
  put("b", "2");
  settle();
  erase("a");
  EXPECT_EQ(get("a"), "not found");
  settle();
  EXPECT_EQ(get("a"), "not found");
  EXPECT_EQ(get("b"), "2");
  put("a", "3");
  EXPECT_EQ(get("a"), "3");
}

TEST_P(WriteContract, ErasingAMissingKeyIsAWriteLikeAnyOther) {
  const Sequence before = put("a", "1");
  EXPECT_EQ(erase("b"), before + 1);
  settle();
  EXPECT_EQ(all(), "a=1 ");
}

TEST_P(WriteContract, TheEmptyKeyIsAKeyAndTheEmptyValueAValue) {
  put("", "nothing");
  put("x", "");
  settle();
  EXPECT_EQ(get(""), "nothing");
  EXPECT_EQ(get("x"), "");
  EXPECT_EQ(all(), "=nothing x= ");
  erase("");
  settle();
  EXPECT_EQ(get(""), "not found");
  EXPECT_EQ(get("x"), "");
}

TEST_P(WriteContract, KeysAndValuesAreAnyBytes) {
  const std::string zeros("\0\0", 2);
  const std::string high("\xFF\xFE\x80", 3);
  put(zeros, high);
  put(high, zeros);
  put(Slice("\0", 1), "short");
  settle();
  EXPECT_EQ(get(zeros), high);
  EXPECT_EQ(get(high), zeros);
  EXPECT_EQ(get(Slice("\0", 1)), "short");
  EXPECT_EQ(get(Slice("\0\0\0", 3)), "not found");
}

TEST_P(WriteContract, EveryByteIsKeptApart) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string key(1, static_cast<char>(byte));
    put(key, "value of " + std::to_string(byte));
  }
  settle();
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(get(std::string(1, static_cast<char>(byte))), "value of " + std::to_string(byte));
  }
}

TEST_P(WriteContract, SequencesCountOperationsFromOne) {
  EXPECT_EQ(db().visible_sequence(), 0U);
  EXPECT_EQ(put("a", "1"), 1U);
  EXPECT_EQ(put("a", "2"), 2U);
  EXPECT_EQ(erase("a"), 3U);
  EXPECT_EQ(db().visible_sequence(), 3U);
}

TEST_P(WriteContract, AfterSyncEverythingIsDurable) {
  const Sequence last = put("a", "1");
  ASSERT_TRUE(db().sync().ok());
  EXPECT_GE(db().durable_sequence(), last);
  EXPECT_LE(db().durable_sequence(), db().visible_sequence());
}

TEST_P(WriteContract, EveryDurabilityIsAccepted) {
  const std::pair<Durability, const char*> durabilities[] = {{Durability::kNone, "none"},
                                                             {Durability::kBuffered, "buffered"},
                                                             {Durability::kPeriodic, "periodic"},
                                                             {Durability::kSync, "sync"}};
  for (const auto& [durability, name] : durabilities) {
    const WriteOptions options{durability};
    ASSERT_TRUE(db().put(name, "put", options).ok());
    ASSERT_TRUE(db().put("erased", name, options).ok());
    ASSERT_TRUE(db().erase("erased", options).ok());
    WriteBatch batch;
    batch.put(std::string(name) + "2", "batch");
    ASSERT_TRUE(db().write(batch, options).ok());
    EXPECT_EQ(get(name), "put");
    EXPECT_EQ(get("erased"), "not found");
  }
  settle();
  EXPECT_EQ(all(),
            "buffered=put buffered2=batch none=put none2=batch periodic=put periodic2=batch sync=put sync2=batch ");
}

TEST_P(WriteContract, ASyncedWriteIsDurableWhenItReturns) {
  const auto written = db().put("a", "1", WriteOptions{Durability::kSync});
  ASSERT_TRUE(written.ok());
  EXPECT_GE(db().durable_sequence(), *written);
}

TEST_P(WriteContract, ManyEntriesAreAllThere) {
  const auto key = [](int i) { return "key" + std::to_string(i * 7919 % 5000); };
  for (int i = 0; i < 5000; ++i) put(key(i), std::string(static_cast<std::size_t>(i % 300), 'v') + key(i));
  settle();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(get(key(i)), std::string(static_cast<std::size_t>(i % 300), 'v') + key(i));
  }
}

TEST_P(WriteContract, UpkeepChangesNothingThatReadsSee) {
  for (int i = 0; i < 2000; ++i) put("key" + std::to_string(i % 700), std::to_string(i));
  for (int i = 0; i < 300; ++i) erase("key" + std::to_string(i));
  const std::string before = all();
  EXPECT_EQ(text(db().flush()), "ok");
  EXPECT_EQ(all(), before);
  EXPECT_EQ(text(db().wait_idle()), "ok");
  EXPECT_EQ(all(), before);
  EXPECT_EQ(text(db().compact_range(kDefaultFamily, "key1", "key5")), "ok");
  EXPECT_EQ(all(), before);
  EXPECT_EQ(text(db().compact_range()), "ok");
  EXPECT_EQ(all(), before);
  EXPECT_EQ(backward(db().iterator()).size(), before.size());
  EXPECT_EQ(text(db().sync()), "ok");
  EXPECT_EQ(text(db().verify()), "ok");
  EXPECT_EQ(text(db().health()), "ok");
}

TEST_P(WriteContract, StatisticsCountWhatWasAskedFor) {
  put("a", "12345");
  WriteBatch batch;
  batch.put("b", "1");
  batch.erase("c");
  write(batch);
  EXPECT_EQ(get("a"), "12345");
  const Slice keys[] = {"a", "b", "x"};
  EXPECT_EQ(db().multi_get(keys).size(), 3U);
  const Statistics statistics = db().statistics();
  EXPECT_EQ(statistics.writes, 2U);
  EXPECT_EQ(statistics.entries_written, 3U);
  EXPECT_EQ(statistics.user_bytes_written, 6U + 2U + 1U);
  EXPECT_EQ(statistics.gets, 4U);
}

}  // namespace
}  // namespace firn::testing
