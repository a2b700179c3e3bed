// A test of your own on a simulated machine: two threads count visits in a database while the log's disk fails now and
// then, the power goes at a random moment, and what is left is opened. Everything follows from the seed: the threads'
// interleaving, the faults, the crash. Usage: simulated_machine [SEED]. Ends with 0 when no visit that was promised got
// lost.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "firn/firn.h"
#include "firn/sim/fault_plan.h"
#include "firn/sim/machine.h"

namespace {

using namespace firn;

Options on(const sim::Machine& machine) {
  Options options;
  options.platform = &machine.platform();
  options.durability = Durability::kSync;
  return options;
}

// Each visitor owns a key, so the last number that was acknowledged is known without a lock.
void visit(DB& db, const std::string& visitor, int& acknowledged) {
  for (int visit = 1; visit <= 50; ++visit) {
    if (!db.put(visitor, std::to_string(visit)).ok()) return;
    acknowledged = visit;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  sim::MachineOptions options;
  options.seed = seed;
  sim::Machine machine(std::move(options));
  sim::FaultRule failing_log;
  failing_log.path = "*.log";
  failing_log.one_in = 500;
  sim::FaultPlan faults({failing_log}, seed);
  int promised[2] = {0, 0};
  std::optional<sim::CrashPoint> crash;

  const Status ended = machine.run([&] {
    auto db = DB::open("visits", on(machine));
    if (!db.ok()) return;
    const std::uint64_t last = machine.files().operation_count() + machine.random().next() % 200;
    int acknowledged[2] = {0, 0};
    machine.files().set_fault_hook([&](const sim::Operation& operation) -> std::optional<sim::Fault> {
      if (operation.index >= last && !crash.has_value()) {
        crash = machine.files().crash_point(sim::CrashProfile::kStrict);
        for (int i = 0; i < 2; ++i) promised[i] = acknowledged[i];
      }
      if (crash.has_value()) return EIO;  // The machine is off.
      return faults.consult(operation);
    });
    const auto other = machine.scheduler().spawn("ada", [&] { visit(**db, "ada", acknowledged[0]); });
    visit(**db, "bob", acknowledged[1]);
    machine.scheduler().join(other);
    if (!crash.has_value()) {
      crash = machine.files().crash_point(sim::CrashProfile::kStrict);
      for (int i = 0; i < 2; ++i) promised[i] = acknowledged[i];
    }
  });
  if (!ended.ok() || !crash.has_value()) return std::puts(ended.to_string().c_str()), 1;

  const sim::CrashPlan plan = crash->random(seed);
  std::printf("seed %ju: %zu operations were not durable, plan %s\n%s", static_cast<std::uintmax_t>(seed),
              crash->operations().size(), crash->format(plan).c_str(), crash->describe(plan).c_str());
  sim::MachineOptions restarted;
  restarted.disk = crash->apply(plan);
  sim::Machine after(std::move(restarted));
  bool right = true;
  const Status checked = after.run([&] {
    auto db = DB::open("visits", on(after));
    if (!db.ok()) {
      right = false;
      return;
    }
    for (int i = 0; i < 2; ++i) {
      const auto visits = (*db)->get(i == 0 ? "ada" : "bob");
      const int found = visits.ok() ? std::atoi(visits->c_str()) : 0;
      std::printf("%s: %d promised, %d there\n", i == 0 ? "ada" : "bob", promised[i], found);
      right = right && found >= promised[i];
    }
  });
  return checked.ok() && right ? 0 : 1;
}
