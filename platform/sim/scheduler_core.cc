// Tested in tests/sim/scheduler_test.cc.
#include "platform/sim/scheduler_core.h"

#include <algorithm>
#include <utility>

#include "platform/assert.h"
#include "platform/sim/hash.h"

namespace firn::sim {

namespace {

constexpr std::uint64_t kNever = UINT64_MAX;
constexpr std::uint64_t kStepNsMax = 2'000;   // What a step takes, at most.
constexpr std::uint64_t kStallOneIn = 2'000;  // Steps after which time jumps to the next deadline all the same.

// Why a decision was due, for the trace.
enum Kind : std::uint64_t {
  kStart,
  kLocking,
  kUnlocking,
  kWaiting,
  kNotifying,
  kYielding,
  kStepping,
  kPausing,
  kJoining,
  kEnding
};

thread_local void* this_thread = nullptr;

}  // namespace

Scheduler::Core::Core(const SchedulerOptions& options, Clock& clock)
    : options_(options), clock_(clock), random_(options.seed) {
  constexpr std::uint64_t kStayPercents[] = {0, 30, 80, 95};
  stay_percent_ = kStayPercents[random_.next() % std::size(kStayPercents)];
  for (std::uint32_t change = 1; change < options.depth; ++change) {
    priority_changes_.push_back(random_.next() % std::max<std::uint64_t>(options.steps_expected, 1));
  }
  std::sort(priority_changes_.begin(), priority_changes_.end());
}

Scheduler::Core::~Core() = default;

Status Scheduler::Core::run(std::function<void()> body) {
  {
    Guard guard(mutex_);
    if (!outcome_.ok()) return outcome_;
    finished_ = false;
    Thread& first = add_thread("main", std::move(body));
    hand_over(first);
    finished_changed_.wait(guard, [this] { return finished_; });
  }
  std::vector<std::unique_ptr<Thread>> ended;
  {
    const Guard guard(mutex_);
    if (!outcome_.ok()) {
      // Never chosen again: they sleep for ever, and what they hold must stay.
      for (const std::unique_ptr<Thread>& thread : threads_) thread->system.detach();
      return outcome_;
    }
    ended.swap(threads_);
    owners_.clear();
  }
  for (const std::unique_ptr<Thread>& thread : ended) thread->system.join();
  return Status();
}

Scheduler::Core::Thread& Scheduler::Core::self() const {
  FIRN_ASSERT(this_thread != nullptr);
  return *static_cast<Thread*>(this_thread);
}

Scheduler::Core::Thread& Scheduler::Core::add_thread(std::string name, std::function<void()> body) {
  threads_.push_back(std::make_unique<Thread>());
  Thread& thread = *threads_.back();
  thread.id = static_cast<ThreadId>(threads_.size() - 1);
  thread.name = std::move(name);
  thread.body = std::move(body);
  thread.priority = static_cast<std::int64_t>(random_.next() >> 2);
  thread.system = std::thread([core = shared_from_this(), &thread] { core->thread_main(thread); });
  return thread;
}

void Scheduler::Core::thread_main(Thread& me) {
  {
    Guard guard(mutex_);
    me.chosen_changed.wait(guard, [&] { return me.chosen; });
  }
  this_thread = &me;
  {
    const SimulatedThread simulated(*this);
    me.body();
    me.body = nullptr;  // What it holds is destroyed inside the simulation, too.
  }
  this_thread = nullptr;
  Guard guard(mutex_);
  me.waiting = Waiting::kDone;
  reschedule(guard, me, kEnding);
}

Scheduler::ThreadId Scheduler::Core::spawn(std::string name, std::function<void()> body) {
  Guard guard(mutex_);
  Thread& me = self();
  const ThreadId id = add_thread(std::move(name), std::move(body)).id;
  reschedule(guard, me, kStart);
  return id;
}

void Scheduler::Core::join(ThreadId target) {
  Guard guard(mutex_);
  Thread& me = self();
  FIRN_ASSERT(target < threads_.size() && target != me.id);
  me.waiting = Waiting::kThread;
  me.target = target;
  reschedule(guard, me, kJoining);
}

std::uint64_t Scheduler::Core::trace_hash() const {
  const Guard guard(mutex_);
  return hash_mix(trace_, steps_);
}

std::uint64_t Scheduler::Core::steps() const {
  const Guard guard(mutex_);
  return steps_;
}

void Scheduler::Core::lock(Mutex& mutex) {
  Guard guard(mutex_);
  Thread& me = self();
  me.waiting = Waiting::kLock;
  me.mutex = &mutex;
  reschedule(guard, me, kLocking);
}

bool Scheduler::Core::try_lock(Mutex& mutex) {
  Guard guard(mutex_);
  Thread& me = self();
  reschedule(guard, me, kLocking);
  return owners_.try_emplace(&mutex, &me).second;
}

void Scheduler::Core::unlock(Mutex& mutex) {
  Guard guard(mutex_);
  Thread& me = self();
  const auto owner = owners_.find(&mutex);
  FIRN_ASSERT(owner != owners_.end() && owner->second == &me);
  owners_.erase(owner);
  reschedule(guard, me, kUnlocking);
}

void Scheduler::Core::block_on_condition(Guard& guard, Thread& me, CondVar& condition, Mutex& mutex,
                                         std::uint64_t deadline_ns) {
  const auto owner = owners_.find(&mutex);
  FIRN_ASSERT(owner != owners_.end() && owner->second == &me);
  owners_.erase(owner);
  me.waiting = Waiting::kCondition;
  me.mutex = &mutex;
  me.condition = &condition;
  me.deadline_ns = deadline_ns;
  me.timed_out = false;
  reschedule(guard, me, kWaiting);
}

void Scheduler::Core::wait(CondVar& condition, Mutex& mutex) {
  Guard guard(mutex_);
  block_on_condition(guard, self(), condition, mutex, kNever);
}

bool Scheduler::Core::wait_until(CondVar& condition, Mutex& mutex, std::uint64_t deadline_ns) {
  Guard guard(mutex_);
  Thread& me = self();
  block_on_condition(guard, me, condition, mutex, deadline_ns);
  return !me.timed_out;
}

void Scheduler::Core::wake(Thread& thread) {
  thread.waiting = thread.waiting == Waiting::kCondition ? Waiting::kLock : Waiting::kNothing;
}

std::vector<Scheduler::Core::Thread*> Scheduler::Core::waiters(const CondVar& condition) const {
  std::vector<Thread*> found;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    if (thread->waiting == Waiting::kCondition && thread->condition == &condition) found.push_back(thread.get());
  }
  return found;
}

void Scheduler::Core::notify_one(CondVar& condition) {
  Guard guard(mutex_);
  const std::vector<Thread*> waiting = waiters(condition);
  if (!waiting.empty()) wake(*waiting[random_.next() % waiting.size()]);
  reschedule(guard, self(), kNotifying);
}

void Scheduler::Core::notify_all(CondVar& condition) {
  Guard guard(mutex_);
  for (Thread* thread : waiters(condition)) wake(*thread);
  reschedule(guard, self(), kNotifying);
}

void Scheduler::Core::yield() {
  Guard guard(mutex_);
  Thread& me = self();
  // A walk reaches the others by chance; by priority they come first only if this one steps back.
  me.priority = --lowest_priority_;
  reschedule(guard, me, kYielding);
}

void Scheduler::Core::step(std::uint64_t what) {
  Guard guard(mutex_);
  trace_ = hash_mix(trace_, what);
  reschedule(guard, self(), kStepping);
}

void Scheduler::Core::pause(std::uint64_t ns) {
  Guard guard(mutex_);
  Thread& me = self();
  me.waiting = Waiting::kTime;
  me.deadline_ns = clock_.monotonic_ns() + std::min(ns, kNever / 2);
  reschedule(guard, me, kPausing);
}

void Scheduler::Core::reschedule(Guard& guard, Thread& me, std::uint64_t kind) {
  ++steps_;
  clock_.advance(1 + random_.next() % kStepNsMax);
  Thread* const next = steps_ > options_.steps_max ? nullptr : choose(me);
  trace_ = hash_mix(trace_, hash_mix(kind, next == nullptr ? kNever : next->id));
  if (next == &me) return;
  me.chosen = false;
  if (next != nullptr) {
    hand_over(*next);
  } else {
    const bool all_done = std::all_of(threads_.begin(), threads_.end(),
                                      [](const auto& thread) { return thread->waiting == Waiting::kDone; });
    const char* const what = steps_ > options_.steps_max ? "no end after the most steps allowed: " : "deadlock: ";
    finish(all_done ? Status() : Status(StatusCode::kBusy, what + describe_all()));
  }
  if (me.waiting == Waiting::kDone) return;
  me.chosen_changed.wait(guard, [&] { return me.chosen; });
}

void Scheduler::Core::hand_over(Thread& next) {
  next.chosen = true;
  next.chosen_changed.notify_one();
}

Scheduler::Core::Thread* Scheduler::Core::choose(const Thread& me) {
  if (random_.next() % kStallOneIn == 0) {
    if (const std::uint64_t deadline = next_deadline(); deadline != kNever) clock_.advance_to(deadline);
  }
  collect_ready();
  if (ready_.empty()) {
    const std::uint64_t deadline = next_deadline();
    if (deadline == kNever) return nullptr;
    clock_.advance_to(deadline);
    collect_ready();
  }
  Thread* const next = options_.depth > 0 ? choose_by_priority(ready_, me) : choose_by_walk(ready_, me);
  if (next->waiting == Waiting::kLock) owners_.emplace(next->mutex, next);
  next->waiting = Waiting::kNothing;
  return next;
}

void Scheduler::Core::collect_ready() {
  wake_expired();
  ready_.clear();
  for (const std::unique_ptr<Thread>& thread : threads_) {
    if (can_run(*thread)) ready_.push_back(thread.get());
  }
}

bool Scheduler::Core::can_run(const Thread& thread) const {
  switch (thread.waiting) {
    case Waiting::kNothing: return true;
    case Waiting::kLock: return !owners_.contains(thread.mutex);
    case Waiting::kThread: return threads_[thread.target]->waiting == Waiting::kDone;
    case Waiting::kCondition:
    case Waiting::kTime:
    case Waiting::kDone: break;
  }
  return false;
}

Scheduler::Core::Thread* Scheduler::Core::choose_by_walk(const std::vector<Thread*>& ready, const Thread& me) {
  const bool stay = random_.next() % 100 < stay_percent_;
  const auto own = std::find(ready.begin(), ready.end(), &me);
  if (stay && own != ready.end()) return *own;
  return ready[random_.next() % ready.size()];
}

Scheduler::Core::Thread* Scheduler::Core::choose_by_priority(const std::vector<Thread*>& ready, const Thread& me) {
  while (!priority_changes_.empty() && steps_ >= priority_changes_.front()) {
    priority_changes_.erase(priority_changes_.begin());
    threads_[me.id]->priority = --lowest_priority_;
  }
  return *std::max_element(ready.begin(), ready.end(),
                           [](const Thread* a, const Thread* b) { return a->priority < b->priority; });
}

std::uint64_t Scheduler::Core::next_deadline() const {
  std::uint64_t deadline = kNever;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    if (thread->waiting == Waiting::kCondition || thread->waiting == Waiting::kTime) {
      deadline = std::min(deadline, thread->deadline_ns);
    }
  }
  return deadline;
}

void Scheduler::Core::wake_expired() {
  const std::uint64_t now = clock_.monotonic_ns();
  for (const std::unique_ptr<Thread>& thread : threads_) {
    const bool timed = thread->waiting == Waiting::kCondition || thread->waiting == Waiting::kTime;
    if (!timed || thread->deadline_ns == kNever || thread->deadline_ns > now) continue;
    thread->timed_out = true;
    wake(*thread);
  }
}

void Scheduler::Core::finish(Status status) {
  outcome_ = std::move(status);
  finished_ = true;
  finished_changed_.notify_all();
}

std::string Scheduler::Core::describe(const Thread& thread) const {
  switch (thread.waiting) {
    case Waiting::kNothing: return "could run";
    case Waiting::kLock: {
      const auto owner = owners_.find(thread.mutex);
      return owner == owners_.end() ? "is about to lock" : "waits for a lock held by " + owner->second->name;
    }
    case Waiting::kCondition: {
      const auto others = waiters(*thread.condition);
      return "waits for a notification" +
             (others.size() > 1 ? " with " + std::to_string(others.size() - 1) + " more" : std::string());
    }
    case Waiting::kTime: return "pauses";
    case Waiting::kThread: return "waits for the end of " + threads_[thread.target]->name;
    case Waiting::kDone: break;
  }
  return "has ended";
}

std::string Scheduler::Core::describe_all() const {
  std::string text;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    if (thread->waiting == Waiting::kDone) continue;
    text += (text.empty() ? "" : "; ") + thread->name + " " + describe(*thread);
  }
  return text;
}

}  // namespace firn::sim
