#include "platform/executor.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "platform/posix_clock.h"
#include "platform/sync.h"

namespace firn {

namespace {

using Task = std::function<void()>;

// While it lives, threads made by this one do not run the program's signal handlers. Faults must stay deliverable.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int signal : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) sigdelset(&blocked, signal);
    pthread_sigmask(SIG_SETMASK, &blocked, &previous_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t previous_;
};

class SystemThreads final : public ThreadSource {
 public:
  ~SystemThreads() override {
    for (std::thread& thread : threads_) thread.join();
  }

  bool start(std::function<void()> body) override {
    const SignalsBlocked blocked;
    try {
      threads_.emplace_back(std::move(body));
    } catch (const std::system_error&) {  // The system's limit on threads.
      return false;
    }
    pthread_setname_np(threads_.back().native_handle(), "firn");
    return true;
  }

 private:
  std::vector<std::thread> threads_;
};

struct DelayedTask {
  std::uint64_t due_ns = 0;
  std::uint64_t number = 0;  // Equal times keep the order of submission.
  Task task;
};

// Heap order: the earliest on top.
bool later(const DelayedTask& a, const DelayedTask& b) {
  return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.number > b.number;
}

class ThreadPool final : public Executor {
 public:
  ThreadPool(std::uint32_t threads, Clock& clock, std::unique_ptr<ThreadSource> source)
      : clock_(clock), threads_(std::move(source)) {
    // Reserving a thread makes sense only if another one serves kLow tasks: until there is one, none is reserved.
    for (std::uint32_t index = 0; index < threads; ++index) {
      Worker* const worker = add_worker();
      if (!threads_->start([this, worker] { run(*worker); })) break;
      const MutexLock lock(mutex_);
      ++thread_count_;
    }
  }

  ~ThreadPool() override {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      for (const auto& worker : workers_) worker->called.notify_one();
    }
    threads_.reset();
  }

  bool running() {
    const MutexLock lock(mutex_);
    return thread_count_ > 0;
  }

  void submit(TaskPriority priority, Task task) override {
    Worker* worker = nullptr;
    {
      const MutexLock lock(mutex_);
      queue(priority).push_back(std::move(task));
      worker = idle_worker(priority);
    }
    call(worker);  // Under the mutex it would wake only to wait for that, and have to be woken once more.
  }

  void submit_after(std::uint64_t delay_ns, Task task) override {
    const std::uint64_t now = clock_.monotonic_ns();
    const std::uint64_t due = delay_ns > UINT64_MAX - now ? UINT64_MAX : now + delay_ns;
    Worker* worker = nullptr;
    {
      const MutexLock lock(mutex_);
      delayed_.push_back({due, next_number_++, std::move(task)});
      std::push_heap(delayed_.begin(), delayed_.end(), later);
      worker = idle_worker(TaskPriority::kHigh);
    }
    call(worker);
  }

 private:
  // Guarded by mutex_. Only its own thread waits for `called`.
  struct Worker {
    bool idle = false;  // Waiting, not yet called.
    CondVar called;
  };

  Worker* add_worker() {
    const MutexLock lock(mutex_);
    return workers_.emplace_back(std::make_unique<Worker>()).get();
  }

  std::deque<Task>& queue(TaskPriority priority) FIRN_REQUIRES(mutex_) {
    return priority == TaskPriority::kHigh ? high_ : low_;
  }

  void run(Worker& worker) {
    mutex_.lock();
    for (;;) {
      queue_due_tasks();
      if (Task task = take(worker); task != nullptr) {
        pass_on();
        mutex_.unlock();
        task();
        task = nullptr;  // What it holds is destroyed outside the lock, too.
        mutex_.lock();
      } else if (stopping_) {
        break;
      } else {
        rest(worker);
      }
    }
    mutex_.unlock();
  }

  void rest(Worker& worker) FIRN_REQUIRES(mutex_) {
    worker.idle = true;
    if (delayed_.empty()) {
      worker.called.wait(mutex_);
    } else {
      worker.called.wait_until(mutex_, delayed_.front().due_ns);
    }
    worker.idle = false;
  }

  // While this thread is busy others take what is left, and look at the time. Whoever was called for a task may have
  // taken a more urgent one.
  void pass_on() FIRN_REQUIRES(mutex_) {
    if (!high_.empty() || !delayed_.empty()) call(idle_worker(TaskPriority::kHigh));
    if (!low_.empty()) call(idle_worker(TaskPriority::kLow));
  }

  void queue_due_tasks() FIRN_REQUIRES(mutex_) {
    if (delayed_.empty()) return;
    const std::uint64_t now = clock_.monotonic_ns();
    while (!delayed_.empty() && delayed_.front().due_ns <= now) {
      std::pop_heap(delayed_.begin(), delayed_.end(), later);
      high_.push_back(std::move(delayed_.back().task));
      delayed_.pop_back();
    }
  }

  // One that may take such a task, and is to be called; the reserved one rather than another. Null when all are busy:
  // they look for tasks before they rest.
  Worker* idle_worker(TaskPriority priority) FIRN_REQUIRES(mutex_) {
    for (const auto& worker : workers_) {
      if (!worker->idle || (priority == TaskPriority::kLow && reserved(*worker))) continue;
      worker->idle = false;
      return worker.get();
    }
    return nullptr;
  }

  static void call(Worker* worker) {
    if (worker != nullptr) worker->called.notify_one();
  }

  bool reserved(const Worker& worker) const FIRN_REQUIRES(mutex_) {
    // At the end all help: the others may be gone when a task of the reserved thread submits a kLow one.
    return &worker == workers_.front().get() && thread_count_ > 1 && !stopping_;
  }

  // Null when there is nothing for this thread.
  Task take(const Worker& worker) FIRN_REQUIRES(mutex_) {
    std::deque<Task>* from = !high_.empty() ? &high_ : !reserved(worker) && !low_.empty() ? &low_ : nullptr;
    if (from == nullptr) return nullptr;
    Task task = std::move(from->front());
    from->pop_front();
    return task;
  }

  Clock& clock_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Worker>> workers_ FIRN_GUARDED_BY(mutex_);
  std::deque<Task> high_ FIRN_GUARDED_BY(mutex_);
  std::deque<Task> low_ FIRN_GUARDED_BY(mutex_);
  std::vector<DelayedTask> delayed_ FIRN_GUARDED_BY(mutex_);  // A heap by `later`.
  std::uint64_t next_number_ FIRN_GUARDED_BY(mutex_) = 0;
  std::uint32_t thread_count_ FIRN_GUARDED_BY(mutex_) = 0;
  bool stopping_ FIRN_GUARDED_BY(mutex_) = false;
  std::unique_ptr<ThreadSource> threads_;  // Written by the constructor and the destructor only.
};

}  // namespace

std::unique_ptr<Executor> make_thread_pool(std::uint32_t threads) {
  return make_pool(threads, real_clock(), std::make_unique<SystemThreads>());
}

std::unique_ptr<Executor> make_pool(std::uint32_t threads, Clock& clock, std::unique_ptr<ThreadSource> source) {
  auto pool = std::make_unique<ThreadPool>(std::max<std::uint32_t>(threads, 1), clock, std::move(source));
  if (!pool->running()) return nullptr;
  return pool;
}

}  // namespace firn
