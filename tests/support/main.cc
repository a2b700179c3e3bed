// main() of every test program: GoogleTest, with RapidCheck's number of cases scaled by FIRN_TEST_CASES. An explicit
// RC_PARAMS (a seed to reproduce, say) is left alone. A failing property prints its seed and the RC_PARAMS to rerun it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/cases.h"

namespace {

constexpr int kPropertyCases = 100;

}  // namespace

int main(int argc, char** argv) {
  const std::string params = "max_success=" + std::to_string(firn::testing::cases(kPropertyCases));
  setenv("RC_PARAMS", params.c_str(), 0);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
