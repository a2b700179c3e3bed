// crashtest: explore crash states of the engine, repeat one, or kill real processes.

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/random.h"
#include "tools/crashtest/campaign.h"
#include "tools/crashtest/catalog.h"
#include "tools/crashtest/kill_loop.h"
#include "tools/firn/commands.h"
#include "tools/firn/progress.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

struct CrashtestArguments {
  std::vector<std::string> names;
  double seconds = 10;
  std::uint64_t seed = 1;
  std::uint32_t threads = 1;
  std::uint32_t sequences = 0;
  std::uint32_t faults = 26;
  std::uint32_t plans = 64;
  std::uint64_t states = UINT64_MAX;
  std::uint32_t depth = 2;
  std::string replay;
  bool kill = false;
  std::string directory = "/tmp";
  bool list = false;
};

// A line on a terminal while it goes on; figures that grow by the second.
class Ticker {
 public:
  bool operator()(const std::string& line) {
    if (visible_) {
      fmt::print(stderr, "\r\033[K{}", line);
      std::fflush(stderr);
      drawn_ = true;
    }
    return !interrupted();
  }
  ~Ticker() {
    if (drawn_) fmt::print(stderr, "\r\033[K");
  }
  Ticker() = default;
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  const bool visible_ = isatty(STDERR_FILENO) == 1;
  bool drawn_ = false;
};

std::uint64_t per_second(std::uint64_t count, double seconds) {
  return static_cast<std::uint64_t>(static_cast<double>(count) / std::max(seconds, 1e-3));
}

void print_violation(const sim::Violation& violation) {
  fmt::print("\nVIOLATION: {}\n{}", violation.what, violation.reproduction);
  if (!violation.token.empty()) fmt::print("  repeat with: firn crashtest --replay '{}'\n", violation.token);
}

Json violation_json(const sim::Violation& violation) {
  return {{"token", violation.token}, {"what", violation.what}, {"reproduction", violation.reproduction}};
}

Json figures_json(const sim::ExploreReport& report) {
  Json figures;
  for (const sim::ExploreFigure& figure : sim::kExploreFigures) {
    figures[std::string(figure.name)] = report.*figure.count;
  }
  return figures;
}

void print_json_report(const crashtest::CampaignReport& report, const CrashtestArguments& arguments) {
  Json document = figures_json(report.total);
  document["explorations"] = report.explorations;
  document["seed"] = arguments.seed;
  document["seeds"] = report.seeds;
  document["threads"] = arguments.threads;
  document["seconds"] = report.seconds;
  document["states_per_second"] = per_second(report.total.states_explored, report.seconds);
  for (const crashtest::CampaignRow& row : report.rows) {
    Json figures = figures_json(row.report);
    figures["explorations"] = row.explorations;
    document["workloads"][row.name] = std::move(figures);
  }
  document["violations"] = Json::array();
  for (const sim::Violation& violation : report.total.violations) {
    document["violations"].push_back(violation_json(violation));
  }
  print_json(document);
}

void print_table(const crashtest::CampaignReport& report, const CrashtestArguments& arguments) {
  constexpr const char* kLine = "{:<20} {:>12} {:>12} {:>12} {:>10} {:>8} {:>10}\n";
  fmt::print(kLine, "workload", "states", "equal", "in recovery", "operations", "faults", "outcomes");
  const auto line = [&](const std::string& name, const sim::ExploreReport& figures) {
    fmt::print(kLine, name, count_text(figures.states_explored), count_text(figures.states_pruned),
               count_text(figures.recovery_states), count_text(figures.operations), count_text(figures.faults_injected),
               count_text(figures.unique_outcomes));
  };
  for (const crashtest::CampaignRow& row : report.rows) line(row.name, row.report);
  line("all", report.total);
  fmt::print("{} explorations, seeds {}..{}, {:.1f} s, {} states/s, {} violation{}\n", count_text(report.explorations),
             arguments.seed, arguments.seed + std::max<std::uint64_t>(report.seeds, 1) - 1, report.seconds,
             count_text(per_second(report.total.states_explored, report.seconds)), report.total.violations.size(),
             report.total.violations.size() == 1 ? "" : "s");
}

ExitCode explore(const GlobalOptions& options, const CrashtestArguments& arguments) {
  crashtest::CampaignOptions campaign;
  campaign.names = arguments.names;
  for (std::uint32_t length = 1; length <= arguments.sequences; ++length) {
    const std::vector<std::string> sequences = crashtest::sequence_names(length);
    campaign.names.insert(campaign.names.end(), sequences.begin(), sequences.end());
  }
  if (campaign.names.empty()) {
    for (const crashtest::CatalogEntry& entry : crashtest::catalog()) campaign.names.push_back(entry.name);
  }
  for (const std::string& name : campaign.names) {
    if (crashtest::make_workload(name, 1) != nullptr) continue;
    fmt::print(stderr, "firn: crashtest: there is no crash test '{}' (firn crashtest --list)\n", name);
    return kExitUsage;
  }
  campaign.seed = arguments.seed;
  campaign.seconds = arguments.seconds;
  campaign.processes = std::max(arguments.threads, 1U);
  campaign.limits.faults_max = arguments.faults;
  campaign.limits.device_lies = true;
  campaign.limits.plans_max = arguments.plans;
  campaign.limits.states_max = arguments.states;
  campaign.limits.recovery_depth = std::min(arguments.depth, 3U);
  crashtest::CampaignReport report;
  {
    Ticker ticker;
    report = run_campaign(campaign, [&](const sim::ExploreReport& so_far, double seconds) {
      return ticker(fmt::format("{} states, {} faults, {} states/s, {}", count_text(so_far.states_explored),
                                count_text(so_far.faults_injected),
                                count_text(per_second(so_far.states_explored, seconds)), seconds_text(seconds)));
    });
  }
  if (options.json || options.jsonl) {
    print_json_report(report, arguments);
  } else {
    print_table(report, arguments);
    for (const sim::Violation& violation : report.total.violations) print_violation(violation);
  }
  if (!report.total.violations.empty()) return kExitDamage;
  return interrupted() ? kExitInterrupted : kExitDone;
}

ExitCode replay(const GlobalOptions& options, const CrashtestArguments& arguments) {
  const std::string& token = arguments.replay;
  const std::string name = sim::token_workload(token);
  const std::unique_ptr<crashtest::EngineWorkload> workload =
      name.empty() ? nullptr : crashtest::make_workload(name, sim::token_seed(token));
  if (workload == nullptr) {
    fmt::print(stderr, "firn: crashtest: '{}' is no token of a crash test\n", token);
    return kExitUsage;
  }
  const Result<std::optional<sim::Violation>> violation = sim::replay(*workload, token);
  if (!violation.ok()) return report("crashtest --replay", violation.status());
  if (options.json || options.jsonl) {
    Json document{{"token", token}, {"violations", Json::array()}};
    if (violation->has_value()) document["violations"].push_back(violation_json(**violation));
    print_json(document);
  } else if (violation->has_value()) {
    print_violation(**violation);
  } else {
    fmt::print("no violation: {}\n", token);
  }
  return violation->has_value() ? kExitDamage : kExitDone;
}

ExitCode kill_processes(const GlobalOptions& options, const CrashtestArguments& arguments) {
  constexpr std::uint64_t kBatchesMax = 2000;
  std::string pattern = arguments.directory + "/firn-crashtest-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    return report(arguments.directory, Status(StatusCode::kIo, "cannot make a directory"));
  }
  crashtest::KillLoop loop(pattern);
  Status status = loop.create();
  SplitMix64 random(arguments.seed);
  std::uint64_t kills = 0;
  const Progress clock("", 0);
  {
    Ticker ticker;
    while (status.ok() && clock.seconds() < arguments.seconds) {
      status = loop.round(random.next() % kBatchesMax);
      ++kills;
      if (!ticker(fmt::format("{} kills, {} batches acknowledged and found again", count_text(kills),
                              count_text(loop.batches())))) {
        break;
      }
    }
  }
  const bool violated = !status.ok();
  if (options.json || options.jsonl) {
    Json document{{"kills", kills},
                  {"batches", loop.batches()},
                  {"seed", arguments.seed},
                  {"seconds", clock.seconds()},
                  {"violations", Json::array()}};
    if (violated) document["violations"].push_back({{"what", status.to_string()}, {"directory", pattern}});
    print_json(document);
  } else {
    fmt::print("{} kills, {} batches acknowledged and found again, {:.1f} s, {} violation{}\n", count_text(kills),
               count_text(loop.batches()), clock.seconds(), violated ? 1 : 0, violated ? "" : "s");
    if (violated) fmt::print("\nVIOLATION: {}\n  the database is kept in {}\n", status.to_string(), pattern);
  }
  if (violated) return kExitDamage;
  if (Status removed = loop.destroy(); !removed.ok()) return report(pattern, removed);
  return interrupted() ? kExitInterrupted : kExitDone;
}

ExitCode list(const GlobalOptions& options) {
  Json document = Json::array();
  for (const crashtest::CatalogEntry& entry : crashtest::catalog()) {
    if (options.json || options.jsonl) {
      document.push_back({{"name", entry.name}, {"help", entry.help}});
    } else {
      fmt::print("{:<20} {}\n", entry.name, entry.help);
    }
  }
  if (options.json || options.jsonl) print_json(document);
  return kExitDone;
}

ExitCode run(const GlobalOptions& options, const CrashtestArguments& arguments) {
  if (arguments.list) return list(options);
  if (!arguments.replay.empty()) return replay(options, arguments);
  return arguments.kill ? kill_processes(options, arguments) : explore(options, arguments);
}

}  // namespace

void add_crashtest_command(Tool tool) {
  auto arguments = std::make_shared<CrashtestArguments>();
  CLI::App* command = tool.app.add_subcommand("crashtest", "Crash the engine at every file operation and check it");
  command->add_option("NAME", arguments->names, "Crash tests of --list (default: all)");
  command->add_option("--seconds", arguments->seconds, "How long; 0: every test once, to its end")
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "First seed; each round takes the next")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "Processes at a time")->check(CLI::Range(1, 256));
  command->add_option("--faults", arguments->faults, "Runs with a fault in one operation, of each test")
      ->capture_default_str();
  command->add_option("--plans", arguments->plans, "States of one operation and kind of crash, at most")
      ->capture_default_str();
  command->add_option("--states", arguments->states, "States of each test, at most");
  command->add_option("--depth", arguments->depth, "Crashes in recovery, in its recovery, ...: 0 to 3")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  command->add_option("--sequences", arguments->sequences, "All sequences of up to so many steps instead")
      ->check(CLI::Range(1, 4));
  command->add_option("--replay", arguments->replay, "Check one state again: the token that a violation printed");
  command->add_flag("--kill", arguments->kill, "Kill real processes over a real directory instead");
  command->add_option("--dir", arguments->directory, "Where --kill makes its directory")->capture_default_str();
  command->add_flag("--list", arguments->list, "The crash tests by name");
  command->callback([tool, arguments] { tool.exit_code = run(tool.options, *arguments); });
}

}  // namespace firn::tools
