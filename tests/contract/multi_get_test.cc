// DB::multi_get: one answer a key, in order, from one moment.
#include "tests/contract/contract.h"

namespace firn::testing {
namespace {

class MultiGetContract : public ContractTest {
 protected:
  std::string read(const std::vector<Slice>& keys, const ReadOptions& options = {}) {
    std::string answers;
    for (const auto& answer : db().multi_get(keys, options)) answers += text(answer) + " ";
    return answers;
  }
};
FIRN_CONTRACT(MultiGetContract);

TEST_P(MultiGetContract, AnswersInTheOrderOfTheKeys) {
  put_each("abcd");
  erase("c");
  settle();
  EXPECT_EQ(read({"d", "a", "x", "c", "b"}), "D A not found not found B ");
}

TEST_P(MultiGetContract, NoKeysNoAnswers) { EXPECT_EQ(read({}), ""); }

TEST_P(MultiGetContract, AKeyMayBeAskedForTwice) {
  put_each("ab");
  settle();
  EXPECT_EQ(read({"a", "b", "a", "a"}), "A B A A ");
}

TEST_P(MultiGetContract, ReadsAtASnapshot) {
  put_each("ab");
  const Snapshot snapshot = db().snapshot();
  put("a", "new");
  erase("b");
  put("c", "C");
  settle();
  EXPECT_EQ(read({"a", "b", "c"}, {&snapshot}), "A B not found ");
  EXPECT_EQ(read({"a", "b", "c"}), "new not found C ");
}

TEST_P(MultiGetContract, OfManyKeysFindsAll) {
  std::vector<std::string> owned;
  for (int i = 0; i < 1000; ++i) {
    owned.push_back("key" + std::to_string(i));
    if (i % 3 != 0) put(owned.back(), std::string(static_cast<std::size_t>(i), 'v'));
    if (i == 500) settle();
  }
  const std::vector<Slice> keys(owned.rbegin(), owned.rend());
  const auto answers = db().multi_get(keys);
  ASSERT_EQ(answers.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::size_t number = 999 - i;
    ASSERT_EQ(text(answers[i]), number % 3 == 0 ? "not found" : std::string(number, 'v'));
  }
}

TEST_P(MultiGetContract, OfAnUnknownFamilyAnswersSoForEachKey) {
  const Slice keys[] = {"a", "b"};
  const auto answers = db().multi_get(Family{77}, keys);
  ASSERT_EQ(answers.size(), 2U);
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.status().is_not_found());
    EXPECT_NE(answer.status().message(), "");
  }
}

}  // namespace
}  // namespace firn::testing
