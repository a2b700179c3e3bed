// Every built-in crash test of the engine for some seeds, and every sequence of two steps. FIRN_TEST_CASES scales how
// many states are looked at.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "tests/support/cases.h"
#include "tools/crashtest/catalog.h"

namespace firn::crashtest {
namespace {

// Explores `name` and adds the figures to `total`.
void explore_into(sim::ExploreReport& total, const std::string& name, const sim::ExploreLimits& limits) {
  const std::unique_ptr<EngineWorkload> workload = make_workload(name, limits.seed);
  ASSERT_NE(workload, nullptr) << name;
  const sim::ExploreReport report = explore(*workload, limits);
  total.add(report);
  for (const sim::Violation& violation : report.violations) {
    ADD_FAILURE() << violation.what << '\n'
                  << violation.reproduction << "  repeat with: firn crashtest --replay '" << violation.token << "'";
  }
}

void print(const sim::ExploreReport& total) {
  std::cout << "  " << total.states_explored << " states, " << total.states_pruned << " equal ones, "
            << total.recovery_states << " in recovery, " << total.faults_injected << " faults, "
            << total.unique_outcomes << " outcomes\n";
}

TEST(CrashTest, EveryBuiltInWorkloadKeepsItsPromises) {
  const std::vector<CatalogEntry> entries = catalog();
  sim::ExploreReport total;
  sim::ExploreLimits limits;
  limits.plans_max = 24;
  limits.device_lies = true;
  limits.faults_max = 12;
  limits.states_max = testing::cases(3000);
  for (const CatalogEntry& entry : entries) {
    explore_into(total, entry.name, limits);
    if (HasFailure()) break;
  }
  print(total);
  RecordProperty("states", std::to_string(total.states_explored));
  EXPECT_GE(total.states_explored, testing::cases(30'000));
  EXPECT_GE(total.faults_injected, 100U);
}

TEST(CrashTest, EverySequenceOfTwoStepsKeepsItsPromises) {
  sim::ExploreReport total;
  sim::ExploreLimits limits;
  limits.plans_max = 10;
  limits.recovery_period = 64;
  limits.states_max = testing::cases(1000);
  for (std::size_t length = 1; length <= 2; ++length) {
    for (const std::string& name : sequence_names(length)) {
      explore_into(total, name, limits);
      if (HasFailure()) return;
    }
  }
  print(total);
  EXPECT_EQ(total.runs, 2U * (12 + 144));
  EXPECT_GE(total.states_explored, testing::cases(50'000));
}

}  // namespace
}  // namespace firn::crashtest
