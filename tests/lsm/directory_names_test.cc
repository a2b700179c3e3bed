// When a sync of a directory makes names durable: not after another one has failed meanwhile.
#include "lsm/directory_names.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>

#include "firn/sim/file_system.h"
#include "tests/platform/file_helpers.h"

namespace firn::lsm {
namespace {

using firn::testing::create;
using firn::testing::exists;

class Names : public ::testing::Test {
 protected:
  Status sync_with(int error, DirectoryNames::Mark made_after) {
    files_.set_fault_hook([error](const sim::Operation& operation) -> std::optional<sim::Fault> {
      if (error == 0 || operation.kind != sim::OperationKind::kSyncDirectory) return std::nullopt;
      return sim::Fault(error);
    });
    return names_.sync(made_after);
  }
  bool outlives_a_power_failure(const std::string& path) { return exists(*files_.crash_clone({}), path); }

  sim::SimFileSystem files_;
  DirectoryNames names_{files_, "/"};
};

TEST_F(Names, AreDurableOnceSynced) {
  const DirectoryNames::Mark before = names_.mark();
  create(files_, "/a");
  EXPECT_FALSE(outlives_a_power_failure("/a"));
  EXPECT_OK(sync_with(0, before));
  EXPECT_TRUE(outlives_a_power_failure("/a"));
}

TEST_F(Names, AreInDoubtAfterTheFailureOfAnyOthersSync) {
  const DirectoryNames::Mark before = names_.mark();
  create(files_, "/a");
  EXPECT_EQ(sync_with(ENOSPC, names_.mark()).code(), StatusCode::kNoSpace);
  EXPECT_EQ(sync_with(0, before).code(), StatusCode::kIo);
  EXPECT_FALSE(outlives_a_power_failure("/a")) << "or the error was for nothing";
}

TEST_F(Names, ThatAreMadeAfterAFailureAreNot) {
  EXPECT_FALSE(sync_with(EIO, names_.mark()).ok());
  const DirectoryNames::Mark before = names_.mark();
  create(files_, "/a");
  EXPECT_OK(sync_with(0, before));
  EXPECT_TRUE(outlives_a_power_failure("/a"));
}

}  // namespace
}  // namespace firn::lsm
