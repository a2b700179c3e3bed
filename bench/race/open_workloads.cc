// Opening a database: after a clean close, with few and with many tables, and after a crash.
#include <algorithm>

#include "bench/race/steps.h"

namespace firn::race {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// Tables of the size that makes a main data set of 600 MB as many tables as 50 GB are with tables of 64 MiB.
constexpr std::uint64_t kSmallTableBytes = 768 * 1024;

Rows main_rows(const Race& race) { return {race.settings.num, race.settings.value_bytes}; }

// Once unmeasured, to have the files in the page cache, then again and again.
void open_clean(Race& race) {
  race.open();
  race.close();
  constexpr std::uint64_t kOpens = 20;
  race.time(
      "opener", kOpens, [&race] { race.open(); }, [&race] { race.close(); });
}

void fill_tables(Race& race) {
  race.config.table_bytes = kSmallTableBytes;
  const Rows rows = main_rows(race);
  race.open();
  race.run({{"writer", 1, put_rows(rows, 1)}});
  race.settle();
  race.report.user_bytes = race.report.live_bytes = rows.bytes(race.report.groups[0].rows);
}

void open_tables(Race& race) {
  race.config.table_bytes = kSmallTableBytes;
  open_clean(race);
}

// LevelDB flushes a memtable of 1 GiB at the latest: what is well below that stays in every engine's log.
Rows crash_rows(const Race& race) {
  const std::uint64_t limit = 640 * kMiB / (16 + race.settings.value_bytes);
  return {std::min(limit, race.count(1.1)), race.settings.value_bytes};
}

// Leaves a log that no table holds yet: the process ends without closing the database.
void crash(Race& race) {
  race.config.memtable_bytes = 1024 * kMiB;
  const Rows rows = crash_rows(race);
  race.open();
  race.run({{"writer", 1, put_rows(rows, 1)}});
  race.report.user_bytes = rows.bytes(race.report.groups[0].rows);
  race.abandon();
}

// Opens what the crash left; then every row must be there.
void recover(Race& race) {
  const Rows rows = crash_rows(race);
  race.time(
      "opener", 1, [&race] { race.open(); },
      [&race, &rows] {
        race.warm_up(scan_everything(rows, 1, false, rows.count));
        race.close();
      });
  race.report.groups[0].rows = rows.bytes(static_cast<double>(rows.count)) / 1e6;
}

}  // namespace

std::vector<Workload> open_workloads() {
  return {
      {"open", "open after a clean close", "opens", "fillrandom", false, false, open_clean},
      {"filltables", "many small tables", "puts", "", false, true, fill_tables},
      {"opentables", "open many tables", "opens", "filltables", false, true, open_tables},
      {"crash", "puts, then the process dies", "puts", "", false, false, crash},
      {"recover", "replay that log", "MB", "crash", false, false, recover, true},
  };
}

}  // namespace firn::race
