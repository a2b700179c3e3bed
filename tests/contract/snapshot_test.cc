// Snapshots: snapshot.h and DB::snapshot.
#include <memory>

#include "firn/memory_db.h"
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

using SnapshotContract = ContractTest;
FIRN_CONTRACT(SnapshotContract);

TEST_P(SnapshotContract, SeesWhatWasWrittenBeforeIt) {
  put_each("ab");
  const Snapshot snapshot = db().snapshot();
  put("a", "new");
  erase("b");
  put("c", "C");
  settle();
  const ReadOptions at{&snapshot};
  EXPECT_EQ(get("a", at), "A");
  EXPECT_EQ(get("b", at), "B");
  EXPECT_EQ(get("c", at), "not found");
  EXPECT_EQ(forward(db().iterator({{}, {}, &snapshot})), "a=A b=B ");
  EXPECT_EQ(backward(db().iterator({{}, {}, &snapshot})), "b=B a=A ");
  EXPECT_EQ(all(), "a=new c=C ");
}

TEST_P(SnapshotContract, CarriesItsSequence) {
  EXPECT_EQ(db().snapshot().sequence(), 0U);
  put_each("ab");
  EXPECT_EQ(db().snapshot().sequence(), 2U);
}

TEST_P(SnapshotContract, OfAnEmptyDatabaseStaysEmpty) {
  const Snapshot snapshot = db().snapshot();
  put_each("abc");
  settle();
  EXPECT_EQ(forward(db().iterator({{}, {}, &snapshot})), "");
  EXPECT_EQ(get("a", {&snapshot}), "not found");
}

TEST_P(SnapshotContract, SeesAllFamiliesAtOneMoment) {
  const Family family = create("other");
  WriteBatch batch;
  batch.put("k", "1");
  batch.put(family, "k", "1");
  write(batch);
  const Snapshot snapshot = db().snapshot();
  put("k", "2");
  put(family, "k", "2");
  settle();
  EXPECT_EQ(get("k", {&snapshot}), "1");
  EXPECT_EQ(get(family, "k", {&snapshot}), "1");
}

TEST_P(SnapshotContract, EachOfManyKeepsItsOwnVersion) {
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < 50; ++i) {
    put("k", std::to_string(i));
    if (i % 10 == 9) erase("k");
    snapshots.push_back(db().snapshot());
    if (i == 20) settle();
  }
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    EXPECT_EQ(get("k", {&snapshots[i]}), i % 10 == 9 ? "not found" : std::to_string(i));
  }
  // With every other one released, the rest still see theirs.
  for (std::size_t i = 0; i < 25; ++i) snapshots.erase(snapshots.begin() + static_cast<std::ptrdiff_t>(i));
  put("other", "");
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const std::size_t number = 2 * i + 1;
    EXPECT_EQ(get("k", {&snapshots[i]}), number % 10 == 9 ? "not found" : std::to_string(number));
  }
}

TEST_P(SnapshotContract, CopiesShareTheMoment) {
  put("a", "1");
  auto first = std::make_unique<Snapshot>(db().snapshot());
  const Snapshot copy = *first;
  first.reset();
  put("a", "2");
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  EXPECT_EQ(get("a", {&copy}), "1");
}

TEST_P(SnapshotContract, AnIteratorNeedsItsSnapshotOnlyToBeMade) {
  put("a", "1");
  auto snapshot = std::make_unique<Snapshot>(db().snapshot());
  put("a", "2");
  Iterator it = db().iterator({{}, {}, snapshot.get()});
  snapshot.reset();
  put("a", "3");
  settle();
  EXPECT_EQ(text(db().compact_range()), "ok");
  EXPECT_EQ(text(it, it.next()), "a=1");
}

TEST_P(SnapshotContract, OfAnotherDatabaseIsRefused) {
  auto other = open_memory_db();
  const Snapshot foreign = other->snapshot();
  put("a", "1");
  const ReadOptions at{&foreign};
  EXPECT_EQ(db().get("a", at).status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(db().get("a", at).status().message().find("another database"), Slice::npos);
  const Slice keys[] = {"a"};
  EXPECT_EQ(db().multi_get(keys, at)[0].status().code(), StatusCode::kInvalidArgument);
  Iterator it = db().iterator({{}, {}, &foreign});
  EXPECT_EQ(it.next(), Step::kError);
  EXPECT_EQ(it.status().code(), StatusCode::kInvalidArgument);
}

TEST_P(SnapshotContract, MayOutliveTheDatabase) {
  put("a", "1");
  auto snapshot = std::make_unique<Snapshot>(db().snapshot());
  ASSERT_TRUE(db().close().ok());
  EXPECT_EQ(get("a", {snapshot.get()}), "closed");
  destroy_db();
  EXPECT_EQ(snapshot->sequence(), 1U);
  snapshot.reset();
}

}  // namespace
}  // namespace firn::testing
