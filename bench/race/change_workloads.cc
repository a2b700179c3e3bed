// Workloads that change the main data set, on one thread or on many that read too. They come after those that read it.
#include "bench/race/steps.h"

namespace firn::race {

namespace {

Rows main_rows(const Race& race) { return {race.settings.num, race.settings.value_bytes}; }

void read_while_writing(Race& race) {
  const Rows rows = main_rows(race);
  race.open();
  race.warm_up(get_random(rows, race.count(0.05), rows.count));
  race.run({{"reader", race.threads(1), get_random(rows, race.count(0.2), rows.count)},
            {"writer", 1, put_random(rows, Worker::kUntilStopped)}});
  race.settle();
  race.report.user_bytes = rows.bytes(race.report.groups[1].rows);
}

// Each thread gets and puts by turns.
template <int kThreads>
void mixed(Race& race) {
  const Rows rows = main_rows(race);
  const int threads = race.threads(kThreads);
  const Body body = [rows, count = race.count(0.2) / static_cast<std::uint64_t>(threads)](Worker& worker) {
    const Values values(rows.value_bytes);
    KeyBuffer key(rows.form);
    std::string_view value;
    worker.drive(count, [&](std::uint64_t) {
      const std::uint64_t row = worker.rng.below(rows.count);
      if (worker.rng.next() % 2 == 0) {
        worker.session.put(key(row), values(row));
      } else if (!worker.session.get(key(row), value) || !values.matches(value, row)) {
        die("wrong answer", "a row is missing or has another value");
      }
    });
  };
  race.open();
  race.run({{"both", threads, body}});
  race.settle();
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows / 2);
}

void overwrite(Race& race) {
  const Rows rows = main_rows(race);
  const int threads = race.threads(1);
  race.open();
  race.run({{"writer", threads, put_rows(rows, threads, true, 1, race.settings.full ? 4 : 1)}});
  race.settle();
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows);
  race.report.live_bytes = rows.bytes(static_cast<double>(rows.count));
}

void delete_random(Race& race) {
  const Rows rows = main_rows(race);
  race.open();
  race.run({{"writer", 1, erase_rows(rows, rows.count / 2)}});
  race.settle();
  race.report.user_bytes = 16 * race.report.groups[0].rows;
  race.report.live_bytes = rows.bytes(static_cast<double>(rows.count - rows.count / 2));
}

void scan_after_delete(Race& race) {
  const Rows rows = main_rows(race);
  const std::uint64_t left = rows.count - rows.count / 2;
  const Body body = scan_everything(rows, 2, false, left);
  race.open();
  race.warm_up(body);
  race.run({{"reader", 1, body, static_cast<double>(left)}});
}

// A queue: a range of rows is deleted, and scans start in the hole.
void scan_hole(Race& race) {
  const Rows rows{race.count(0.4), race.settings.value_bytes};
  race.open();
  race.run({{"both", 1, [rows](Worker& worker) {
               const Values values(rows.value_bytes);
               KeyBuffer key(rows.form);
               // A new row at the tail, the oldest away from the head, now and then a look at what is first.
               constexpr std::uint64_t kLength = 1000;
               worker.drive(rows.count, [&](std::uint64_t i) {
                 worker.session.put(key(i), values(i));
                 if (i < kLength) return;
                 worker.session.erase(key(i - kLength));
                 if (i % 100 != 0) return;
                 if (worker.session.scan({}, 10, false).rows != 10) die("wrong answer", "a scan ended early");
               });
             }}});
  race.settle();
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows) + 16 * race.report.groups[0].rows;
}

}  // namespace

std::vector<Workload> change_workloads() {
  return {
      {"readwhilewriting", "get, beside 1 writer", "gets", "fillrandom", false, false, read_while_writing, true},
      {"mixed2", "half gets, half puts, 2 threads", "ops", "fillrandom", false, false, mixed<2>, true},
      {"mixed4", "the same, 4 threads", "ops", "fillrandom", false, true, mixed<4>, true},
      {"mixed8", "the same, 8 threads", "ops", "fillrandom", false, false, mixed<8>, true},
      {"overwrite", "put all rows again, until compacted", "puts", "fillrandom", true, false, overwrite, true},
      {"deleterandom", "delete half of the rows", "deletes", "fillrandom", false, false, delete_random, true},
      {"scandeleted", "everything that is left", "rows", "fillrandom", false, false, scan_after_delete},
      {"queue", "put, delete the oldest, look at the first", "puts", "", false, false, scan_hole},
  };
}

}  // namespace firn::race
