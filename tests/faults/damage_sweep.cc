#include "tests/faults/damage_sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "platform/io.h"
#include "tests/faults/allocation_probe.h"

namespace firn::testing {

namespace {

using sim::CrashMode;
using sim::SimFileSystem;

constexpr int kKeys = 60;
constexpr int kLogged = 12;
constexpr std::size_t kAllocationBytesMax = std::size_t{64} << 20;

std::string key_of(int i) { return "key" + std::to_string(100 + i); }
std::string path(const std::string& name) { return "db/" + name; }

Options small_options(const Platform& platform) {
  Options options;
  options.platform = &platform;
  options.durability = Durability::kSync;
  options.background_threads = 1;
  options.sizes.block_bytes = 512;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  options.compression.fill(Compression::kNone);
  return options;
}

// Errors that damage may cause, each with the file it was found in.
void expect_typed(const Status& status, const std::string& what) {
  const bool typed = status.code() == StatusCode::kCorruption || status.code() == StatusCode::kNewerFormat ||
                     status.code() == StatusCode::kNotSupported || status.code() == StatusCode::kNotADatabase;
  EXPECT_TRUE(typed) << what << ": " << status.to_string();
  EXPECT_NE(status.message().find("db"), Slice::npos) << what << ": " << status.to_string();
  EXPECT_TRUE(status.code() != StatusCode::kCorruption || !status.file().empty()) << what;
}

std::map<std::string, std::string> scan(DB& db, const std::string& what, bool& failed) {
  std::map<std::string, std::string> rows;
  for (const FamilyInfo& info : db.families()) {
    Iterator it = db.iterator(info.family);
    Step step = it.next();
    for (; step == Step::kEntry; step = it.next()) rows[info.name + "/" + std::string(it.key())] = it.value();
    if (step == Step::kEnd) continue;
    expect_typed(it.status(), what);
    failed = true;
  }
  return rows;
}

}  // namespace

DamageSweep::DamageSweep(const Shape& shape, std::uint64_t writing_stride)
    : shape_(shape), writing_stride_(writing_stride), files_({.mappings = shape.mapped}) {
  make();
  platform_ = real_platform();
  platform_.files = &files_;
  EXPECT_EQ(check_reading("nothing"), Outcome::kRight);
  check_writing("nothing");
}

void DamageSweep::replace(const std::string& name, const std::string& contents, const std::string& what) {
  write(name, contents);
  judge(name, what);
  write(name, originals_.at(name));
}

void DamageSweep::replace_end_of_log(const std::string& name, const std::string& contents, const std::string& what) {
  records_in_doubt_ = kLogged;
  replace(name, contents, what);
  records_in_doubt_ = 1;
}

void DamageSweep::flip(const std::string& name, std::size_t offset, unsigned char mask) {
  poke(name, offset, static_cast<char>(originals_.at(name)[offset] ^ static_cast<char>(mask)));
  judge(name, "byte " + std::to_string(offset) + " ^ " + std::to_string(mask));
  poke(name, offset, originals_.at(name)[offset]);
}

void DamageSweep::remove(const std::string& name) {
  EXPECT_TRUE(files_.remove(path(name)).ok());
  judge(name, "deleted");
  write(name, originals_.at(name));
}

void DamageSweep::add(const std::string& name, const std::string& contents, const std::string& what) {
  write(name, contents);
  judge(name, what);
  EXPECT_TRUE(files_.remove(path(name)).ok());
}

void DamageSweep::swap(const std::string& one, const std::string& other) {
  write(one, originals_.at(other));
  write(other, originals_.at(one));
  // A log in the place of another is a log replaced by one that was never used.
  if (one.ends_with(".log") || other.ends_with(".log")) records_in_doubt_ = kLogged;
  judge(one, "swapped with " + other);
  records_in_doubt_ = 1;
  write(one, originals_.at(one));
  write(other, originals_.at(other));
}

void DamageSweep::make() {
  SimFileSystem files;
  Platform platform = real_platform();
  platform.files = &files;
  auto db = DB::open("db", small_options(platform));
  ASSERT_TRUE(db.ok());
  FamilyOptions compressed;
  compressed.compression = LevelCompression{};
  compressed.compression->fill(Compression::kZstd);
  const Family other = *(*db)->create_family("other", compressed);
  Rows rows;
  const auto put = [&](Family family, const std::string& name, int i, const std::string& value) {
    ASSERT_TRUE((*db)->put(family, key_of(i), value, {Durability::kBuffered}).status().ok());
    rows[name + "/" + key_of(i)] = value;
  };
  FamilyOptions separated;
  separated.separate_value_bytes = 30;
  const Family apart = *(*db)->create_family("apart", separated);
  for (int i = 0; i < kKeys; ++i) put(kDefaultFamily, "default", i, "old value " + std::to_string(i));
  ASSERT_TRUE((*db)->compact_range().ok());
  for (int i = 0; i < kKeys; i += 3) put(kDefaultFamily, "default", i, "new value " + std::to_string(i));
  ASSERT_TRUE((*db)->erase(key_of(1)).status().ok());
  rows.erase("default/" + key_of(1));
  ASSERT_TRUE((*db)->flush().ok());
  for (int i = 0; i < kKeys; ++i) put(other, "other", i, std::string(40, static_cast<char>('a' + i % 5)));
  ASSERT_TRUE((*db)->flush(other).ok());
  for (int i = 0; i < 12; ++i) put(apart, "apart", i, std::string(20 + 4 * static_cast<std::size_t>(i), 'v'));
  ASSERT_TRUE((*db)->flush(apart).ok());
  states_.push_back(rows);
  for (int i = 0; i < kLogged; ++i) {
    WriteBatch batch;
    batch.put(key_of(200 + i), "logged");
    batch.put(other, key_of(200 + i), "logged too");
    ASSERT_TRUE((*db)->write(batch).status().ok());
    rows["default/" + key_of(200 + i)] = "logged";
    rows["other/" + key_of(200 + i)] = "logged too";
    states_.push_back(rows);
  }
  if (shape_.end == End::kClosed) {
    ASSERT_TRUE((*db)->close().ok());
  } else if (shape_.end == End::kCrashedProven) {
    ASSERT_TRUE((*db)->create_family("later").ok());
  }
  if (shape_.end != End::kCrashed) states_.assign(1, rows);
  const auto left = files.crash_clone({CrashMode::kDropUnsynced, 0, 0});
  ASSERT_TRUE(files_.create_directory("db").ok());
  const auto entries = left->list("db");
  std::set<std::string> kinds_there;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name == "LOCK") continue;
    originals_[entry.name] = *read_file(*left, path(entry.name), FileKind::kOther);
    write(entry.name, originals_[entry.name]);
    kinds_there.insert(entry.name.substr(entry.name.find('.') + 1));
  }
  for (const char* const kind : {"table", "values", "log"}) {
    EXPECT_TRUE(kinds_there.contains(kind) || shape_.end == End::kClosed) << "no file of kind " << kind;
  }
  db->reset();
}

void DamageSweep::write(const std::string& name, const std::string& contents) {
  static_cast<void>(files_.remove(path(name)));
  auto file = files_.open(path(name), OpenMode::kCreate, FileKind::kOther);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(write_all(**file, 0, std::as_bytes(std::span(contents))).ok());
  ASSERT_TRUE((*file)->sync().ok());
  ASSERT_TRUE(files_.sync_directory("db").ok());
}

void DamageSweep::poke(const std::string& name, std::size_t offset, char byte) {
  auto file = files_.open(path(name), OpenMode::kReadWrite, FileKind::kOther);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(write_all(**file, offset, std::as_bytes(std::span(&byte, 1))).ok());
  ASSERT_TRUE((*file)->sync().ok());
}

void DamageSweep::judge(const std::string& name, const std::string& what) {
  forget_allocations();
  if (check_reading(name + ", " + what) == Outcome::kError) ++errors_;
  if (damages_++ % writing_stride_ == 0) {
    ++writing_;
    check_writing(name + ", " + what + ", opened for writing");
  }
  EXPECT_LE(largest_allocation(), kAllocationBytesMax) << name << ", " << what;
}

DamageSweep::Outcome DamageSweep::check_reading(const std::string& what) {
  Options options = small_options(platform_);
  options.read_only = true;
  auto db = DB::open("db", options);
  if (!db.ok()) {
    expect_typed(db.status(), what);
    return Outcome::kError;
  }
  Rows rows;
  return check_answers(**db, what, rows);
}

void DamageSweep::check_writing(const std::string& what) {
  const auto copy = files_.crash_clone({CrashMode::kKeepAll, 0, 0});
  Platform platform = platform_;
  platform.files = copy.get();
  Options options = small_options(platform);
  Rows before;
  Outcome outcome = Outcome::kError;
  {
    auto db = DB::open("db", options);
    if (!db.ok()) return expect_typed(db.status(), what);
    outcome = check_answers(**db, what, before);
    // Each may be refused because of the damage; none may make it worse.
    static_cast<void>((*db)->put("after", "damage").status());
    for (const FamilyInfo& info : (*db)->families()) static_cast<void>((*db)->compact_range(info.family, {}, {}));
    static_cast<void>((*db)->flush());
    static_cast<void>((*db)->close());
  }
  options.read_only = true;
  auto db = DB::open("db", options);
  if (!db.ok()) return expect_typed(db.status(), what + ", again");
  const auto added = (*db)->get("after");
  EXPECT_TRUE(added.ok() || outcome == Outcome::kError) << what << ": " << added.status().to_string();
  bool failed = false;
  Rows rows = scan(**db, what + ", again", failed);
  rows.erase("default/after");
  if (failed) {
    EXPECT_EQ(outcome, Outcome::kError) << what << ": fails only the second time";
  } else if (outcome == Outcome::kRight) {
    EXPECT_EQ(rows, before) << what;
  } else {
    EXPECT_TRUE(possible(rows)) << what << ", again: a scan gives " << rows.size() << " rows";
  }
}

DamageSweep::Outcome DamageSweep::check_answers(DB& db, const std::string& what, Rows& rows) const {
  bool failed = false;
  rows = scan(db, what, failed);
  if (!failed) {
    EXPECT_TRUE(possible(rows)) << what << ": a scan gives " << rows.size() << " rows";
  }
  const bool some = std::any_of(possible_states(), states_.cend(),
                                [&](const Rows& state) { return gets_agree(db, state, what, failed); });
  EXPECT_TRUE(some) << what << ": gets give no state there was";
  return failed ? Outcome::kError : Outcome::kRight;
}

// Recovery may cut the last record, which nothing proves (contract C5): no more than that.
std::vector<DamageSweep::Rows>::const_iterator DamageSweep::possible_states() const {
  return states_.size() > 1 ? states_.end() - 1 - records_in_doubt_ : states_.begin();
}

bool DamageSweep::possible(const Rows& rows) const {
  return std::find(possible_states(), states_.cend(), rows) != states_.end();
}

bool DamageSweep::gets_agree(DB& db, const Rows& rows, const std::string& what, bool& failed) const {
  for (const FamilyInfo& info : db.families()) {
    for (int i = 0; i < 200 + kLogged; i = i == kKeys ? 200 : i + 1) {
      const std::string key = key_of(i);
      const auto value = db.get(info.family, key);
      if (!value.ok() && !value.status().is_not_found()) {
        expect_typed(value.status(), what);
        failed = true;
        continue;
      }
      const auto row = rows.find(info.name + "/" + key);
      if (value.ok() != (row != rows.end()) || (value.ok() && *value != row->second)) return false;
    }
  }
  return true;
}

}  // namespace firn::testing
