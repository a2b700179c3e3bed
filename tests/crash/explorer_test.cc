// The explorer finds what is wrong with a small program, and nothing wrong with the right one.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "platform/sim/explorer_token.h"
#include "tests/crash/register.h"

namespace firn::sim {
namespace {

ExploreLimits thorough() {
  ExploreLimits limits;
  limits.recovery_period = 1;
  limits.faults_max = 600;
  return limits;
}

std::size_t lines(const std::string& text, std::string_view with) {
  std::size_t count = 0;
  for (std::size_t at = text.find(with); at != std::string::npos; at = text.find(with, at + 1)) ++count;
  return count;
}

TEST(Explorer, FindsNothingWrongWithARightProgram) {
  Register program(Mistake::kNone);
  const ExploreReport report = explore(program, thorough());
  EXPECT_TRUE(report.violations.empty()) << report.violations.front().what << '\n'
                                         << report.violations.front().reproduction;
  EXPECT_TRUE(report.complete);
  EXPECT_GT(report.states_explored, 100U);
  EXPECT_GT(report.states_pruned, 0U);
  EXPECT_GT(report.recovery_states, 0U);
  EXPECT_GT(report.faults_injected, 20U);
  EXPECT_EQ(report.runs, report.faults_injected + 1);
  EXPECT_EQ(report.unique_outcomes, 7U);  // 0 to 6.
}

TEST(Explorer, DoesTheSameTwice) {
  Register program(Mistake::kNone);
  const ExploreReport a = explore(program, thorough());
  const ExploreReport b = explore(program, thorough());
  EXPECT_EQ(a.states_explored, b.states_explored);
  EXPECT_EQ(a.states_pruned, b.states_pruned);
  EXPECT_EQ(a.recovery_states, b.recovery_states);
}

class EveryMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(EveryMistake, IsFoundShrunkAndRepeated) {
  Register program(GetParam());
  const ExploreReport report = explore(program, thorough());
  ASSERT_EQ(report.violations.size(), 1U);
  const Violation& violation = report.violations.front();
  // The least that shows it: one unit lost, or one there, two for a torn file.
  const std::size_t told = std::min(lines(violation.reproduction, "lost:"),
                                    lines(violation.reproduction, "there:") + lines(violation.reproduction, "cut"));
  EXPECT_LE(told, 2U) << violation.reproduction;
  const auto again = replay(program, violation.token);
  ASSERT_TRUE(again.ok()) << again.status().to_string();
  ASSERT_TRUE(again->has_value()) << violation.token;
  EXPECT_EQ((*again)->what, violation.what);
  EXPECT_EQ((*again)->reproduction, violation.reproduction);
  // The right program survives the same crash, where it comes that far.
  Register right(Mistake::kNone);
  const auto fine = replay(right, violation.token);
  if (fine.ok()) {
    EXPECT_FALSE(fine->has_value()) << (*fine)->what;
  }
}

INSTANTIATE_TEST_SUITE_P(Register, EveryMistake,
                         ::testing::Values(Mistake::kNoDirectorySync, Mistake::kRenameBeforeSync,
                                           Mistake::kAcknowledgeTooSoon, Mistake::kInPlace, Mistake::kShortWrite,
                                           Mistake::kIgnoredSync, Mistake::kRecoveryInPlace,
                                           Mistake::kRecoveryTrustsCache));

TEST(Explorer, NeedsACrashInRecoveryForAMistakeInRecovery) {
  ExploreLimits limits = thorough();
  limits.recovery_depth = 0;
  Register program(Mistake::kRecoveryInPlace);
  EXPECT_TRUE(explore(program, limits).violations.empty());
  limits.recovery_depth = 1;
  const ExploreReport report = explore(program, limits);
  ASSERT_EQ(report.violations.size(), 1U);
  EXPECT_EQ(Token::parse(report.violations.front().token)->steps.size(), 2U);
}

TEST(Explorer, NeedsAKillAndThenAPowerLossForAMistakeAboutTheCache) {
  Register program(Mistake::kRecoveryTrustsCache);
  ExploreLimits limits = thorough();
  for (const CrashProfile alone : {CrashProfile::kProcessKill, CrashProfile::kStrict}) {
    limits.profiles = {alone};
    EXPECT_TRUE(explore(program, limits).violations.empty());
  }
  limits.profiles = {CrashProfile::kProcessKill, CrashProfile::kStrict};
  const ExploreReport report = explore(program, limits);
  ASSERT_EQ(report.violations.size(), 1U);
  const auto steps = Token::parse(report.violations.front().token)->steps;
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].profile, CrashProfile::kProcessKill);
  EXPECT_EQ(steps[1].profile, CrashProfile::kStrict);
}

// Makes a mistake, and then goes on without.
class Reformed final : public Workload {
 public:
  explicit Reformed(bool marks) : marks_(marks) {}

  std::string name() const override { return "reformed"; }
  Status run(World& world) override {
    if (Status status = Register(Mistake::kAcknowledgeTooSoon, 1).run(world); !status.ok()) return status;
    if (marks_) world.explore_from_here();
    return right_.run(world);
  }
  Status check(World& world, std::span<const std::string> acknowledged) override {
    return right_.check(world, acknowledged);
  }

 private:
  const bool marks_;
  Register right_{Mistake::kNone};
};

TEST(Explorer, DoesNotExplorePreparation) {
  Reformed marked(true);
  const ExploreReport report = explore(marked, thorough());
  EXPECT_TRUE(report.violations.empty());
  EXPECT_GT(report.states_explored, 100U);
  EXPECT_GT(report.faults_injected, 20U);
  Reformed unmarked(false);
  EXPECT_FALSE(explore(unmarked, thorough()).violations.empty());
}

TEST(Explorer, NeedsAFaultForAMistakeAboutFaults) {
  ExploreLimits limits = thorough();
  limits.faults_max = 0;
  for (const Mistake mistake : {Mistake::kShortWrite, Mistake::kIgnoredSync}) {
    Register program(mistake);
    EXPECT_TRUE(explore(program, limits).violations.empty());
  }
}

TEST(Explorer, SaysWhoIsNotDeterministic) {
  Register program(Mistake::kRemembers, 60);
  const ExploreReport report = explore(program, {});
  ASSERT_EQ(report.violations.size(), 1U);
  EXPECT_NE(report.violations.front().what.find("not deterministic"), std::string::npos);
}

TEST(Explorer, AProcessThatDiesOwesItsOwnPromisesOnly) {
  // Nothing is synced, and everything is with the operating system.
  ExploreLimits limits;
  limits.profiles = {CrashProfile::kProcessKill};
  Register program(Mistake::kNoDirectorySync);
  EXPECT_TRUE(explore(program, limits).violations.empty());
  limits.profiles = {CrashProfile::kStrict};
  EXPECT_EQ(explore(program, limits).violations.size(), 1U);
}

TEST(Explorer, KeepsToItsLimits) {
  ExploreLimits limits;
  limits.states_max = 10;
  Register program(Mistake::kNone);
  const ExploreReport report = explore(program, limits);
  EXPECT_EQ(report.states_explored, 10U);
  EXPECT_FALSE(report.complete);
  ExploreObserver observer;
  observer.progress = [](const ExploreReport&) { return false; };
  EXPECT_LE(explore(program, {}, observer).states_explored, 1U);
}

TEST(Explorer, ToldTokensAreReadAgain) {
  for (const char* text : {"outbox/1", "outbox/18446744073709551615", "a-b+c/7/f3.error", "w/1/12.kill.",
                           "w/1/f0.failedsync/12.strict.3+2-17c/5.ordered.+"}) {
    const auto token = Token::parse(text);
    ASSERT_TRUE(token.has_value()) << text;
    EXPECT_EQ(token->text(), text);
  }
  for (const char* text : {"", "/", "w", "w/", "w/x", "w/1/12", "w/1/12.never.+", "w/1/f.error", "w/1/f1.x"}) {
    EXPECT_FALSE(Token::parse(text).has_value()) << text;
  }
  Register program(Mistake::kNone);
  EXPECT_EQ(replay(program, "register/1/12").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(replay(program, "other/1/12.strict.+").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(replay(program, "register/1/99999.strict.+").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(replay(program, "register/1/4.strict.zzz").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace firn::sim
