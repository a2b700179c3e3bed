#include "tools/crashtest/campaign.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <thread>

#include "tools/crashtest/catalog.h"

namespace firn::crashtest {

namespace {

constexpr std::size_t kRowsMax = 64;
constexpr std::size_t kTextBytes = std::size_t{16} << 10;
constexpr auto kTick = std::chrono::milliseconds(20);
// A check takes a millisecond: who is silent for so many ticks, two minutes at least, hangs. Not by the clock, which
// goes on while the whole campaign is suspended.
constexpr std::uint64_t kSilentTicksMax = std::chrono::minutes(2) / kTick;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A text that one process writes and another reads once the first has ended.
struct SharedText {
  std::array<char, kTextBytes> bytes;

  void set(const std::string& text) {
    const std::size_t size = std::min(text.size(), bytes.size() - 1);
    std::memcpy(bytes.data(), text.data(), size);
    bytes[size] = '\0';
  }
  std::string get() const { return bytes.data(); }
};

struct SharedFigures {
  std::array<std::atomic<std::uint64_t>, std::size(sim::kExploreFigures)> counts;  // As in kExploreFigures.
  std::atomic<std::uint64_t> explorations, cut_short;

  void add(const sim::ExploreReport& report) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += report.*sim::kExploreFigures[i].count;
    cut_short += report.complete ? 0U : 1U;
    ++explorations;
  }
  sim::ExploreReport report() const {
    sim::ExploreReport report;
    for (std::size_t i = 0; i < counts.size(); ++i) report.*sim::kExploreFigures[i].count = counts[i];
    report.complete = cut_short == 0;
    return report;
  }
};

// What one process tells the parent, in memory that outlives it.
struct Worker {
  std::array<SharedFigures, kRowsMax> rows;
  std::atomic<std::uint64_t> running_states;  // Of the exploration that is under way.
  std::atomic<std::uint64_t> last_seed;
  std::atomic<std::uint64_t> checks;  // Begun: a sign of life.
  std::atomic<bool> violated;
  SharedText checking, token, what, reproduction;
};

// Zeros that children share.
template <class T>
class Shared {
 public:
  explicit Shared(std::size_t count)
      : bytes_(count * sizeof(T)),
        at_(static_cast<T*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Shared() {
    if (ok()) munmap(at_, bytes_);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  bool ok() const { return at_ != MAP_FAILED; }
  T& operator[](std::size_t i) { return at_[i]; }

 private:
  const std::size_t bytes_;
  T* const at_;
};

// All sequences of one length share a row: "seq-sync+put+flush" counts under "sequences of 2".
std::string row_name(const std::string& name) {
  if (!name.starts_with("seq-")) return name;
  return "sequences of " + std::to_string(std::count(name.begin(), name.end(), '+'));
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options), workers_(options.processes) {
    for (const std::string& name : options_.names) rows_.emplace(row_name(name), rows_.size());
  }

  CampaignReport run(const std::function<bool(const sim::ExploreReport&, double)>& progress) {
    if (!workers_.ok() || rows_.size() > kRowsMax || !start()) return failed("cannot start processes");
    bool go_on = true;
    while (go_on && alive()) {
      std::this_thread::sleep_for(kTick);
      reap();
      sim::ExploreReport so_far = total();
      for (std::uint32_t i = 0; i < options_.processes; ++i) so_far.states_explored += workers_[i].running_states;
      go_on = violations_.empty() && (!progress || progress(so_far, seconds_since(start_)));
    }
    stop();
    return report();
  }

 private:
  bool start() {
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      const pid_t child = fork();
      if (child < 0) {
        stop();
        return false;
      }
      if (child == 0) work(i);
      children_[i] = child;
    }
    return true;
  }

  // One process: every so many-th of the tasks, round after round.
  [[noreturn]] void work(std::uint32_t index) {
    Worker& worker = workers_[index];
    const std::size_t count = options_.names.size();
    for (std::uint64_t task = index; !worker.violated; task += options_.processes) {
      const std::uint64_t round = task / count;
      if (round > 0 && options_.seconds <= 0) break;
      if (options_.seconds > 0 && seconds_since(start_) >= options_.seconds) break;
      explore_one(worker, options_.names[task % count], options_.seed + round);
    }
    _exit(0);
  }

  void explore_one(Worker& worker, const std::string& name, std::uint64_t seed) {
    const std::unique_ptr<EngineWorkload> workload = make_workload(name, seed);
    sim::ExploreLimits limits = options_.limits;
    limits.seed = seed;
    if (options_.seconds > 0) {
      // Everybody gets a turn, also when there is little time.
      const double left = options_.seconds - seconds_since(start_);
      const double share = options_.seconds * options_.processes / static_cast<double>(options_.names.size());
      limits.seconds = std::clamp(share, 0.05, std::max(left, 0.05));
    }
    sim::ExploreObserver observer;
    observer.checking = [&](const std::string& token) {
      worker.checking.set(token);
      ++worker.checks;
    };
    observer.progress = [&](const sim::ExploreReport& so_far) {
      worker.running_states = so_far.states_explored;
      return true;
    };
    const sim::ExploreReport report = sim::explore(*workload, limits, observer);
    worker.running_states = 0;
    worker.rows[rows_.at(row_name(name))].add(report);
    worker.last_seed = std::max<std::uint64_t>(worker.last_seed, seed);
    if (report.violations.empty()) return;
    const sim::Violation& violation = report.violations.front();
    worker.token.set(violation.token);
    worker.what.set(violation.what);
    worker.reproduction.set(violation.reproduction);
    worker.violated = true;
  }

  bool alive() const { return !children_.empty(); }

  void reap() {
    for (auto child = children_.begin(); child != children_.end();) {
      int ended = 0;
      const bool hangs = is_silent(child->first);
      if (hangs) kill(child->second, SIGKILL);
      if (waitpid(child->second, &ended, hangs ? 0 : WNOHANG) != child->second) {
        ++child;
        continue;
      }
      if (hangs) violations_.push_back({workers_[child->first].checking.get(), "the program hangs", {}});
      if (!hangs) collect(workers_[child->first], ended);
      child = children_.erase(child);
    }
  }

  bool is_silent(std::uint32_t index) {
    const std::uint64_t checks = workers_[index].checks;
    auto& [seen, silent_ticks] = signs_of_life_[index];
    silent_ticks = checks == seen ? silent_ticks + 1 : 0;
    seen = checks;
    return silent_ticks > kSilentTicksMax;
  }

  void collect(const Worker& worker, int ended) {
    if (worker.violated) violations_.push_back({worker.token.get(), worker.what.get(), worker.reproduction.get()});
    if (WIFSIGNALED(ended)) {
      violations_.push_back({worker.checking.get(),
                             "the program was ended by signal " + std::to_string(WTERMSIG(ended)) +
                                 " (its last words are on standard error)",
                             {}});
    }
  }

  void stop() {
    for (const auto& [index, child] : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      if (workers_[index].violated) collect(workers_[index], 0);
    }
    children_.clear();
  }

  sim::ExploreReport total() {
    sim::ExploreReport total;
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      for (std::size_t row = 0; row < rows_.size(); ++row) total.add(workers_[i].rows[row].report());
    }
    return total;
  }

  CampaignReport report() {
    CampaignReport report;
    report.seconds = seconds_since(start_);
    report.total = total();
    report.total.seconds = report.seconds;
    report.total.violations = violations_;
    for (const auto& [name, row] : rows_) {
      CampaignRow& result = report.rows.emplace_back(CampaignRow{name, {}, 0});
      for (std::uint32_t i = 0; i < options_.processes; ++i) {
        result.report.add(workers_[i].rows[row].report());
        result.explorations += workers_[i].rows[row].explorations;
      }
      report.explorations += result.explorations;
    }
    for (std::uint32_t i = 0; i < options_.processes; ++i) {
      if (workers_[i].last_seed == 0) continue;
      report.seeds = std::max<std::uint64_t>(report.seeds, workers_[i].last_seed - options_.seed + 1);
    }
    return report;
  }

  static CampaignReport failed(const char* why) {
    CampaignReport report;
    report.total.violations.push_back({{}, why, {}});
    return report;
  }

  const CampaignOptions& options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::map<std::string, std::size_t> rows_;  // By name: the place among a worker's rows.
  Shared<Worker> workers_;
  std::map<std::uint32_t, pid_t> children_;
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> signs_of_life_;  // Checks; ticks without another.
  std::vector<sim::Violation> violations_;
};

}  // namespace

CampaignReport run_campaign(const CampaignOptions& options,
                            const std::function<bool(const sim::ExploreReport&, double)>& progress) {
  return Campaign(options).run(progress);
}

}  // namespace firn::crashtest
