// Workloads that fill an empty database.
#include "bench/race/steps.h"

namespace firn::race {

namespace {

Rows main_rows(const Race& race) { return {race.settings.num, race.settings.value_bytes}; }

Rows rows_16k(const Race& race) { return {race.count(0.04), 16384}; }

// Fills a new database with `rows` and settles it.
void fill(Race& race, const Rows& rows, int threads = 1, bool shuffled = true, std::uint64_t batch = 1) {
  race.open();
  race.run({{"writer", threads, put_rows(rows, threads, shuffled, batch), static_cast<double>(batch)}});
  race.settle();
  const double written = race.report.groups[0].rows;
  race.report.user_bytes = rows.bytes(written);
  race.report.live_bytes = rows.bytes(written);
}

void fill_seq(Race& race) { fill(race, {race.count(1), race.settings.value_bytes}, race.threads(1), false); }
// The main data set: never scaled down, other workloads run on it.
void fill_random(Race& race) { fill(race, main_rows(race), race.threads(1)); }
void fill_batch(Race& race) { fill(race, {race.count(1), race.settings.value_bytes}, race.threads(1), true, 100); }

void fill_sync(Race& race) {
  race.config.sync = true;
  fill(race, {race.count(0.004), race.settings.value_bytes}, race.threads(1));
}
void fill_sync8(Race& race) {
  race.config.sync = true;
  fill(race, {race.count(0.02), race.settings.value_bytes}, race.threads(8));
}

void fill_1k(Race& race) { fill(race, {race.count(0.4), 1024}, race.threads(1)); }
void fill_16k(Race& race) { fill(race, rows_16k(race), race.threads(1)); }
void fill_prefix(Race& race) { fill(race, {race.count(0.8), race.settings.value_bytes, KeyForm::kPrefix}); }
void fill_rows(Race& race) { fill(race, {race.count(0.4), 1024, KeyForm::kUser}); }

void read_16k(Race& race) {
  const Rows rows = rows_16k(race);
  const Body body = get_random(rows, race.count(0.04), rows.count);
  race.open();
  race.warm_up(body);
  race.run({{"reader", 1, body}});
}

void overwrite_16k(Race& race) {
  const Rows rows = rows_16k(race);
  race.open();
  race.run({{"writer", 1, put_random(rows, 3 * rows.count)}});
  race.settle();
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows);
  race.report.live_bytes = rows.bytes(static_cast<double>(rows.count));
}

void scan_1k(Race& race) {
  const Rows rows{race.count(0.4), 1024};
  const Body body = scan_everything(rows, 2, false, rows.count);
  race.open();
  race.warm_up(body);
  race.run({{"reader", 1, body, static_cast<double>(rows.count)}});
}

}  // namespace

std::vector<Workload> fill_workloads() {
  return {
      {"fillseq", "put rows in key order", "puts", "", false, false, fill_seq},
      {"fillrandom", "put rows in random order", "puts", "", false, false, fill_random},
      {"fillbatch", "put rows in random order, 100 to a batch", "puts", "", false, false, fill_batch},
      {"fillsync", "durable puts, 1 thread", "puts", "", false, false, fill_sync},
      {"fillsync8", "durable puts, 8 threads", "puts", "", false, false, fill_sync8},
      {"fill1k", "values of 1 KiB, until compacted", "puts", "", true, false, fill_1k},
      {"scan1k", "scan of them all", "rows", "fill1k", false, false, scan_1k},
      {"fill16k", "values of 16 KiB, until compacted", "puts", "", true, false, fill_16k},
      {"read16k", "get one of them", "gets", "fill16k", false, false, read_16k},
      {"overwrite16k", "put three times as many again, until compacted", "puts", "fill16k", true, false, overwrite_16k,
       true},
      {"fillprefix", "rows of owners, ten to each", "puts", "", false, false, fill_prefix},
      {"fillrows", "YCSB's load: rows of 1 KiB", "puts", "", false, false, fill_rows},
  };
}

}  // namespace firn::race
