// The demo: an index of a real file tree, built, asked, crashed, recovered and looked at.
//
// usage: firn_demo [ROOT [DATABASE]]     default: /usr, and a directory of its own that is removed at the end

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "firn/db.h"
#include "tools/demo/console.h"
#include "tools/demo/file_tree.h"
#include "tools/demo/second_load.h"
#include "tools/text/units.h"

namespace firn::demo {
namespace {

using tools::bytes_text;
using tools::count_text;

std::unique_ptr<DB> open(const std::string& database, const Options& options) {
  auto db = DB::open(database, options);
  if (!db.ok()) fail("open " + database, db.status());
  return std::move(db).value();
}

void load(DB& db, const std::vector<FileRow>& rows) {
  const Stopwatch watch;
  for (const FileRow& row : rows) {
    if (Status status = db.put(row.path, row.facts); !status.ok()) fail("put " + row.path, status);
  }
  const double seconds = watch.seconds();
  figure("rows written, one put each", rate_text(rows.size(), seconds, "rows"));
  if (Status status = db.flush(); !status.ok()) fail("flush", status);
}

void scan(DB& db, const std::string& prefix, std::size_t shown) {
  const Stopwatch watch;
  Iterator rows = db.scan_prefix(prefix);
  std::vector<std::string> first;
  std::uint64_t count = 0;
  Step step = rows.next();
  for (; step == Step::kEntry; step = rows.next(), ++count) {
    if (count < shown) first.push_back(fmt::format("{}  {}", rows.key(), rows.value()));
  }
  if (step == Step::kError) fail("scan " + prefix, rows.status());
  figure(fmt::format("scan_prefix {}", prefix),
         fmt::format("{} rows in {:.2f} ms", count_text(count), watch.seconds() * 1e3));
  for (const std::string& text : first) line("    " + text);
}

void ask(DB& db, const std::vector<FileRow>& rows) {
  scan(db, "/usr/share/doc/", 2);
  scan(db, "/usr/share/doc/bash/", 3);
  const Stopwatch watch;
  std::uint64_t right = 0;
  const std::size_t step = 7919;  // Prime: visits the rows out of order.
  for (std::size_t i = 0, at = 0; i < rows.size(); ++i, at = (at + step) % rows.size()) {
    auto value = db.get_pinned(rows[at].path);
    if (!value.ok()) fail("get " + rows[at].path, value.status());
    right += value->slice() == rows[at].facts ? 1 : 0;
  }
  figure("point reads, out of order", rate_text(rows.size(), watch.seconds(), "reads"));
  require(right == rows.size(), "a point read gave a wrong answer");
}

void crash(const std::string& database, const Options& options, const std::vector<FileRow>& rows) {
  const Killed killed = load_and_kill(database, options, rows);
  figure("acknowledged before SIGKILL",
         fmt::format("{} batches over two families in {:.2f} s", count_text(killed.acknowledged), killed.seconds));
  std::string recovery;
  const Proof proof = prove(database, options, rows, killed, recovery);
  figure("recovery", recovery);
  figure("found again", count_text(proof.survived) + " batches");
  figure("checksum of what was acknowledged", fmt::format("{:016x}", proof.expected_checksum));
  figure("checksum of what was found", fmt::format("{:016x}", proof.found_checksum));
  require(proof.survived >= killed.acknowledged && proof.expected_checksum == proof.found_checksum,
          "an acknowledged batch is missing");
  require(proof.whole, "a batch is there by half");
  line("nothing acknowledged is missing, no batch is there by half");
}

// Prints a row a level; the bytes of all tables.
std::uint64_t show_shape(DB& db) {
  std::uint64_t on_disk = 0;
  fmt::print("  {:<12} {:>6} {:>8} {:>12} {:>12}\n", "family", "level", "tables", "size", "entries");
  for (const FamilyInfo& family : db.families()) {
    auto properties = db.properties(family.family);
    if (!properties.ok()) fail("properties", properties.status());
    for (std::size_t level = 0; level < properties->levels.size(); ++level) {
      const LevelInfo& info = properties->levels[level];
      if (info.tables == 0) continue;
      on_disk += info.bytes;
      fmt::print("  {:<12} {:>6} {:>8} {:>12} {:>12}\n", family.name, "L" + std::to_string(level), info.tables,
                 bytes_text(info.bytes), count_text(info.entries));
    }
  }
  return on_disk;
}

void run(const std::string& root, const std::string& database) {
  Options options;
  heading("1. Index every path under " + root);
  const Stopwatch walking;
  const std::vector<FileRow> rows = read_tree(root);
  require(rows.size() >= 2, "nothing to index under " + root);
  std::uint64_t bytes = 0;
  for (const FileRow& row : rows) bytes += row.path.size() + row.facts.size();
  figure("paths found", fmt::format("{} ({} of keys and values) in {:.1f} s", count_text(rows.size()),
                                    bytes_text(bytes), walking.seconds()));
  auto db = open(database, options);
  load(*db, rows);

  heading("2. Ask it");
  ask(*db, rows);
  const Statistics statistics = db->statistics();
  if (Status status = db->close(); !status.ok()) fail("close", status);
  db.reset();

  heading("3. Kill a writer in the middle of a second load");
  crash(database, options, rows);

  heading("4. The shape of the tree");
  db = open(database, options);
  if (Status status = db->compact_range(); !status.ok()) fail("compact", status);
  const std::uint64_t on_disk = show_shape(*db);
  figure("write amplification of the first load",
         fmt::format("{:.2f} (log included)", statistics.write_amplification()));
  figure("the index on disk",
         fmt::format("{}, second load included, of {} of paths and facts", bytes_text(on_disk), bytes_text(bytes)));
  const Stopwatch verifying;
  if (Status status = db->verify(); !status.ok()) fail("verify", status);
  figure("every checksum verified in", fmt::format("{:.2f} s", verifying.seconds()));
  if (Status status = db->close(); !status.ok()) fail("close", status);
}

}  // namespace
}  // namespace firn::demo

int main(int argc, char** argv) {
  const std::string root = argc > 1 ? argv[1] : "/usr";
  const bool own = argc <= 2;
  std::string database = own ? "/tmp/firn-demo-XXXXXX" : argv[2];
  if (own && mkdtemp(database.data()) == nullptr) {
    fmt::print(stderr, "firn demo: cannot make a directory in /tmp\n");
    return 1;
  }
  firn::demo::run(root, database);
  if (own) {
    if (firn::Status status = firn::DB::destroy(database); !status.ok()) firn::demo::fail("destroy", status);
  } else {
    fmt::print("\nThe database is in {}: try `build/tools/firn levels {}`.\n", database, database);
  }
  return 0;
}
