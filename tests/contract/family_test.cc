// Families: family.h, DB::create_family, drop_family, families, family.
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

class FamilyContract : public ContractTest {
 protected:
  std::string names() {
    std::string names;
    for (const FamilyInfo& info : db().families()) names += std::to_string(info.family.id) + ":" + info.name + " ";
    return names;
  }
  void expect_refused(const Status& status, Slice reason) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(reason), Slice::npos) << status.message();
  }
};
FIRN_CONTRACT(FamilyContract);

TEST_P(FamilyContract, EveryDatabaseHasTheDefaultOne) {
  EXPECT_EQ(names(), "0:default ");
  ASSERT_TRUE(db().family("default").ok());
  EXPECT_EQ(*db().family("default"), kDefaultFamily);
}

TEST_P(FamilyContract, KeysOfDifferentFamiliesAreDifferentKeys) {
  const Family one = create("one");
  const Family two = create("two");
  put("k", "0");
  put(one, "k", "1");
  put(two, "k", "2");
  settle();
  erase(one, "k");
  settle();
  EXPECT_EQ(get("k"), "0");
  EXPECT_EQ(get(one, "k"), "not found");
  EXPECT_EQ(get(two, "k"), "2");
  EXPECT_EQ(all(two), "k=2 ");
}

TEST_P(FamilyContract, AreListedByIdAndFoundByName) {
  const Family zebra = create("zebra");
  const Family ant = create("ant");
  EXPECT_EQ(names(), "0:default 1:zebra 2:ant ");
  EXPECT_EQ(*db().family("zebra"), zebra);
  EXPECT_EQ(*db().family("ant"), ant);
  const auto missing = db().family("cat");
  EXPECT_TRUE(missing.status().is_not_found());
  EXPECT_NE(missing.status().message().find("cat"), Slice::npos);
}

TEST_P(FamilyContract, ANameHasOneTo255Bytes) {
  expect_refused(db().create_family("").status(), "255");
  expect_refused(db().create_family(std::string(256, 'n')).status(), "255");
  EXPECT_TRUE(db().create_family(std::string(255, 'n')).ok());
  EXPECT_TRUE(db().family(std::string(255, 'n')).ok());
  EXPECT_TRUE(db().create_family(std::string("\0/.. \xFF", 6)).ok()) << "a name is any bytes";
}

TEST_P(FamilyContract, ANameIsTakenOnce) {
  const Family family = create("taken");
  put(family, "k", "v");
  expect_refused(db().create_family("taken").status(), "taken");
  expect_refused(db().create_family("default").status(), "default");
  EXPECT_EQ(get(family, "k"), "v");
}

TEST_P(FamilyContract, BadOptionsAreRefused) {
  FamilyOptions options;
  options.filter_bits_per_key = 33;
  expect_refused(db().create_family("f", options).status(), "filter_bits_per_key");
  options.filter_bits_per_key = 0;
  LevelCompression unknown{};
  unknown[3] = static_cast<Compression>(99);
  options.compression = unknown;
  expect_refused(db().create_family("f", options).status(), "compression");
  EXPECT_EQ(names(), "0:default ");
}

TEST_P(FamilyContract, OptionsChangeNothingThatReadsSee) {
  FamilyOptions options;
  options.filter_bits_per_key = 0;
  options.compression = LevelCompression{};
  options.compression->fill(Compression::kZstd);
  const auto family = db().create_family("packed", options);
  ASSERT_TRUE(family.ok());
  for (int i = 0; i < 1000; ++i) put(*family, "key" + std::to_string(i), std::string(100, 'v'));
  settle();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(get(*family, "key" + std::to_string(i)), std::string(100, 'v'));
  EXPECT_EQ(get(*family, "key"), "not found");
}

TEST_P(FamilyContract, ADroppedOneIsGone) {
  const Family family = create("gone");
  put(family, "k", "v");
  settle();
  ASSERT_TRUE(db().drop_family(family).ok());
  EXPECT_EQ(names(), "0:default ");
  EXPECT_TRUE(db().family("gone").status().is_not_found());
  const Status read = db().get(family, "k").status();
  EXPECT_TRUE(read.is_not_found());
  EXPECT_NE(read.message(), "") << "not to be taken for a missing key";
  EXPECT_TRUE(db().put(family, "k", "v").status().is_not_found());
  EXPECT_TRUE(db().erase(family, "k").status().is_not_found());
  EXPECT_TRUE(db().flush(family).is_not_found());
  EXPECT_TRUE(db().compact_range(family, {}, {}).is_not_found());
  EXPECT_TRUE(db().properties(family).status().is_not_found());
  EXPECT_TRUE(db().drop_family(family).is_not_found());
  EXPECT_EQ(all(family), "error: not found");
}

TEST_P(FamilyContract, AnUnknownOneIsNotFound) {
  EXPECT_TRUE(db().put(Family{77}, "k", "v").status().is_not_found());
  EXPECT_TRUE(db().get(Family{77}, "k").status().is_not_found());
  EXPECT_TRUE(db().drop_family(Family{77}).is_not_found());
  EXPECT_TRUE(db().flush(Family{77}).is_not_found());
  EXPECT_EQ(db().visible_sequence(), 0U);
}

TEST_P(FamilyContract, TheDefaultOneCannotBeDropped) {
  put("k", "v");
  expect_refused(db().drop_family(kDefaultFamily), "default");
  EXPECT_EQ(get("k"), "v");
}

TEST_P(FamilyContract, AnIdIsNeverUsedTwice) {
  const Family first = create("again");
  put(first, "k", "old");
  settle();
  ASSERT_TRUE(db().drop_family(first).ok());
  const Family second = create("again");
  EXPECT_GT(second.id, first.id);
  EXPECT_EQ(get(second, "k"), "not found");
  EXPECT_EQ(all(second), "");
  put(second, "k", "new");
  settle();
  EXPECT_EQ(get(second, "k"), "new");
  EXPECT_TRUE(db().get(first, "k").status().is_not_found());
}

TEST_P(FamilyContract, IteratorsMadeBeforeTheDropKeepTheirs) {
  const Family family = create("dropped");
  put(family, "a", "1");
  settle();
  put(family, "b", "2");
  Iterator it = db().iterator(family);
  EXPECT_EQ(text(it, it.next()), "a=1");
  ASSERT_TRUE(db().drop_family(family).ok());
  settle();
  EXPECT_EQ(text(it, it.next()), "b=2");
  EXPECT_EQ(text(it, it.next()), "end");
  EXPECT_EQ(text(it, it.seek("a")), "a=1");
}

TEST_P(FamilyContract, SnapshotsMadeBeforeTheDropKeepTheirs) {
  const Family family = create("dropped");
  put(family, "a", "1");
  settle();
  put(family, "b", "2");
  const Snapshot before = db().snapshot();
  put(family, "a", "later");
  ASSERT_TRUE(db().drop_family(family).ok());
  put("unrelated", "");
  settle();
  const Snapshot after = db().snapshot();
  EXPECT_EQ(get(family, "a", {&before}), "1");
  EXPECT_EQ(forward(db().iterator(family, {{}, {}, &before})), "a=1 b=2 ");
  const Slice keys[] = {"b", "c"};
  const auto answers = db().multi_get(family, keys, {&before});
  EXPECT_EQ(text(answers[0]), "2");
  EXPECT_EQ(text(answers[1]), "not found");
  EXPECT_NE(db().get(family, "a", {&after}).status().message(), "");
}

TEST_P(FamilyContract, DroppingOneLeavesTheOthers) {
  const Family one = create("one");
  const Family two = create("two");
  for (int i = 0; i < 500; ++i) {
    put(one, "key" + std::to_string(i), std::string(100, '1'));
    put(two, "key" + std::to_string(i), std::string(100, '2'));
    put("key" + std::to_string(i), std::string(100, '0'));
  }
  settle();
  ASSERT_TRUE(db().drop_family(one).ok());
  settle();
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(get(two, "key" + std::to_string(i)), std::string(100, '2'));
    ASSERT_EQ(get("key" + std::to_string(i)), std::string(100, '0'));
  }
}

TEST_P(FamilyContract, ManyMayExist) {
  std::vector<Family> families;
  for (int i = 0; i < 100; ++i) families.push_back(create("family" + std::to_string(i)));
  // Together they have more memory than memtables may, each of them next to none: writers must not wait for a flush
  // that nothing asks for.
  for (int round = 0; round < 5; ++round) {
    for (const Family family : families) put(family, "id", std::to_string(family.id));
  }
  settle();
  for (const Family family : families) EXPECT_EQ(get(family, "id"), std::to_string(family.id));
  EXPECT_EQ(db().families().size(), 101U);
}

TEST_P(FamilyContract, PropertiesAreThatOfOneFamily) {
  const Family family = create("counted");
  for (int i = 0; i < 10; ++i) put(family, std::to_string(i), "v");
  const auto properties = db().properties(family);
  ASSERT_TRUE(properties.ok());
  std::uint64_t entries = properties->memtable_entries;
  for (const LevelInfo& level : properties->levels) entries += level.entries;
  EXPECT_EQ(entries, 10U);
  EXPECT_EQ(db().properties()->memtable_entries, 0U);
}

}  // namespace
}  // namespace firn::testing
