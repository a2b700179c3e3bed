// Batches: write_batch.h and DB::write.
#include "firn/memory_db.h"
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

using BatchContract = ContractTest;
FIRN_CONTRACT(BatchContract);

TEST(WriteBatch, CountsItsOperations) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0U);
  batch.put("a", "1");
  batch.erase("b");
  EXPECT_EQ(batch.count(), 2U);
  EXPECT_FALSE(batch.empty());
  EXPECT_GT(batch.bytes(), 3U);
  EXPECT_EQ(batch.payload().size(), batch.bytes());
  EXPECT_TRUE(batch.status().ok());
}

TEST(WriteBatch, ClearedIsLikeNew) {
  WriteBatch batch;
  batch.put(std::string(kKeyBytesMax + 1, 'k'), "");
  EXPECT_FALSE(batch.status().ok());
  batch.clear();
  EXPECT_TRUE(batch.status().ok());
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0U);
}

TEST(WriteBatch, CopiesKeysAndValues) {
  auto db = open_memory_db();
  WriteBatch batch;
  std::string key = "key";
  std::string value = "value";
  batch.put(key, value);
  key = "xxx";
  value = "xxxxx";
  ASSERT_TRUE(db->write(batch).ok());
  EXPECT_EQ(text(db->get("key")), "value");
}

TEST_P(BatchContract, WritesAllItsOperations) {
  put("b", "old");
  WriteBatch batch;
  batch.put("a", "1");
  batch.erase("b");
  batch.put("c", "3");
  EXPECT_EQ(write(batch), 4U);
  settle();
  EXPECT_EQ(all(), "a=1 c=3 ");
}

TEST_P(BatchContract, AnswersTheSequenceOfItsLastOperation) {
  put("a", "1");
  WriteBatch batch;
  for (int i = 0; i < 10; ++i) batch.put("b", std::to_string(i));
  EXPECT_EQ(write(batch), 11U);
  EXPECT_EQ(db().visible_sequence(), 11U);
}

TEST_P(BatchContract, LaterOperationsOnAKeyWin) {
  WriteBatch batch;
  batch.put("a", "1");
  batch.put("a", "2");
  batch.put("b", "1");
  batch.erase("b");
  batch.erase("c");
  batch.put("c", "3");
  write(batch);
  EXPECT_EQ(all(), "a=2 c=3 ");
  settle();
  EXPECT_EQ(all(), "a=2 c=3 ");
}

TEST_P(BatchContract, AnEmptyOneWritesNothing) {
  put("a", "1");
  EXPECT_EQ(write(WriteBatch()), 1U);
  EXPECT_EQ(db().visible_sequence(), 1U);
}

TEST_P(BatchContract, SpansFamilies) {
  const Family left = create("left");
  const Family right = create("right");
  WriteBatch batch;
  batch.put(left, "k", "l");
  batch.put(right, "k", "r");
  batch.put("k", "d");
  write(batch);
  settle();
  EXPECT_EQ(get(left, "k"), "l");
  EXPECT_EQ(get(right, "k"), "r");
  EXPECT_EQ(get("k"), "d");
}

TEST_P(BatchContract, WithAnUnknownFamilyWritesNothing) {
  WriteBatch batch;
  batch.put("a", "1");
  batch.put(Family{77}, "b", "2");
  batch.put("c", "3");
  const auto written = db().write(batch);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(text(written.status()), "not found");
  EXPECT_NE(written.status().message().find("77"), Slice::npos) << written.status().message();
  EXPECT_EQ(all(), "");
  EXPECT_EQ(db().visible_sequence(), 0U);
}

TEST_P(BatchContract, WithADroppedFamilyWritesNothing) {
  const Family family = create("short-lived");
  WriteBatch batch;
  batch.put("a", "1");
  batch.put(family, "b", "2");
  ASSERT_TRUE(db().drop_family(family).ok());
  EXPECT_EQ(text(db().write(batch).status()), "not found");
  EXPECT_EQ(all(), "");
}

TEST_P(BatchContract, BeyondALimitWritesNothing) {
  WriteBatch batch;
  batch.put("a", "1");
  batch.put(std::string(kKeyBytesMax + 1, 'k'), "2");
  batch.put("c", "3");
  EXPECT_FALSE(batch.status().ok());
  const auto written = db().write(batch);
  EXPECT_EQ(written.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(written.status().message(), batch.status().message());
  EXPECT_EQ(all(), "");
}

TEST_P(BatchContract, MayBeWrittenTwice) {
  WriteBatch batch;
  batch.put("a", "1");
  write(batch);
  erase("a");
  EXPECT_EQ(write(batch), 3U);
  EXPECT_EQ(get("a"), "1");
}

TEST_P(BatchContract, OfManyOperationsIsWhole) {
  WriteBatch batch;
  for (int i = 0; i < 20'000; ++i) batch.put("key" + std::to_string(i), std::string(20, 'v'));
  EXPECT_EQ(write(batch), 20'000U);
  EXPECT_EQ(get("key0"), std::string(20, 'v'));
  settle();
  int count = 0;
  Iterator it = db().iterator();
  while (it.next() == Step::kEntry) ++count;
  EXPECT_EQ(count, 20'000);
}

}  // namespace
}  // namespace firn::testing
