#include "tools/demo/second_load.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <new>

#include "codec/checksum.h"
#include "firn/db.h"
#include "tools/demo/console.h"
#include "tools/text/units.h"

namespace firn::demo {

namespace {

using tools::bytes_text;
using tools::count_text;

constexpr const char* kByPath = "by-path";
constexpr const char* kByNumber = "by-number";

std::string number_key(std::uint64_t i) { return fmt::format("{:010}", i); }

// Batch i: the row under its number in one family, and its number under a path of its own in the other.
std::string path_key(const FileRow& row, std::uint64_t i) { return fmt::format("{}#{}", row.path, i); }

Family make_family(DB& db, const char* name) {
  auto found = db.family(name);
  if (found.ok()) return *found;
  auto made = db.create_family(name);
  if (!made.ok()) fail("create family", made.status());
  return *made;
}

[[noreturn]] void write_until_killed(const std::string& database, const Options& options,
                                     const std::vector<FileRow>& rows, std::atomic<std::uint64_t>& acknowledged) {
  auto db = DB::open(database, options);
  if (!db.ok()) fail("open in the writer process", db.status());
  const Family by_path = make_family(**db, kByPath);
  const Family by_number = make_family(**db, kByNumber);
  WriteBatch batch;
  for (std::uint64_t i = 0;; ++i) {
    const FileRow& row = rows[i % rows.size()];
    batch.clear();
    batch.put(by_number, number_key(i), row.path + " " + row.facts);
    batch.put(by_path, path_key(row, i), number_key(i));
    if (Status status = (*db)->write(batch); !status.ok()) fail("write", status);
    acknowledged.store(i + 1, std::memory_order_release);
  }
}

std::string recovery_text(const RecoveryReport& report) {
  return fmt::format("{} batches ({} entries) replayed from {} of log in {:.1f} ms{}", count_text(report.batches),
                     count_text(report.entries), bytes_text(report.bytes), static_cast<double>(report.elapsed_ns) / 1e6,
                     report.dropped_bytes == 0
                         ? std::string(", nothing dropped")
                         : fmt::format(", {} of torn tail dropped", bytes_text(report.dropped_bytes)));
}

}  // namespace

Killed load_and_kill(const std::string& database, const Options& options, const std::vector<FileRow>& rows) {
  void* shared =
      mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  require(shared != MAP_FAILED, "no shared memory for the writer process");
  auto& acknowledged = *new (shared) std::atomic<std::uint64_t>(0);
  const Stopwatch watch;
  const pid_t writer = fork();
  require(writer >= 0, "cannot start a writer process");
  if (writer == 0) write_until_killed(database, options, rows, acknowledged);
  while (acknowledged.load(std::memory_order_acquire) < rows.size() / 2) {
    require(waitpid(writer, nullptr, WNOHANG) == 0, "the writer process ended by itself");
    usleep(1000);
  }
  kill(writer, SIGKILL);
  waitpid(writer, nullptr, 0);
  const Killed killed{acknowledged.load(std::memory_order_acquire), watch.seconds()};
  munmap(shared, sizeof(std::atomic<std::uint64_t>));
  return killed;
}

Proof prove(const std::string& database, const Options& options, const std::vector<FileRow>& rows, const Killed& killed,
            std::string& recovery) {
  auto db = DB::open(database, options);
  if (!db.ok()) fail("open after the kill", db.status());
  recovery = recovery_text((*db)->recovery());
  const Family by_path = make_family(**db, kByPath);
  const Family by_number = make_family(**db, kByNumber);
  Digest expected;
  Digest found;
  Proof proof;
  proof.whole = true;
  Iterator written = (*db)->scan(by_number, {}, {});
  Step step = written.next();
  for (; step == Step::kEntry; step = written.next(), ++proof.survived) {
    const std::uint64_t i = proof.survived;
    const FileRow& row = rows[i % rows.size()];
    if (i < killed.acknowledged) {
      expected.add(number_key(i) + row.path + " " + row.facts);
      found.add(std::string(written.key()) + std::string(written.value()));
    }
    const auto other = (*db)->get(by_path, path_key(row, i));
    proof.whole = proof.whole && other.ok() && *other == number_key(i);
  }
  if (step == Step::kError) fail("scan", written.status());
  std::uint64_t halves = 0;
  Iterator paths = (*db)->scan(by_path, {}, {});
  while (paths.next() == Step::kEntry) ++halves;
  proof.whole = proof.whole && halves == proof.survived;
  for (std::uint64_t i = proof.survived; i < killed.acknowledged; ++i) expected.add(number_key(i));  // Missing.
  proof.expected_checksum = expected.value();
  proof.found_checksum = found.value();
  if (Status status = (*db)->close(); !status.ok()) fail("close", status);
  return proof;
}

}  // namespace firn::demo
