// Background work without a clock: one thread runs what was submitted, and delayed tasks wait until the test lets them
// go. settle() makes a run with background work nearly as repeatable as one without.
//
// Thread safety: any thread. Lifetime: a StepControl is shared by the test and the executors made with it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "firn/platform.h"

namespace firn::testing {

class StepControl {
 public:
  // Waits until nothing is submitted and nothing runs. Delayed tasks do not count.
  void settle() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return tasks_.empty() && running_ == 0; });
  }
  // Every delayed task becomes due. Returns how many there were.
  std::size_t release_delayed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::size_t count = delayed_.size();
    for (auto& task : delayed_) tasks_.push_back(std::move(task));
    delayed_.clear();
    changed_.notify_all();
    return count;
  }

 private:
  friend class StepExecutor;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::function<void()>> delayed_;
  int running_ = 0;  // Tasks; an engine has an executor for its log beside the other.
};

class StepExecutor final : public Executor {
 public:
  explicit StepExecutor(std::shared_ptr<StepControl> control)
      : control_(std::move(control)), thread_([this] { run(); }) {}

  ~StepExecutor() override {
    {
      const std::lock_guard<std::mutex> lock(control_->mutex_);
      stopping_ = true;
      control_->changed_.notify_all();
    }
    thread_.join();
    const std::lock_guard<std::mutex> lock(control_->mutex_);
    control_->delayed_.clear();
  }

  void submit(TaskPriority priority, std::function<void()> task) override {
    const std::lock_guard<std::mutex> lock(control_->mutex_);
    if (priority == TaskPriority::kHigh) {
      control_->tasks_.push_front(std::move(task));
    } else {
      control_->tasks_.push_back(std::move(task));
    }
    control_->changed_.notify_all();
  }

  void submit_after(std::uint64_t, std::function<void()> task) override {
    const std::lock_guard<std::mutex> lock(control_->mutex_);
    control_->delayed_.push_back(std::move(task));
  }

 private:
  void run() {
    std::unique_lock<std::mutex> lock(control_->mutex_);
    for (;;) {
      control_->changed_.wait(lock, [this] { return stopping_ || !control_->tasks_.empty(); });
      if (control_->tasks_.empty()) return;
      std::function<void()> task = std::move(control_->tasks_.front());
      control_->tasks_.pop_front();
      ++control_->running_;
      lock.unlock();
      task();
      task = nullptr;  // What it holds is destroyed outside the lock, too.
      lock.lock();
      --control_->running_;
      control_->changed_.notify_all();
    }
  }

  const std::shared_ptr<StepControl> control_;
  bool stopping_ = false;
  std::thread thread_;
};

// `base` with files, and with executors that `control` steers.
inline Platform step_platform(FileSystem& files, std::shared_ptr<StepControl> control) {
  Platform platform = real_platform();
  platform.files = &files;
  platform.make_executor = [control = std::move(control)](std::uint32_t) -> std::unique_ptr<Executor> {
    return std::make_unique<StepExecutor>(control);
  };
  return platform;
}

}  // namespace firn::testing
