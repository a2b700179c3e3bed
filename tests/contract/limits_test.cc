// The limits of slice.h: what is just within works, what is just beyond is refused and changes nothing.
#include <sys/mman.h>

#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

// Address space that reads as zeros and costs no memory while nobody reads it.
class Zeros {
 public:
  explicit Zeros(std::size_t bytes)
      : bytes_(bytes), at_(mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    EXPECT_NE(at_, MAP_FAILED);
  }
  ~Zeros() { munmap(at_, bytes_); }
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  Slice slice() const { return {static_cast<const char*>(at_), bytes_}; }

 private:
  const std::size_t bytes_;
  void* const at_;
};

class LimitsContract : public ContractTest {
 protected:
  void expect_refused(const Status& status, const std::string& limit) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(limit), Slice::npos) << status.message();
    EXPECT_EQ(db().visible_sequence(), 0U);
    EXPECT_EQ(all(), "");
  }
};
FIRN_CONTRACT(LimitsContract);

TEST_P(LimitsContract, TheLongestKeyIsAKey) {
  const std::string longest(kKeyBytesMax, '\xFF');
  const std::string neighbour = longest.substr(1);
  put(longest, "longest");
  put(neighbour, "neighbour");
  settle();
  EXPECT_EQ(get(longest), "longest");
  EXPECT_EQ(get(neighbour), "neighbour");
  Iterator it = db().scan_prefix(neighbour);
  ASSERT_EQ(it.next(), Step::kEntry);
  EXPECT_EQ(it.key(), neighbour);
  ASSERT_EQ(it.next(), Step::kEntry);
  EXPECT_EQ(it.key(), longest);
  EXPECT_EQ(it.next(), Step::kEnd);
  erase(longest);
  settle();
  EXPECT_EQ(get(longest), "not found");
  EXPECT_EQ(get(neighbour), "neighbour");
}

TEST_P(LimitsContract, ManyOfTheLongestKeysFitTogether) {
  std::string key(kKeyBytesMax, 'k');
  for (char last = 'a'; last <= 'z'; ++last) {
    key.back() = last;
    put(key, std::string(1, last));
  }
  settle();
  for (char last = 'a'; last <= 'z'; ++last) {
    key.back() = last;
    EXPECT_EQ(get(key), std::string(1, last));
  }
}

TEST_P(LimitsContract, AKeyBeyondTheLimitIsRefused) {
  const std::string key(kKeyBytesMax + 1, 'k');
  const std::string limit = std::to_string(kKeyBytesMax);
  expect_refused(db().put(key, "v").status(), limit);
  expect_refused(db().erase(key).status(), limit);
  expect_refused(db().get(key).status(), limit);
  const Slice keys[] = {"a", key};
  const auto answers = db().multi_get(keys);
  EXPECT_TRUE(answers[0].status().is_not_found());
  expect_refused(answers[1].status(), limit);
}

TEST_P(LimitsContract, AnyKeyMayBeSought) {
  put_each("ac");
  settle();
  Iterator it = db().iterator();
  EXPECT_EQ(text(it, it.seek("b" + std::string(2 * kKeyBytesMax, 'x'))), "c=C");
  EXPECT_EQ(text(it, it.seek_before("b" + std::string(2 * kKeyBytesMax, 'x'))), "a=A");
}

TEST_P(LimitsContract, AValueBeyondTheLimitIsRefused) {
  const Zeros value(kValueBytesMax + 1);
  const std::string limit = std::to_string(kValueBytesMax);
  expect_refused(db().put("k", value.slice()).status(), limit);
  WriteBatch batch;
  batch.put("a", "1");
  batch.put("k", value.slice());
  expect_refused(db().write(batch).status(), limit);
}

TEST_P(LimitsContract, ABatchBeyondTheLimitIsRefused) {
  const Zeros value(kValueBytesMax);
  WriteBatch batch;
  batch.put("a", "1");
  batch.put("k", value.slice());
  expect_refused(db().write(batch).status(), std::to_string(kBatchBytesMax));
}

TEST_P(LimitsContract, AnUnknownFamilyAndAWrongKeyAreBothErrors) {
  EXPECT_FALSE(db().put(Family{77}, std::string(kKeyBytesMax + 1, 'k'), "v").ok());
  EXPECT_EQ(db().visible_sequence(), 0U);
}

TEST_P(LimitsContract, LargeValuesComeBackWhole) {
  std::string value(20 << 20, '\0');
  for (std::size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i >> 12);
  put("large", value);
  put("small", "s");
  EXPECT_TRUE(get("large") == value);
  settle();
  EXPECT_TRUE(get("large") == value);
  Iterator it = db().iterator();
  ASSERT_EQ(it.next(), Step::kEntry);
  EXPECT_TRUE(it.value() == value);
  EXPECT_EQ(text(it, it.next()), "small=s");
  ASSERT_EQ(it.prev(), Step::kEntry);
  EXPECT_TRUE(it.value() == value);
}

}  // namespace
}  // namespace firn::testing
