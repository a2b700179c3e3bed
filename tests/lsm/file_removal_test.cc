// Who removes files: a thread of its own, while few wait for it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/sim/file_system.h"
#include "lsm/table_store.h"
#include "tests/platform/file_helpers.h"

namespace firn::lsm {
namespace {

using firn::testing::create;
using firn::testing::exists;

// Runs nothing until it is told to.
class LaterExecutor final : public Executor {
 public:
  void submit(TaskPriority, std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  void submit_after(std::uint64_t, std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  std::size_t waiting() const { return tasks_.size(); }
  void run() {
    for (const auto& task : std::exchange(tasks_, {})) task();
  }

 private:
  std::vector<std::function<void()>> tasks_;
};

class FileRemoval : public ::testing::Test {
 protected:
  FileRemoval() { EXPECT_OK(files_.create_directory("/db")); }

  std::string doom(int i) {
    std::string path = "/db/" + std::to_string(i) + ".table";
    create(files_, path);
    store_->remove(path);
    return path;
  }

  sim::SimFileSystem files_;
  LaterExecutor executor_;
  std::shared_ptr<TableStore> store_ = std::make_shared<TableStore>(files_, "/db", 1 << 20);
};

TEST_F(FileRemoval, IsTheCallersWithoutAThreadForIt) {
  EXPECT_FALSE(exists(files_, doom(1)));
  store_->remove_in_background(&executor_);
  store_->remove_in_background(nullptr);
  EXPECT_FALSE(exists(files_, doom(2)));
  EXPECT_EQ(store_->files_removed(), 2u);
}

TEST_F(FileRemoval, IsOneTasksForFilesThatComeMeanwhile) {
  store_->remove_in_background(&executor_);
  const std::string first = doom(1);
  const std::string second = doom(2);
  EXPECT_TRUE(exists(files_, first) && exists(files_, second));
  EXPECT_EQ(executor_.waiting(), 1u);
  executor_.run();
  EXPECT_FALSE(exists(files_, first) || exists(files_, second));
  store_->wait_removed();

  const std::string third = doom(3);
  EXPECT_EQ(executor_.waiting(), 1u) << "a new task, as the first has ended";
  executor_.run();
  EXPECT_FALSE(exists(files_, third));
}

TEST_F(FileRemoval, IsTheCallersWhereManyWait) {
  store_->remove_in_background(&executor_);
  std::vector<std::string> paths;
  for (int i = 0; i < 30; ++i) paths.push_back(doom(i));
  std::size_t left = 0;
  for (const std::string& path : paths) left += exists(files_, path) ? 1 : 0;
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, 16u);
  executor_.run();
  EXPECT_EQ(store_->files_removed(), paths.size());
}

TEST_F(FileRemoval, EndsWithTheDirectoryBeingOurs) {
  store_->forget_files();
  EXPECT_TRUE(exists(files_, doom(1))) << "the next open removes it";
}

}  // namespace
}  // namespace firn::lsm
