// The driver of the race: opens the engine, runs threads over it, times their operations and meters the process.
//
// One process runs one workload, so that memory, CPU time and bytes written are that workload's own.
// Thread safety: Race belongs to the main thread; a Worker to its thread.
#pragma once

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/race/engine.h"
#include "bench/race/histogram.h"
#include "bench/race/keys.h"
#include "bench/race/meter.h"

namespace firn::race {

struct Settings {
  std::string directory;
  std::uint64_t num = 5'000'000;  // Rows of the main data set.
  std::size_t value_bytes = 100;  // Of its values; some workloads have their own.
  int threads = 0;                // 0: the workload's own number.
  std::uint64_t seed = 1;
  bool full = false;     // All operations; else a quarter of most.
  bool latency = false;  // Time every operation; else one in kSampleEvery.
};

// Between two samples only a stall, not a single operation, is seen: two clock reads cost some 50 ns.
inline constexpr std::uint64_t kSampleEvery = 16;

// Where the threads of a run meet, and how the first group ends the others.
struct Start {
  explicit Start(std::ptrdiff_t threads) : line(threads) {}
  std::barrier<> line;
  std::atomic<bool> stop = false;
};

// One thread of a run, with what it may use.
class Worker {
 public:
  Worker(Session& own_session, int number, const Settings& all, Start& start)
      : session(own_session),
        index(number),
        settings(all),
        rng(all.seed * 1000 + static_cast<std::uint64_t>(number)),
        start_(start) {}

  // Waits until all threads are here; then the clock runs. Calls op(i) for i in [0, count), or until the first group
  // has finished where `count` is kUntilStopped. Once per worker.
  template <class Op>
  void drive(std::uint64_t count, Op&& op) {
    using Clock = std::chrono::steady_clock;
    start_.line.arrive_and_wait();
    const std::uint64_t every = settings.latency ? 1 : kSampleEvery;
    Clock::time_point last = Clock::now();
    for (std::uint64_t i = 0; i < count && !start_.stop.load(std::memory_order_relaxed);) {
      op(i);
      Clock::time_point now = Clock::now();
      latency.add(nanoseconds(now - last));
      const std::uint64_t group_end = std::min(count, i + every);
      const bool more = ++i < group_end;
      for (; i < group_end; ++i) op(i);
      if (more) {
        last = Clock::now();
        latency.note_max(nanoseconds(last - now));
      } else {
        last = now;
      }
      ops = i;
    }
  }

  static constexpr std::uint64_t kUntilStopped = UINT64_MAX;

  Session& session;
  const int index;
  const Settings& settings;
  Rng rng;
  Histogram latency;
  std::uint64_t ops = 0;

 private:
  static std::uint64_t nanoseconds(std::chrono::steady_clock::duration time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
  }

  Start& start_;
};

// Threads that do the same. The first group of a run decides when it ends.
struct Group {
  std::string name;
  int threads = 1;
  std::function<void(Worker&)> body;
  double rows_per_op = 1;  // A batch or a scan counts as its rows.
};

struct GroupReport {
  std::string name;
  int threads = 0;
  double rows = 0;
  double seconds = 0;
  Histogram latency;  // Of operations: a batch or a scan is one.
};

struct Report {
  std::vector<GroupReport> groups;
  double open_seconds = 0;
  double settle_seconds = 0;      // Until flushed and compacted, after the run.
  double cpu_seconds = 0;         // Of run and settling.
  std::uint64_t write_bytes = 0;  // Likewise.
  std::uint64_t read_bytes = 0;   // Likewise.
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t peak_anonymous_bytes = 0;
  std::uint64_t disk_bytes = 0;  // At the end, after settling.
  double user_bytes = 0;         // Keys and values written.
  double live_bytes = 0;         // Keys and values in the database.
};

class Race {
 public:
  explicit Race(Settings settings);

  // Opens the engine, timed. `config` may be changed before.
  void open();
  void close() { engine_.reset(); }
  // Leaves the engine open for ever: the process is to end without closing it.
  void abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }
  // Runs `body` on one thread, unmeasured.
  void warm_up(const std::function<void(Worker&)>& body);
  // Runs all groups at once and meters them. Once per race.
  void run(const std::vector<Group>& groups);
  // Times `work` alone, `times` times, and calls `between` after each. Once per race.
  void time(const std::string& name, std::uint64_t times, const std::function<void()>& work,
            const std::function<void()>& between);
  // After a run that wrote: waits until the engine is settled, still metered.
  void settle();

  // `fraction` of the main data set's rows, and a quarter of that in a short race.
  std::uint64_t count(double fraction) const;
  int threads(int otherwise) const { return settings.threads > 0 ? settings.threads : otherwise; }

  const Settings settings;
  EngineConfig config;
  Report report;

 private:
  void watch_memory();
  void meter(const Usage& before);

  std::unique_ptr<Engine> engine_;
  std::optional<AnonymousPeak> anonymous_;
  bool abandoned_ = false;
};

struct Workload {
  std::string_view name;
  std::string_view help;
  std::string_view unit;  // What is counted: "puts", "gets", "rows", ...
  std::string_view data;  // The workload that makes the database it runs on; empty: it starts with none.
  bool settles;           // Its rate counts the time until flushed and compacted.
  bool full_only;
  void (*run)(Race& race);
  bool changes = false;  // Leaves another database than it found.
};

// In the order in which they are run: what changes a database comes after what only reads it.
std::vector<Workload> workloads();
// Its parts.
std::vector<Workload> fill_workloads();
std::vector<Workload> read_workloads();
std::vector<Workload> change_workloads();
std::vector<Workload> ycsb_workloads();
std::vector<Workload> open_workloads();

}  // namespace firn::race
