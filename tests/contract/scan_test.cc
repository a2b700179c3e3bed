// DB::scan and DB::scan_prefix.
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

class ScanContract : public ContractTest {
 protected:
  std::string prefix(Slice prefix) { return forward(db().scan_prefix(prefix)); }
  std::string prefix_back(Slice prefix) { return backward(db().scan_prefix(prefix)); }
};
FIRN_CONTRACT(ScanContract);

TEST_P(ScanContract, IsFromInclusiveToExclusive) {
  put_each("abcd");
  settle();
  EXPECT_EQ(forward(db().scan("b", "d")), "b=B c=C ");
  EXPECT_EQ(backward(db().scan("b", "d")), "c=C b=B ");
  EXPECT_EQ(forward(db().scan("b", "b")), "");
  EXPECT_EQ(forward(db().scan("d", "b")), "");
}

TEST_P(ScanContract, AnEmptyEndIsUnbounded) {
  put_each("abcd");
  put("", "empty");
  settle();
  EXPECT_EQ(forward(db().scan("c", "")), "c=C d=D ");
  EXPECT_EQ(forward(db().scan("", "b")), "=empty a=A ");
  EXPECT_EQ(forward(db().scan("", "")), "=empty a=A b=B c=C d=D ");
  EXPECT_EQ(backward(db().scan("", "")), "d=D c=C b=B a=A =empty ");
}

TEST_P(ScanContract, APrefixFindsExactlyItsKeys) {
  for (const char* key : {"user", "user:", "user:1", "user:2", "user;", "use", "usf", "v"}) put(key, "x");
  settle();
  EXPECT_EQ(prefix("user:"), "user:=x user:1=x user:2=x ");
  EXPECT_EQ(prefix_back("user:"), "user:2=x user:1=x user:=x ");
  EXPECT_EQ(prefix("user:1"), "user:1=x ");
  EXPECT_EQ(prefix("user:3"), "");
  EXPECT_EQ(prefix("w"), "");
  EXPECT_EQ(prefix("a"), "");
}

TEST_P(ScanContract, TheEmptyPrefixFindsAll) {
  put_each("abc");
  put("", "");
  put("\xFF\xFF\xFF", "high");
  settle();
  EXPECT_EQ(prefix(""), "= a=A b=B c=C \xFF\xFF\xFF=high ");
  EXPECT_EQ(prefix_back(""), "\xFF\xFF\xFF=high c=C b=B a=A = ");
}

TEST_P(ScanContract, PrefixesOfHighestBytesFindNoNeighbour) {
  for (const char* key :
       {"\xFE", "\xFE\xFF", "\xFF", "\xFF\x01", "\xFF\xFE", "\xFF\xFE\xFF", "\xFF\xFF", "\xFF\xFF\xFF"}) {
    put(key, "x");
  }
  settle();
  EXPECT_EQ(prefix("\xFF"), "\xFF=x \xFF\x01=x \xFF\xFE=x \xFF\xFE\xFF=x \xFF\xFF=x \xFF\xFF\xFF=x ");
  EXPECT_EQ(prefix("\xFF\xFF"), "\xFF\xFF=x \xFF\xFF\xFF=x ");
  EXPECT_EQ(prefix("\xFF\xFF\xFF\xFF"), "");
  EXPECT_EQ(prefix("\xFE"), "\xFE=x \xFE\xFF=x ");
  EXPECT_EQ(prefix("\xFE\xFF"), "\xFE\xFF=x ");
  EXPECT_EQ(prefix("\xFF\xFE"), "\xFF\xFE=x \xFF\xFE\xFF=x ");
  EXPECT_EQ(prefix_back("\xFF\xFE\xFF"), "\xFF\xFE\xFF=x ");
}

TEST_P(ScanContract, PrefixesMayHoldZeros) {
  put(Slice("a\0b", 3), "1");
  put(Slice("a\0", 2), "2");
  put("a", "3");
  put("a\x01", "4");
  settle();
  EXPECT_EQ(prefix(Slice("a\0", 2)), std::string("a\0=2 a\0b=1 ", 11));
}

TEST_P(ScanContract, ReadsAtASnapshotAndInAFamily) {
  const Family family = create("other");
  put(family, "p1", "1");
  put("p1", "default");
  const Snapshot snapshot = db().snapshot();
  put(family, "p2", "2");
  erase(family, "p1");
  settle();
  EXPECT_EQ(forward(db().scan_prefix(family, "p", {&snapshot})), "p1=1 ");
  EXPECT_EQ(forward(db().scan_prefix(family, "p")), "p2=2 ");
  EXPECT_EQ(forward(db().scan(family, "p", "q", {&snapshot})), "p1=1 ");
  EXPECT_EQ(forward(db().scan("p", "q", {&snapshot})), "p1=default ");
}

TEST_P(ScanContract, EveryPrefixAgreesWithItsDefinition) {
  const char alphabet[] = {'\0', '\x01', 'a', '\xFE', '\xFF'};
  std::vector<std::string> strings = {""};
  for (std::size_t i = 0; i < strings.size(); ++i) {
    for (const char byte : alphabet) {
      if (strings[i].size() < 3) strings.push_back(strings[i] + byte);
    }
  }
  for (const std::string& key : strings) put(key, "x");
  settle();
  for (const std::string& prefix : strings) {
    std::size_t expected = 0;
    for (const std::string& key : strings) expected += key.compare(0, prefix.size(), prefix) == 0 ? 1U : 0U;
    std::size_t found = 0;
    Iterator it = db().scan_prefix(prefix);
    for (; it.next() == Step::kEntry; ++found) ASSERT_EQ(it.key().substr(0, prefix.size()), prefix);
    EXPECT_EQ(found, expected);
    for (; it.prev() == Step::kEntry; --found) ASSERT_EQ(it.key().substr(0, prefix.size()), prefix);
    EXPECT_EQ(found, 0U);
  }
}

}  // namespace
}  // namespace firn::testing
