// Random programs on the engine and on MemoryDB give the same answers.
//
// FIRN_TEST_CASES scales how many programs are run; a failure prints the shortest program found that shows it, and the
// RC_PARAMS that repeat it.
#include "tests/contract/model.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <iostream>
#include <sstream>

#include "tests/contract/contract.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

constexpr std::size_t kOperationsMax = 1000;

class ModelTest : public ::testing::TestWithParam<BackendKind> {};
INSTANTIATE_TEST_SUITE_P(All, ModelTest, ::testing::ValuesIn(model_backends()), kind_name);

TEST_P(ModelTest, AnyProgramGivesTheAnswersOfTheOracle) {
  std::uint64_t operations = 0;
  const auto property = [&] {
    const auto program = *program_gen(kOperationsMax);
    const std::unique_ptr<Backend> backend = GetParam().make();
    Model model(*backend);
    for (const Operation& operation : program) model.run(operation);
    model.finish();
    operations += program.size();
  };
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = static_cast<int>(cases(20));
  std::cout << "seed " << params.seed << std::endl;
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::cout << operations << " operations" << std::endl;
  if (result.template is<rc::detail::SuccessResult>()) return;
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  ADD_FAILURE() << message.str() << "\nTo repeat it: RC_PARAMS=\"seed=" << params.seed << "\"";
}

}  // namespace
}  // namespace firn::testing
