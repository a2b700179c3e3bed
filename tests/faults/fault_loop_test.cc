// Fault loops: the same workload again and again, the first, second, third, ... operation on files failing, until there
// is none left to fail; for every way an operation can go wrong, once and from then on.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/faults/fault_run.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

class FaultLoop : public ::testing::TestWithParam<FaultCase> {};

// Every n-th operation by default, another residue per kind; FIRN_TEST_CASES=1000 takes all of them.
void loop(const FaultCase& kind, Durability durability) {
  const std::uint64_t stride = std::max<std::uint64_t>(1, 500 / cases(100));
  std::uint64_t runs = 0;
  for (std::uint64_t target = kind.name.size() % stride;; target += stride) {
    FaultRun run(kind, target, durability);
    if (!run.run()) break;
    ++runs;
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("%s: %ju runs with a fault\n", kind.name.c_str(), static_cast<std::uintmax_t>(runs));
  EXPECT_GT(runs, 0U);
}

TEST_P(FaultLoop, SyncedWritesSurviveEverything) { loop(GetParam(), Durability::kSync); }
TEST_P(FaultLoop, BufferedWritesSurviveTheProcess) { loop(GetParam(), Durability::kBuffered); }

INSTANTIATE_TEST_SUITE_P(Kinds, FaultLoop, ::testing::ValuesIn(fault_cases()), [](const auto& kind) {
  std::string name = kind.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace firn::testing
