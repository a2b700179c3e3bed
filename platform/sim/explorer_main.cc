// The program around a list of workloads. Tested by examples/crashtest_outbox.cc.
#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>

#include "firn/sim/crash_explorer.h"

namespace firn::sim {

namespace {

constexpr const char* kUsage =
    "usage: %s [--seconds N] [--states N] [--seed S] [--faults N] [--depth N] [--workload NAME] [--replay TOKEN] "
    "[--list]\n";

struct Arguments {
  ExploreLimits limits;
  std::string workload;  // Empty: all.
  std::string token;
  bool list = false;
};

template <class T>
bool parse_number(const char* text, T& number) {
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, number);
  return error == std::errc() && at == end;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  arguments.limits.seconds = 10;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--list") {
      arguments.list = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* const value = argv[++i];
    const bool known = (name == "--seconds" && parse_number(value, arguments.limits.seconds)) ||
                       (name == "--states" && parse_number(value, arguments.limits.states_max)) ||
                       (name == "--seed" && parse_number(value, arguments.limits.seed)) ||
                       (name == "--faults" && parse_number(value, arguments.limits.faults_max)) ||
                       (name == "--depth" && parse_number(value, arguments.limits.recovery_depth));
    if (known) continue;
    if (name == "--workload") {
      arguments.workload = value;
    } else if (name == "--replay") {
      arguments.token = value;
      arguments.workload = token_workload(value);
      if (arguments.workload.empty()) return false;
    } else {
      return false;
    }
  }
  return true;
}

void print(const char* program, const Violation& violation) {
  std::printf("VIOLATION: %s\n%s  repeat with: %s --replay '%s'\n", violation.what.c_str(),
              violation.reproduction.c_str(), program, violation.token.c_str());
}

int run_replay(const char* program, Workload& workload, const std::string& token) {
  const Result<std::optional<Violation>> violation = replay(workload, token);
  if (!violation.ok()) {
    std::fprintf(stderr, "%s\n", violation.status().to_string().c_str());
    return 2;
  }
  if (violation->has_value()) {
    print(program, **violation);
    return 1;
  }
  std::printf("no violation: %s\n", token.c_str());
  return 0;
}

int run_exploration(const char* program, Workload& workload, const ExploreLimits& limits) {
  const ExploreReport report = explore(workload, limits);
  std::printf("%s: %" PRIu64 " states (%" PRIu64 " equal ones passed over, %" PRIu64 " in recovery), %" PRIu64
              " faults, %" PRIu64 " outcomes, %.1f s, seed %" PRIu64 "%s\n",
              workload.name().c_str(), report.states_explored, report.states_pruned, report.recovery_states,
              report.faults_injected, report.unique_outcomes, report.seconds, limits.seed,
              report.complete ? "" : ", cut short by its limits");
  for (const Violation& violation : report.violations) print(program, violation);
  return report.violations.empty() ? 0 : 1;
}

}  // namespace

int crash_test_main(int argc, char** argv, std::initializer_list<Workload*> workloads) {
  const char* const program = argc > 0 ? argv[0] : "crashtest";
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr, kUsage, program);
    return 2;
  }
  int exit_code = 0;
  bool found = arguments.workload.empty();
  for (Workload* workload : workloads) {
    if (arguments.list) std::printf("%s\n", workload->name().c_str());
    if (arguments.list || (!arguments.workload.empty() && workload->name() != arguments.workload)) continue;
    found = true;
    const int outcome = arguments.token.empty() ? run_exploration(program, *workload, arguments.limits)
                                                : run_replay(program, *workload, arguments.token);
    exit_code = std::max(exit_code, outcome);
  }
  if (found || arguments.list) return exit_code;
  std::fprintf(stderr, "there is no workload '%s'\n", arguments.workload.c_str());
  return 2;
}

}  // namespace firn::sim
