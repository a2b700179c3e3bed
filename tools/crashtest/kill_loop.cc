#include "tools/crashtest/kill_loop.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "firn/sim/crash_explorer.h"

namespace firn::crashtest {

namespace {

using sim::broken;

Options small_options() {
  Options options;
  options.durability = Durability::kBuffered;
  options.sizes.memtable_bytes = 256 << 10;  // Flushes and compactions happen within a round.
  options.sizes.table_bytes = 256 << 10;
  options.sizes.log_segment_bytes = 256 << 10;
  options.sizes.cache_bytes = 4 << 20;
  return options;
}

std::string key_of(std::size_t writer, std::uint64_t i) { return std::to_string(writer) + "/" + std::to_string(i); }
std::string value_of(std::uint64_t i) { return std::to_string(i) + std::string(i % 200, 'v'); }
// Every batch also overwrites its writer's counter.
std::string counter_of(std::size_t writer) { return "counter" + std::to_string(writer); }

std::string of_writer(std::size_t writer) { return " of writer " + std::to_string(writer); }

}  // namespace

KillLoop::KillLoop(std::string path)
    : path_(std::move(path)),
      acknowledged_(static_cast<Acknowledged*>(
          mmap(nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

KillLoop::~KillLoop() {
  if (acknowledged_ != MAP_FAILED) munmap(acknowledged_, sizeof(Acknowledged));
}

Status KillLoop::create() {
  if (acknowledged_ == MAP_FAILED) return Status(StatusCode::kOutOfMemory, "no memory to share with a process");
  auto db = DB::open(path_, small_options());
  if (!db.ok()) return db.status();
  if (auto other = (*db)->create_family("other"); !other.ok()) return other.status();
  return (*db)->close();
}

Status KillLoop::destroy() { return DB::destroy(path_); }

Status KillLoop::round(std::uint64_t batches) {
  if (Status status = kill_after(batches); !status.ok()) return status;
  return check();
}

void KillLoop::write_until_killed() {
  auto db = DB::open(path_, small_options());
  if (!db.ok()) _exit(1);
  const Family other = *(*db)->family("other");
  std::vector<std::thread> writers;
  for (std::size_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, &db, other, writer] { write(**db, other, writer); });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(2);
}

void KillLoop::write(DB& db, Family other, std::size_t writer) {
  std::atomic<std::uint64_t>& acknowledged = acknowledged_->batches[writer];
  WriteBatch batch;
  for (std::uint64_t i = acknowledged.load();; ++i) {
    batch.clear();
    batch.put(key_of(writer, i), value_of(i));
    batch.put(other, key_of(writer, i), value_of(i));
    batch.put(other, counter_of(writer), std::to_string(i));
    if (Status status = db.write(batch); !status.ok()) _exit(3);
    acknowledged.store(i + 1);
  }
}

Status KillLoop::kill_after(std::uint64_t batches) {
  const std::uint64_t target = this->batches() + batches;
  const pid_t child = fork();
  if (child < 0) return Status(StatusCode::kIo, "fork failed");
  if (child == 0) write_until_killed();
  bool ended = false;
  while (this->batches() < target && !ended) {
    ended = waitpid(child, nullptr, WNOHANG) != 0;
    sched_yield();
  }
  if (ended) return broken("the writers ended by themselves");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return Status();
}

Status KillLoop::check() {
  auto db = DB::open(path_, small_options());
  if (!db.ok()) return db.status();
  const auto other = (*db)->family("other");
  if (!other.ok()) return other.status();
  for (std::size_t writer = 0; writer < kWriters; ++writer) {
    if (Status status = check_writer(**db, *other, writer); !status.ok()) return status;
  }
  return (*db)->close();
}

Status KillLoop::check_writer(DB& db, Family other, std::size_t writer) {
  const auto survived = count(db, kDefaultFamily, writer);
  if (!survived.ok()) return survived.status();
  const std::uint64_t acknowledged = acknowledged_->batches[writer];
  if (*survived < acknowledged) {
    return broken("lost " + std::to_string(acknowledged - *survived) + " acknowledged batches" + of_writer(writer));
  }
  const auto halves = count(db, other, writer);
  if (!halves.ok()) return halves.status();
  if (*halves != *survived) return broken("half a batch" + of_writer(writer));
  const auto counter = db.get(other, counter_of(writer));
  const bool right =
      *survived == 0 ? counter.status().is_not_found() : counter.ok() && *counter == std::to_string(*survived - 1);
  if (!right) return broken("the counter" + of_writer(writer) + " is not that of its last batch");
  acknowledged_->batches[writer] = *survived;  // The next round goes on behind what is there.
  return Status();
}

Result<std::uint64_t> KillLoop::count(DB& db, Family family, std::size_t writer) {
  std::uint64_t rows = 0;
  Iterator all = db.scan_prefix(family, std::to_string(writer) + "/");
  Step step = all.next();
  for (; step == Step::kEntry; step = all.next()) ++rows;
  if (step != Step::kEnd) return all.status();
  for (std::uint64_t i = 0; i < rows; i += 1 + rows / 64) {
    const auto value = db.get(family, key_of(writer, i));
    if (!value.ok()) return broken("a gap: " + key_of(writer, i) + " is missing");
    if (*value != value_of(i)) return broken("another value under " + key_of(writer, i));
  }
  return rows;
}

std::uint64_t KillLoop::batches() const {
  std::uint64_t sum = 0;
  for (const auto& batches : acknowledged_->batches) sum += batches;
  return sum;
}

}  // namespace firn::crashtest
