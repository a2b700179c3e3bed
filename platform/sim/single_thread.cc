#include "platform/sim/single_thread.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "platform/assert.h"

namespace firn::sim {

// The executor of one database: its tasks wait in the thread's queues.
class SingleThread::Pool final : public Executor {
 public:
  explicit Pool(SingleThread& thread) : thread_(thread) {}
  ~Pool() override {
    while (thread_.has_task_of(this)) thread_.run_one();
    std::erase_if(thread_.delayed_, [this](const auto& item) { return item.second.first == this; });
  }

  void submit(TaskPriority priority, Task task) override {
    thread_.tasks_[priority == TaskPriority::kHigh ? 0 : 1].emplace_back(this, std::move(task));
  }
  void submit_after(std::uint64_t delay_ns, Task task) override {
    thread_.delayed_.emplace(thread_.now_ns_ + delay_ns, std::pair<Pool*, Task>(this, std::move(task)));
  }

 private:
  SingleThread& thread_;
};

SingleThread::SingleThread(FileSystem& files, std::uint64_t seed, std::string where)
    : where_(std::move(where)), random_(seed) {
  platform_.files = &files;
  platform_.clock = this;
  platform_.make_executor = [this](std::uint32_t) { return std::make_unique<Pool>(*this); };
  platform_.random = &random_;
  hook_ = std::make_unique<SimulatedThread>(*this);
}

SingleThread::~SingleThread() = default;

void SingleThread::run_background() {
  while (run_one()) {
  }
}

void SingleThread::advance_clock(std::uint64_t ns) {
  const std::uint64_t until = now_ns_ + ns;
  run_background();
  while (run_delayed(until)) run_background();
  now_ns_ = until;
}

bool SingleThread::run_one() {
  for (auto& queue : tasks_) {
    if (queue.empty()) continue;
    const Task task = std::move(queue.front().second);
    queue.pop_front();
    task();
    return true;
  }
  return false;
}

bool SingleThread::has_task_of(const Pool* pool) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [pool](const auto& queue) {
    return std::any_of(queue.begin(), queue.end(), [pool](const auto& queued) { return queued.first == pool; });
  });
}

bool SingleThread::run_delayed(std::uint64_t until_ns) {
  if (delayed_.empty() || delayed_.begin()->first > until_ns) return false;
  now_ns_ = std::max(now_ns_, delayed_.begin()->first);
  tasks_[0].push_back(std::move(delayed_.begin()->second));
  delayed_.erase(delayed_.begin());
  return true;
}

bool SingleThread::holds(const Mutex& mutex) const {
  return std::find(held_.begin(), held_.end(), &mutex) != held_.end();
}

void SingleThread::deadlock(const char* what) const {
  std::fprintf(stderr, "deadlock: %s, %s\n", what, where_.c_str());
  std::fflush(stderr);
  std::abort();
}

void SingleThread::lock(Mutex& mutex) {
  if (holds(mutex)) deadlock("a lock that is never given back");
  held_.push_back(&mutex);
}

bool SingleThread::try_lock(Mutex& mutex) {
  if (holds(mutex)) return false;
  held_.push_back(&mutex);
  return true;
}

void SingleThread::unlock(Mutex& mutex) {
  const auto found = std::find(held_.rbegin(), held_.rend(), &mutex);
  FIRN_ASSERT(found != held_.rend());
  held_.erase(std::next(found).base());
}

void SingleThread::wait(CondVar&, Mutex& mutex) {
  unlock(mutex);
  if (!run_one() && !(run_delayed(UINT64_MAX) && run_one())) deadlock("a wait that nothing ends");
  lock(mutex);
}

bool SingleThread::wait_until(CondVar&, Mutex& mutex, std::uint64_t deadline_ns) {
  unlock(mutex);
  const bool ran = run_one() || (run_delayed(deadline_ns) && run_one());
  if (!ran) now_ns_ = std::max(now_ns_, deadline_ns);
  lock(mutex);
  return ran;
}

void SingleThread::yield() { run_one(); }

}  // namespace firn::sim
