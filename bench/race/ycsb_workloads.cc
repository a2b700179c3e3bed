// The core workloads of YCSB (Cooper et al., SoCC 2010): rows of 1 KiB, chosen by Zipf's law with exponent 0.99.
#include "bench/race/steps.h"

namespace firn::race {

namespace {

// Shares of operations in percent; what is left are reads.
struct Mix {
  std::uint64_t updates = 0;
  std::uint64_t inserts = 0;
  std::uint64_t scans = 0;
  std::uint64_t read_modify_writes = 0;
  bool latest = false;              // Newest rows are the popular ones.
  double operations = 0.4;          // As a fraction of the main data set's rows.
  std::uint64_t insert_offset = 0;  // In multiples of the data set, so that no two workloads insert the same rows.
};

constexpr std::uint64_t kScanRowsMax = 100;

class YcsbThread {
 public:
  YcsbThread(Worker& worker, const Rows& rows, const Mix& mix, std::uint64_t count)
      : worker_(worker),
        mix_(mix),
        values_(rows.value_bytes),
        key_(rows.form),
        rows_(rows.count),
        next_insert_(rows.count * (1 + mix.insert_offset) + static_cast<std::uint64_t>(worker.index) * count),
        first_insert_(next_insert_),
        choices_(zipf_choices(rows.count, count, worker.rng.next(), !mix.latest)) {}

  void operation(std::uint64_t i) {
    std::uint64_t dice = worker_.rng.next() % 100;
    if (dice < mix_.inserts) {
      worker_.session.put(key_(next_insert_), values_(next_insert_));
      ++next_insert_;
      return;
    }
    dice -= mix_.inserts;
    const std::uint64_t row = mix_.latest ? latest(choices_[i]) : choices_[i];
    if (dice < mix_.updates) {
      worker_.session.put(key_(row), values_(row));
    } else if (dice < mix_.updates + mix_.scans) {
      worker_.session.scan(key_(row), 1 + worker_.rng.below(kScanRowsMax), false);
    } else {
      read(row);
      if (dice < mix_.updates + mix_.scans + mix_.read_modify_writes) worker_.session.put(key_(row), values_(row));
    }
  }

 private:
  // The row inserted `age` inserts ago.
  std::uint64_t latest(std::uint64_t age) const {
    const std::uint64_t inserted = next_insert_ - first_insert_;
    return age < inserted ? next_insert_ - 1 - age : rows_ - 1 - (age - inserted) % rows_;
  }

  void read(std::uint64_t row) {
    std::string_view value;
    if (!worker_.session.get(key_(row), value) || !values_.matches(value, row)) {
      die("wrong answer", "row " + std::to_string(row) + " is missing or has another value");
    }
  }

  Worker& worker_;
  const Mix mix_;
  const Values values_;
  KeyBuffer key_;
  const std::uint64_t rows_;
  std::uint64_t next_insert_;
  const std::uint64_t first_insert_;
  const std::vector<std::uint32_t> choices_;
};

void run_mix(Race& race, const Mix& mix) {
  const Rows rows{race.count(0.4), 1024, KeyForm::kUser};
  const int threads = race.threads(1);
  const std::uint64_t count = race.count(mix.operations) / static_cast<std::uint64_t>(threads);
  race.open();
  race.warm_up(get_random(rows, count / 4, rows.count));
  race.run({{"client", threads, [=](Worker& worker) {
               YcsbThread thread(worker, rows, mix, count);
               worker.drive(count, [&](std::uint64_t i) { thread.operation(i); });
             }}});
  race.settle();
  const double writes = static_cast<double>(mix.updates + mix.inserts + mix.read_modify_writes) / 100;
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows * writes);
}

void ycsb_a(Race& race) { run_mix(race, {.updates = 50}); }
void ycsb_b(Race& race) { run_mix(race, {.updates = 5}); }
void ycsb_c(Race& race) { run_mix(race, {}); }
void ycsb_d(Race& race) { run_mix(race, {.inserts = 5, .latest = true}); }
void ycsb_e(Race& race) { run_mix(race, {.inserts = 5, .scans = 95, .operations = 0.04, .insert_offset = 1}); }
void ycsb_f(Race& race) { run_mix(race, {.read_modify_writes = 50}); }

}  // namespace

std::vector<Workload> ycsb_workloads() {
  return {
      {"ycsbc", "YCSB C: reads", "ops", "fillrows", false, false, ycsb_c},
      {"ycsbb", "YCSB B: 95 % reads, 5 % updates", "ops", "fillrows", false, false, ycsb_b, true},
      {"ycsba", "YCSB A: half reads, half updates", "ops", "fillrows", false, false, ycsb_a, true},
      {"ycsbf", "YCSB F: half reads, half read-modify-write", "ops", "fillrows", false, false, ycsb_f, true},
      {"ycsbd", "YCSB D: 95 % reads of new rows, 5 % inserts", "ops", "fillrows", false, false, ycsb_d, true},
      {"ycsbe", "YCSB E: 95 % scans, 5 % inserts", "ops", "fillrows", false, false, ycsb_e, true},
  };
}

}  // namespace firn::race
