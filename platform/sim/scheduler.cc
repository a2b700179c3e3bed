#include "firn/sim/scheduler.h"

#include <utility>
#include <vector>

#include "platform/epoch.h"
#include "platform/executor.h"
#include "platform/sim/scheduler_core.h"

namespace firn::sim {

namespace {

class SimulatedThreads final : public ThreadSource {
 public:
  explicit SimulatedThreads(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~SimulatedThreads() override {
    for (const Scheduler::ThreadId thread : threads_) scheduler_.join(thread);
  }

  bool start(std::function<void()> body) override {
    threads_.push_back(scheduler_.spawn("background " + std::to_string(threads_.size()), std::move(body)));
    return true;
  }

 private:
  Scheduler& scheduler_;
  std::vector<Scheduler::ThreadId> threads_;
};

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, Clock& clock) : core_(std::make_shared<Core>(options, clock)) {}
Scheduler::~Scheduler() = default;

Status Scheduler::run(std::function<void()> body) {
  epoch_align();
  return core_->run(std::move(body));
}

Scheduler::ThreadId Scheduler::spawn(std::string name, std::function<void()> body) {
  return core_->spawn(std::move(name), std::move(body));
}

void Scheduler::join(ThreadId thread) { core_->join(thread); }
void Scheduler::step(std::uint64_t what) { core_->step(what); }
void Scheduler::pause(std::uint64_t ns) { core_->pause(ns); }

std::unique_ptr<Executor> Scheduler::make_executor(std::uint32_t threads) {
  return make_pool(threads, core_->clock(), std::make_unique<SimulatedThreads>(*this));
}

std::uint64_t Scheduler::trace_hash() const { return core_->trace_hash(); }
std::uint64_t Scheduler::steps() const { return core_->steps(); }

}  // namespace firn::sim
