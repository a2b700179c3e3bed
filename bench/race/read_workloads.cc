// Workloads that only read, on the main data set.
#include <algorithm>

#include "bench/race/steps.h"

namespace firn::race {

namespace {

Rows main_rows(const Race& race) { return {race.settings.num, race.settings.value_bytes}; }

void read(Race& race, int threads, const Body& body, double rows_per_op = 1) {
  race.open();
  race.warm_up(body);
  race.run({{"reader", threads, body, rows_per_op}});
}

// Random gets among `fraction` of the rows.
void read_among(Race& race, double fraction, int threads) {
  const Rows rows = main_rows(race);
  const auto among = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(rows.count) * fraction));
  read(race, threads, get_random(rows, race.count(0.4), among));
}

void read_hot(Race& race) { read_among(race, 0.01, race.threads(1)); }
void read_warm(Race& race) { read_among(race, 0.1, race.threads(1)); }
void read_random(Race& race) { read_among(race, 1, race.threads(1)); }
void read_random2(Race& race) { read_among(race, 1, race.threads(2)); }

void read_cold(Race& race) {
  drop_page_cache(race.config.directory);
  const Rows rows = main_rows(race);
  race.open();
  race.run({{"reader", race.threads(1), get_random(rows, race.count(0.008), rows.count)}});
}

void multi_get_cold(Race& race) {
  constexpr std::uint64_t kKeys = 32;
  drop_page_cache(race.config.directory);
  race.open();
  race.run({{"reader", race.threads(1), multi_get_random(main_rows(race), race.count(0.008), kKeys), kKeys}});
}

void read_missing(Race& race) { read(race, race.threads(1), get_missing(main_rows(race), race.count(0.4))); }

template <std::uint64_t kKeys>
void multi_get(Race& race) {
  read(race, race.threads(1), multi_get_random(main_rows(race), race.count(0.4), kKeys), static_cast<double>(kKeys));
}

void seek_10(Race& race) { read(race, race.threads(1), seek_random(main_rows(race), race.count(0.08), 10, false)); }
void seek_10_reuse(Race& race) {
  read(race, race.threads(1), seek_random(main_rows(race), race.count(0.08), 10, true));
}
void seek_100(Race& race) { read(race, race.threads(1), seek_random(main_rows(race), race.count(0.04), 100, false)); }

void scan(Race& race, bool reverse) {
  const Rows rows = main_rows(race);
  read(race, race.threads(1), scan_everything(rows, 2, reverse, rows.count), static_cast<double>(rows.count));
}
void scan_forward(Race& race) { scan(race, false); }
void scan_backward(Race& race) { scan(race, true); }

void scan_prefix(Race& race) {
  const Rows rows{race.count(0.8), race.settings.value_bytes, KeyForm::kPrefix};
  read(race, race.threads(1), scan_random_owner(rows, race.count(0.08)));
}

}  // namespace

std::vector<Workload> read_workloads() {
  return {
      {"readhot", "get, among 1 % of the rows", "gets", "fillrandom", false, false, read_hot},
      {"readwarm", "get, among 10 % of the rows", "gets", "fillrandom", false, false, read_warm},
      {"readrandom", "get, more data than cache", "gets", "fillrandom", false, false, read_random},
      {"readrandom2", "the same, 2 threads", "gets", "fillrandom", false, false, read_random2},
      {"readcold", "get, nothing in the page cache", "gets", "fillrandom", false, false, read_cold},
      {"multigetcold", "multi-get, 32 keys, nothing in the page cache", "keys", "fillrandom", false, false,
       multi_get_cold},
      {"readmissing", "get keys that are not there", "gets", "fillrandom", false, false, read_missing},
      {"multiget1", "multi-get, 1 key", "keys", "fillrandom", false, true, multi_get<1>},
      {"multiget8", "multi-get, 8 keys", "keys", "fillrandom", false, true, multi_get<8>},
      {"multiget32", "multi-get, 32 keys", "keys", "fillrandom", false, false, multi_get<32>},
      {"seek10", "new iterator, seek, 10 rows", "seeks", "fillrandom", false, false, seek_10},
      {"seek10reuse", "seek, 10 rows", "seeks", "fillrandom", false, true, seek_10_reuse},
      {"seek100", "new iterator, seek, 100 rows", "seeks", "fillrandom", false, false, seek_100},
      {"scan", "everything, forward", "rows", "fillrandom", false, false, scan_forward},
      {"scanback", "everything, backward", "rows", "fillrandom", false, false, scan_backward},
      {"scanprefix", "all rows of an owner", "scans", "fillprefix", false, false, scan_prefix},
  };
}

}  // namespace firn::race
