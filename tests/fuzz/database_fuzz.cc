// A golden database, its files changed as the input says: opening it refuses, naming damage, or gives a database all of
// whose answers are right or errors; it can then be written to. What was closed cleanly is there completely; what was
// not is there up to some moment. Expected contents: tests/golden/content.h.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "firn/memory_db.h"
#include "firn/sim/file_system.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tests/golden/content.h"

namespace firn::fuzz {

namespace {

using Files = std::map<std::string, std::string>;

Files golden_files(const char* name) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(FIRN_GOLDEN) / name)) {
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  FIRN_ASSERT(!files.empty());
  return files;
}

// What the golden databases hold, at every moment of their making.
class Expected {
 public:
  Expected() {
    const auto remember = [this] { moments_.insert_or_assign(db_->visible_sequence(), db_->snapshot()); };
    FIRN_ASSERT(golden::write_version_1(*db_, Compression::kNone, remember).ok());
  }
  DB& db() const { return *db_; }
  Sequence last() const { return db_->visible_sequence(); }
  // Precondition: `sequence` is that of a whole step.
  const Snapshot& at(Sequence sequence) const {
    const auto moment = moments_.find(sequence);
    FIRN_ASSERT(moment != moments_.end());
    return moment->second;
  }

 private:
  const std::unique_ptr<DB> db_ = open_memory_db();
  std::map<Sequence, Snapshot> moments_;
};

// Changes `files` as `input` says; whether anything but the lock was touched.
bool change(Files& files, Input& input) {
  bool changed = false;
  while (!input.empty() && !files.empty()) {
    const std::uint8_t action = input.byte();
    const auto file = std::next(files.begin(), input.byte() % static_cast<std::ptrdiff_t>(files.size()));
    std::string& bytes = file->second;
    const std::size_t at = input.number(4) % (bytes.size() + 1);
    const std::size_t length = input.byte();
    changed = changed || file->first != "LOCK" || action % 6 == 4;
    switch (action % 6) {
      case 0: bytes.replace(at, std::min(length, bytes.size() - at), input.take(length)); break;
      case 1: bytes.resize(at); break;
      case 2: bytes.replace(at, std::min(length * 8, bytes.size() - at), length * 8, '\0'); break;
      case 3: files.erase(file); break;
      case 4: std::next(files.begin(), static_cast<std::ptrdiff_t>(length % files.size()))->second = bytes; break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << length % 8));
        break;
    }
  }
  return changed;
}

void expect_damage(const Status& status) {
  const StatusCode code = status.code();
  FIRN_ASSERT(code == StatusCode::kOk || code == StatusCode::kCorruption || code == StatusCode::kNewerFormat ||
              code == StatusCode::kNotADatabase);
}

// Everything that `db` answers is what there was at its moment, or an error; only damage where `sound` is false.
void compare(DB& db, const Expected& expected, bool sound) {
  const Snapshot& moment = expected.at(db.visible_sequence());
  for (const FamilyInfo& info : expected.db().families()) {
    const auto family = db.family(info.name);
    if (!family.ok()) {
      FIRN_ASSERT(!sound);  // Not created yet at that moment, or the last step of its creation is lost.
      continue;
    }
    Iterator wanted = expected.db().iterator(info.family, {.lower = {}, .upper = {}, .snapshot = &moment});
    Iterator found = db.iterator(*family);
    Step step = found.next();
    for (; step == Step::kEntry; step = found.next()) {
      FIRN_ASSERT(wanted.next() == Step::kEntry && wanted.key() == found.key() && wanted.value() == found.value());
      const auto value = db.get(*family, found.key());
      expect_damage(value.status());
      FIRN_ASSERT(!value.ok() || *value == found.value());
    }
    expect_damage(found.status());
    FIRN_ASSERT(step == Step::kEnd || !sound);
    FIRN_ASSERT(step != Step::kEnd || wanted.next() == Step::kEnd);
  }
}

// Whether `db` took a row, which must then be there.
bool write_to(DB& db, Slice key) {
  const bool written = db.put(key, "value").ok();
  expect_damage(db.flush());
  expect_damage(db.compact_range());
  expect_damage(db.verify());
  FIRN_ASSERT(!written || *db.get(key) == "value");
  return written;
}

void run(Slice bytes) {
  static const Files kClean = golden_files("v1/clean");
  static const Files kCrashed = golden_files("v1/crashed");
  static const Files kValues = golden_files("v1/values");
  static const Expected kExpected;
  constexpr Slice kKey = "user:000001 written by the fuzzer";

  Input input(bytes);
  const std::uint8_t choice = input.byte();
  const bool clean = choice % 2 == 0;
  Files contents = !clean ? kCrashed : choice % 16 < 8 ? kClean : kValues;
  const bool sound = !change(contents, input);
  sim::SimFileSystem files(sim::SimFileSystem::Options{.mappings = choice % 4 < 2});
  FIRN_ASSERT(files.create_directory("/db").ok());
  for (const auto& [name, content] : contents) {
    auto file = files.open("/db/" + name, OpenMode::kCreate, FileKind::kOther);
    FIRN_ASSERT(file.ok() && write_all(**file, 0, std::as_bytes(std::span(content))).ok());
  }
  Platform platform = real_platform();
  platform.files = &files;
  Options options = golden::version_1_options();
  options.platform = &platform;
  options.create_if_missing = false;
  options.read_only = choice % 8 >= 6;

  auto db = DB::open("/db", options);
  expect_damage(db.status());
  FIRN_ASSERT(db.ok() || !sound);
  if (!db.ok()) return;
  FIRN_ASSERT(!clean || (*db)->visible_sequence() == kExpected.last());
  compare(**db, kExpected, sound);
  if (options.read_only) return expect_damage((*db)->verify());
  const bool written = write_to(**db, kKey);
  const bool closed = (*db)->close().ok();
  FIRN_ASSERT(!sound || (written && closed));
  db = DB::open("/db", options);
  expect_damage(db.status());
  if (db.ok() && written && closed) FIRN_ASSERT(*(*db)->get(kKey) == "value");
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (char choice = 0; choice < 16; ++choice) inputs.push_back({choice});
  for (char file = 0; file < 9; ++file) {
    for (char action = 0; action < 6; ++action) inputs.push_back({file, action, file, 100, 3, 0, 0, 5, 1, 2, 3, 4, 5});
  }
  return inputs;
}

const Registration kRegistered({"database", run, seeds, 400});

}  // namespace

}  // namespace firn::fuzz
