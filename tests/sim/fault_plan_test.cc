#include "firn/sim/fault_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "firn/sim/machine.h"
#include "tests/platform/file_helpers.h"

namespace firn::sim {
namespace {

using firn::testing::bytes_of;
using firn::testing::contents;
using firn::testing::create;
using ::testing::SizeIs;

class FaultPlans : public ::testing::Test {
 protected:
  FaultPlan& plan(std::vector<FaultRule> rules, std::uint64_t seed = 0) {
    plan_ = std::make_unique<FaultPlan>(std::move(rules), seed);
    files_.set_fault_hook(plan_->hook());
    return *plan_;
  }
  // How many bits of the two differ.
  static int bits_between(const std::string& a, const std::string& b) {
    EXPECT_EQ(a.size(), b.size());
    int bits = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      bits += __builtin_popcount(static_cast<unsigned char>(a[i] ^ b[i]));
    }
    return bits;
  }

  SimFileSystem files_;
  std::unique_ptr<FaultPlan> plan_;
};

TEST_F(FaultPlans, ARuleBefallsTheNthOfItsOperations) {
  const auto log = create(files_, "/1.log");
  const auto table = create(files_, "/1.table");
  plan({{.path = "*.log", .operations = {OperationKind::kWrite}, .nth = 1, .count = 2}});
  EXPECT_EQ(table->write_at(0, bytes_of("x")).error, 0);
  for (const int error : {0, EIO, EIO, 0}) EXPECT_EQ(log->write_at(0, bytes_of("x")).error, error);
  const std::vector<Injection> injections = plan_->injections();
  ASSERT_THAT(injections, SizeIs(2));
  EXPECT_EQ(injections[0].operation.path, "/1.log");
  plan_->enable(false);
  EXPECT_EQ(log->write_at(0, bytes_of("x")).error, 0);
}

TEST_F(FaultPlans, ChanceFollowsFromTheSeed) {
  const auto count = [this](std::uint64_t seed) {
    const auto file = create(files_, "/" + std::to_string(files_.operation_count()));
    plan({{.operations = {OperationKind::kWrite}, .one_in = 4}}, seed);
    std::string outcome;
    for (int i = 0; i < 400; ++i) outcome += file->write_at(0, bytes_of("x")).error == 0 ? '.' : 'x';
    files_.set_fault_hook({});
    return outcome;
  };
  EXPECT_EQ(count(1), count(1));
  EXPECT_NE(count(1), count(2));
  const std::string outcome = count(3);
  EXPECT_NEAR(static_cast<double>(std::count(outcome.begin(), outcome.end(), 'x')), 100, 40);
}

TEST_F(FaultPlans, TheFirstRuleThatWantsAnOperationGetsIt) {
  const auto file = create(files_, "/a");
  plan({{.error = ENOSPC, .operations = {OperationKind::kWrite}, .nth = 1},
        {.error = EIO, .count = FaultRule::kForEver}});
  for (const int error : {EIO, ENOSPC, EIO}) EXPECT_EQ(file->write_at(0, bytes_of("x")).error, error);
}

TEST_F(FaultPlans, PatternsTakeAnyCharacters) {
  const auto matches = [](const std::string& pattern, const std::string& path) {
    FaultRule rule;
    rule.path = pattern;
    return rule.matches({OperationKind::kRead, path});
  };
  EXPECT_TRUE(matches("*", "/db/1.log"));
  EXPECT_TRUE(matches("*.log", "/db/1.log"));
  EXPECT_TRUE(matches("/db/*1*", "/db/1"));
  EXPECT_TRUE(matches("*a*a*", "banana"));
  EXPECT_TRUE(matches("/db/1.log", "/db/1.log"));
  EXPECT_FALSE(matches("*.log", "/db/1.logs"));
  EXPECT_FALSE(matches("", "/db"));
  EXPECT_FALSE(matches("a*b", "acbc"));
}

TEST_F(FaultPlans, TransfersStopHalfwayWithAndWithoutAnError) {
  const auto file = create(files_, "/a", "........");
  plan({{.kind = FaultKind::kTorn, .error = ENOSPC}});
  IoResult result = file->write_at(0, bytes_of("abcdefgh"));
  EXPECT_EQ(result.error, ENOSPC);
  EXPECT_EQ(result.bytes, 4U);
  plan({{.kind = FaultKind::kShort}});
  result = file->write_at(4, bytes_of("efgh"));
  EXPECT_EQ(result.error, 0);
  EXPECT_EQ(result.bytes, 2U);
  EXPECT_EQ(contents(files_, "/a"), "abcdef..");
}

TEST_F(FaultPlans, RenamesCreationsAndDeletionsFail) {
  create(files_, "/a");
  plan({{.operations = {OperationKind::kRename, OperationKind::kCreate, OperationKind::kRemove},
         .count = FaultRule::kForEver}});
  EXPECT_EQ(files_.rename("/a", "/b").code(), StatusCode::kIo);
  EXPECT_EQ(files_.remove("/a").code(), StatusCode::kIo);
  EXPECT_EQ(files_.open("/c", OpenMode::kCreate, FileKind::kOther).status().code(), StatusCode::kIo);
  EXPECT_OK(files_.open("/a", OpenMode::kRead, FileKind::kOther));
}

TEST_F(FaultPlans, ADroppedSyncForgetsWhatItShouldHaveWritten) {
  const auto file = create(files_, "/a", "old");
  EXPECT_OK(file->sync());
  EXPECT_OK(firn::write_all(*file, 0, bytes_of("newer")));
  plan({{.kind = FaultKind::kDroppedSync}});
  EXPECT_EQ(file->sync().code(), StatusCode::kIo);
  EXPECT_OK(file->sync());  // As if nothing had been.
  EXPECT_EQ(contents(files_, "/a"), std::string("old\0\0", 5));
}

TEST_F(FaultPlans, AFlippedReadIsWrongOnce) {
  const auto file = create(files_, "/a", "some text");
  plan({{.kind = FaultKind::kFlippedRead}}, 7);
  std::string read(9, ' ');
  EXPECT_EQ(file->read_at(0, std::as_writable_bytes(std::span(read))).bytes, 9U);
  EXPECT_EQ(bits_between(read, "some text"), 1);
  EXPECT_EQ(contents(files_, "/a"), "some text");
}

TEST_F(FaultPlans, AFlippedWriteStaysWrong) {
  const auto file = create(files_, "/a");
  plan({{.kind = FaultKind::kFlippedWrite}}, 7);
  EXPECT_OK(firn::write_all(*file, 0, bytes_of("some text")));
  EXPECT_OK(file->sync());
  const auto after = files_.crash_clone({CrashMode::kDropUnsynced, 0, 0});
  EXPECT_EQ(bits_between(contents(files_, "/a"), "some text"), 1);
}

TEST_F(FaultPlans, ALostWriteIsNotThere) {
  const auto file = create(files_, "/a", "old");
  plan({{.kind = FaultKind::kLostWrite, .count = 2}});
  EXPECT_OK(firn::write_all(*file, 0, bytes_of("new")));
  EXPECT_EQ(contents(files_, "/a"), "old");
  EXPECT_OK(firn::write_all(*file, 3, bytes_of("er")));
  EXPECT_EQ(contents(files_, "/a"), std::string("old\0\0", 5));
}

TEST_F(FaultPlans, AMisdirectedWriteIsElsewhere) {
  const std::string sectors(1024, '.');
  const auto file = create(files_, "/a", sectors);
  plan({{.kind = FaultKind::kMisdirectedWrite}}, 5);
  EXPECT_OK(firn::write_all(*file, 0, bytes_of("new")));
  const std::string found = contents(files_, "/a");
  EXPECT_NE(found, sectors);
  EXPECT_EQ(found.substr(0, 512), sectors.substr(0, 512));
  EXPECT_NE(found.find("new"), std::string::npos);
}

TEST_F(FaultPlans, AStaleReadShowsWhatWasThereBefore) {
  const auto file = create(files_, "/a", "older");
  EXPECT_OK(file->sync());
  EXPECT_OK(firn::write_all(*file, 0, bytes_of("newer")));
  EXPECT_OK(file->sync());
  plan({{.kind = FaultKind::kStaleRead}});
  EXPECT_EQ(contents(files_, "/a"), "older");
  EXPECT_EQ(contents(files_, "/a"), "newer");
}

TEST(FaultPlan, ADelayTakesSimulatedTime) {
  Machine machine({});
  FaultPlan plan({{.kind = FaultKind::kDelay, .delay_ns = 5'000'000'000}});
  std::uint64_t taken = 0;
  const Status ended = machine.run([&] {
    machine.files().set_fault_hook(plan.hook());
    const std::uint64_t start = machine.clock().monotonic_ns();
    EXPECT_OK(machine.files().create_directory("/d"));
    taken = machine.clock().monotonic_ns() - start;
  });
  EXPECT_OK(ended);
  EXPECT_GE(taken, 5'000'000'000U);
  EXPECT_LT(taken, 6'000'000'000U);
}

}  // namespace
}  // namespace firn::sim
