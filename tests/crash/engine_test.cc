// Every built-in crash test of the engine, and every sequence of two steps. FIRN_TEST_CASES scales how many states are
// looked at.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "tests/support/cases.h"
#include "tools/crashtest/catalog.h"

namespace firn::crashtest {
namespace {

// What is looked at may not shrink without anybody noticing.
constexpr std::uint64_t kStatesMin = 2500;  // Of one workload.
constexpr std::uint64_t kFaultsMin = 20;
constexpr std::uint64_t kSequenceStatesMin = 50'000;  // Of all sequences.

std::uint64_t fewer_cases(std::uint64_t count) { return std::min(count, testing::cases(count)); }

sim::ExploreReport explore(const std::string& name, const sim::ExploreLimits& limits) {
  const std::unique_ptr<EngineWorkload> workload = make_workload(name, limits.seed);
  sim::ExploreReport report = sim::explore(*workload, limits);
  for (const sim::Violation& violation : report.violations) {
    ADD_FAILURE() << violation.what << '\n'
                  << violation.reproduction << "  repeat with: firn crashtest --replay '" << violation.token << "'";
  }
  return report;
}

void print(const sim::ExploreReport& total) {
  std::cout << "  " << total.states_explored << " states, " << total.states_pruned << " equal ones, "
            << total.recovery_states << " in recovery, " << total.faults_injected << " faults, "
            << total.unique_outcomes << " outcomes\n";
}

class Workload : public ::testing::TestWithParam<std::string> {};

TEST_P(Workload, KeepsItsPromises) {
  sim::ExploreLimits limits;
  limits.plans_max = 24;
  limits.device_lies = true;
  limits.faults_max = 26;
  limits.states_max = testing::cases(3000);
  const sim::ExploreReport report = explore(GetParam(), limits);
  print(report);
  EXPECT_GE(report.states_explored, fewer_cases(kStatesMin));
  EXPECT_GE(report.faults_injected, kFaultsMin);
}

std::vector<std::string> catalog_names() {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : catalog()) names.push_back(entry.name);
  return names;
}

// "mixed-sync" as GoogleTest wants it: mixed_sync.
std::string case_name(const ::testing::TestParamInfo<std::string>& name) {
  std::string text = name.param;
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Catalog, Workload, ::testing::ValuesIn(catalog_names()), case_name);

TEST(Workloads, OfAllSequencesOfTwoStepsKeepTheirPromises) {
  sim::ExploreReport total;
  sim::ExploreLimits limits;
  limits.plans_max = 10;
  limits.recovery_period = 64;
  limits.states_max = testing::cases(1000);
  for (std::size_t length = 1; length <= 2; ++length) {
    for (const std::string& name : sequence_names(length)) {
      total.add(explore(name, limits));
      if (HasFailure()) return;
    }
  }
  print(total);
  EXPECT_EQ(total.runs, 2U * (12 + 144));
  EXPECT_GE(total.states_explored, fewer_cases(kSequenceStatesMin));
}

}  // namespace
}  // namespace firn::crashtest
