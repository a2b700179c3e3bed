// The program of one engine: runs one workload in this process and prints its report as one line of JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/race/race.h"

namespace firn::race {

namespace {

std::string group_json(const GroupReport& group, double extra_seconds) {
  const Histogram& latency = group.latency;
  return fmt::format(R"({{"name":"{}","threads":{},"rows":{:.0f},"seconds":{:.6f},"rate":{:.1f},)"
                     R"("p50_ns":{},"p99_ns":{},"p999_ns":{},"max_ns":{}}})",
                     group.name, group.threads, group.rows, group.seconds, group.rows / (group.seconds + extra_seconds),
                     latency.percentile(0.5), latency.percentile(0.99), latency.percentile(0.999), latency.max());
}

std::string report_json(const Workload& workload, const Report& report) {
  std::string groups;
  for (const GroupReport& group : report.groups) {
    if (!groups.empty()) groups += ',';
    groups += group_json(group, workload.settles ? report.settle_seconds : 0);
  }
  const auto ratio = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  return fmt::format(
      R"({{"engine":"{}","workload":"{}","groups":[{}],"open_seconds":{:.6f},"settle_seconds":{:.6f},)"
      R"("cpu_seconds":{:.6f},"peak_rss_bytes":{},"peak_anonymous_bytes":{},"read_bytes":{},"write_bytes":{},)"
      R"("disk_bytes":{},"write_amplification":{:.4f},"space_amplification":{:.4f}}})",
      engine_name(), workload.name, groups, report.open_seconds, report.settle_seconds, report.cpu_seconds,
      report.peak_rss_bytes, report.peak_anonymous_bytes, report.read_bytes, report.write_bytes, report.disk_bytes,
      ratio(static_cast<double>(report.write_bytes), report.user_bytes),
      ratio(static_cast<double>(report.disk_bytes), report.live_bytes));
}

// For the orchestrator: the one list of workloads is here.
void list_workloads() {
  for (const Workload& workload : workloads()) {
    fmt::print(R"({{"name":"{}","help":"{}","unit":"{}","data":"{}","settles":{},"full_only":{},"changes":{}}})"
               "\n",
               workload.name, workload.help, workload.unit, workload.data, workload.settles, workload.full_only,
               workload.changes);
  }
}

int run(const std::string& name, const Settings& settings) {
  for (const Workload& workload : workloads()) {
    if (workload.name != name) continue;
    Race race(settings);
    if (!workload.data.empty()) fill_page_cache(settings.directory);
    workload.run(race);
    race.report.disk_bytes = disk_bytes(settings.directory);
    fmt::print("{}\n", report_json(workload, race.report));
    std::fflush(stdout);
    if (race.abandoned()) std::_Exit(0);
    return 0;
  }
  die(name, "no such workload; --list names them");
}

}  // namespace

}  // namespace firn::race

int main(int argc, char** argv) {
  firn::race::Settings settings;
  std::string workload;
  bool list = false;
  CLI::App app("One workload of the race on " + firn::race::engine_name());
  app.add_flag("--list", list, "List the workloads, one JSON object per line");
  app.add_option("--workload", workload, "What to run");
  app.add_option("--dir", settings.directory, "Where the database is");
  app.add_option("--num", settings.num, "Rows of the main data set")
      ->capture_default_str()
      ->check(CLI::Range(1000, 1 << 30));
  app.add_option("--value", settings.value_bytes, "Bytes of their values")
      ->capture_default_str()
      ->check(CLI::Range(8, 1 << 20));
  app.add_option("--threads", settings.threads, "Threads (0: the workload's own number)")->check(CLI::Range(0, 256));
  app.add_option("--seed", settings.seed, "Of keys and choices")->capture_default_str();
  app.add_flag("--full", settings.full, "All operations instead of a quarter");
  app.add_flag("--latency", settings.latency, "Time every operation instead of one in 16");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    firn::race::list_workloads();
    return 0;
  }
  if (workload.empty() || settings.directory.empty()) firn::race::die("usage", "--workload and --dir are needed");
  return firn::race::run(workload, settings);
}
