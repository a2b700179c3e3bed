#include "bench/race/race.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

namespace firn::race {

namespace {

// Apart from all measured workers, so that it does not read the very same keys.
constexpr int kWarmUpIndex = 999;

}  // namespace

void die(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "race: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(why.size()),
               why.data());
  std::_Exit(1);
}

Race::Race(Settings given) : settings(std::move(given)) { config.directory = settings.directory; }

void Race::open() {
  const double start = process_usage().wall_seconds;
  engine_ = open_engine(config);
  report.open_seconds = process_usage().wall_seconds - start;
}

std::uint64_t Race::count(double fraction) const {
  const double scale = settings.full ? 1 : 0.25;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(settings.num) * fraction * scale));
}

void Race::warm_up(const std::function<void(Worker&)>& body) {
  Start start(1);
  const auto session = engine_->session();
  Worker worker(*session, kWarmUpIndex, settings, start);
  body(worker);
}

void Race::watch_memory() {
  reset_peak_rss();
  anonymous_.emplace();
}

void Race::meter(const Usage& before) {
  const Usage after = process_usage();
  report.cpu_seconds += after.cpu_seconds - before.cpu_seconds;
  report.write_bytes += after.write_bytes - before.write_bytes;
  report.read_bytes += after.read_bytes - before.read_bytes;
  report.peak_rss_bytes = peak_rss_bytes();
  if (anonymous_) report.peak_anonymous_bytes = anonymous_->bytes();
}

void Race::run(const std::vector<Group>& groups) {
  struct Runner {
    std::unique_ptr<Session> session;
    std::unique_ptr<Worker> worker;
    std::thread thread;
  };
  int threads = 0;
  for (const Group& group : groups) threads += group.threads;
  Start start(threads + 1);
  std::vector<std::vector<Runner>> runners(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (int i = 0; i < groups[g].threads; ++i) {
      Runner& runner = runners[g].emplace_back();
      runner.session = engine_->session();
      runner.worker = std::make_unique<Worker>(*runner.session, i, settings, start);
      runner.thread = std::thread(groups[g].body, std::ref(*runner.worker));
    }
  }
  watch_memory();
  const Usage before = process_usage();
  start.line.arrive_and_wait();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (Runner& runner : runners[g]) runner.thread.join();
    start.stop = true;
    GroupReport& result = report.groups.emplace_back();
    result.name = groups[g].name;
    result.threads = groups[g].threads;
    result.seconds = process_usage().wall_seconds - before.wall_seconds;
    for (const Runner& runner : runners[g]) {
      result.rows += static_cast<double>(runner.worker->ops) * groups[g].rows_per_op;
      result.latency.merge(runner.worker->latency);
    }
  }
  meter(before);
}

void Race::time(const std::string& name, std::uint64_t times, const std::function<void()>& work,
                const std::function<void()>& between) {
  watch_memory();
  GroupReport& result = report.groups.emplace_back();
  result.name = name;
  result.threads = 1;
  result.rows = static_cast<double>(times);
  for (std::uint64_t i = 0; i < times; ++i) {
    const Usage before = process_usage();
    work();
    meter(before);
    const double seconds = process_usage().wall_seconds - before.wall_seconds;
    result.seconds += seconds;
    result.latency.add(static_cast<std::uint64_t>(seconds * 1e9));
    between();
  }
}

void Race::settle() {
  const Usage before = process_usage();
  engine_->settle();
  report.settle_seconds = process_usage().wall_seconds - before.wall_seconds;
  meter(before);
}

std::vector<Workload> workloads() {
  std::vector<Workload> all;
  for (const auto& part :
       {fill_workloads(), read_workloads(), change_workloads(), ycsb_workloads(), open_workloads()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace firn::race
