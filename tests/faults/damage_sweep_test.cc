// Damage sweeps: a small database with every kind of file, each byte of each file changed one at a time, each file cut
// at every length, deleted, duplicated, renamed, its sectors zeroed and swapped. Every answer must then be the right
// one or an error that names the file; never a wrong one, a crash, a hang or a large allocation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firn/firn.h"
#include "firn/repair.h"
#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "platform/random.h"
#include "tests/faults/allocation_probe.h"
#include "tests/support/cases.h"

namespace firn::testing {
namespace {

using sim::CrashMode;
using sim::SimFileSystem;

using Rows = std::map<std::string, std::string>;  // "family/key" to value.

constexpr int kKeys = 60;
constexpr int kLogged = 12;
constexpr std::size_t kSectorBytes = 512;
constexpr std::size_t kAllocationBytesMax = std::size_t{64} << 20;

std::string key_of(int i) { return "key" + std::to_string(100 + i); }

Options small_options(const Platform& platform) {
  Options options;
  options.platform = &platform;
  options.durability = Durability::kSync;
  options.sizes.block_bytes = 512;
  options.sizes.memtable_bytes = 64 << 10;
  options.sizes.log_segment_bytes = 64 << 10;
  options.sizes.cache_bytes = 64 << 10;
  options.compression.fill(Compression::kNone);
  return options;
}

// The database under damage: its files as they should be, and one file system on which they are damaged and restored.
class Sweep {
 public:
  Sweep(bool closed, bool mapped) : closed_(closed), files_({.mappings = mapped}) {
    make();
    platform_ = real_platform();
    platform_.files = &files_;
    EXPECT_EQ(check("nothing"), Outcome::kRight);
  }

  enum class Outcome { kRight, kError };

  const std::map<std::string, std::string>& originals() const { return originals_; }
  std::uint64_t cases() const { return cases_; }
  std::uint64_t errors() const { return errors_; }

  // Writes `contents` over the file, opens the database, asks everything, and puts the file back.
  void replace(const std::string& name, const std::string& contents, const std::string& what) {
    write(name, contents);
    judge(name, what);
    write(name, originals_.at(name));
  }
  // The same where all that could prove the loss is lost with it: after a crash the log may end anywhere (contract C5).
  void replace_end_of_log(const std::string& name, const std::string& contents, const std::string& what) {
    records_in_doubt_ = kLogged;
    replace(name, contents, what);
    records_in_doubt_ = 1;
  }
  void flip(const std::string& name, std::size_t offset, unsigned char mask) {
    poke(name, offset, static_cast<char>(originals_.at(name)[offset] ^ static_cast<char>(mask)));
    judge(name, "byte " + std::to_string(offset) + " ^ " + std::to_string(mask));
    poke(name, offset, originals_.at(name)[offset]);
  }
  void remove(const std::string& name) {
    EXPECT_TRUE(files_.remove(path(name)).ok());
    judge(name, "deleted");
    write(name, originals_.at(name));
  }
  void add(const std::string& name, const std::string& contents, const std::string& what) {
    write(name, contents);
    judge(name, what);
    EXPECT_TRUE(files_.remove(path(name)).ok());
  }
  void swap(const std::string& one, const std::string& other) {
    write(one, originals_.at(other));
    write(other, originals_.at(one));
    // A log in the place of another is a log replaced by one that was never used.
    if (one.ends_with(".log") || other.ends_with(".log")) records_in_doubt_ = kLogged;
    judge(one, "swapped with " + other);
    records_in_doubt_ = 1;
    write(one, originals_.at(one));
    write(other, originals_.at(other));
  }

 private:
  static std::string path(const std::string& name) { return "db/" + name; }

  void make() {
    SimFileSystem files;
    Platform platform = real_platform();
    platform.files = &files;
    auto db = DB::open("db", small_options(platform));
    ASSERT_TRUE(db.ok());
    FamilyOptions compressed;
    compressed.compression = LevelCompression{};
    compressed.compression->fill(Compression::kZstd);
    const Family other = *(*db)->create_family("other", compressed);
    const auto put = [&](Family family, const std::string& name, int i, const std::string& value) {
      ASSERT_TRUE((*db)->put(family, key_of(i), value, {Durability::kBuffered}).status().ok());
      rows_[name + "/" + key_of(i)] = value;
    };
    for (int i = 0; i < kKeys; ++i) put(kDefaultFamily, "default", i, "old value " + std::to_string(i));
    ASSERT_TRUE((*db)->compact_range().ok());
    for (int i = 0; i < kKeys; i += 3) put(kDefaultFamily, "default", i, "new value " + std::to_string(i));
    ASSERT_TRUE((*db)->erase(key_of(1)).status().ok());
    rows_.erase("default/" + key_of(1));
    ASSERT_TRUE((*db)->flush().ok());
    for (int i = 0; i < kKeys; ++i) put(other, "other", i, std::string(40, static_cast<char>('a' + i % 5)));
    ASSERT_TRUE((*db)->flush(other).ok());
    states_.push_back(rows_);
    for (int i = 0; i < kLogged; ++i) {
      WriteBatch batch;
      batch.put(key_of(200 + i), "logged");
      batch.put(other, key_of(200 + i), "logged too");
      ASSERT_TRUE((*db)->write(batch).status().ok());
      rows_["default/" + key_of(200 + i)] = "logged";
      rows_["other/" + key_of(200 + i)] = "logged too";
      states_.push_back(rows_);
    }
    std::unique_ptr<SimFileSystem> left;
    if (closed_) {
      ASSERT_TRUE((*db)->close().ok());
      states_.assign(1, rows_);
    }
    left = files.crash_clone({CrashMode::kDropUnsynced, 0, 0});
    ASSERT_TRUE(files_.create_directory("db").ok());
    const auto entries = left->list("db");
    for (const DirectoryEntry& entry : *entries) {
      originals_[entry.name] = *read_file(*left, path(entry.name), FileKind::kOther);
      write(entry.name, originals_[entry.name]);
    }
    db->reset();
  }

  void write(const std::string& name, const std::string& contents) {
    static_cast<void>(files_.remove(path(name)));
    auto file = files_.open(path(name), OpenMode::kCreate, FileKind::kOther);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_all(**file, 0, std::as_bytes(std::span(contents))).ok());
    ASSERT_TRUE((*file)->sync().ok());
    ASSERT_TRUE(files_.sync_directory("db").ok());
  }
  void poke(const std::string& name, std::size_t offset, char byte) {
    auto file = files_.open(path(name), OpenMode::kReadWrite, FileKind::kOther);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_all(**file, offset, std::as_bytes(std::span(&byte, 1))).ok());
    ASSERT_TRUE((*file)->sync().ok());
  }

  void judge(const std::string& name, const std::string& what) {
    ++cases_;
    forget_allocations();
    if (check(name + ", " + what) == Outcome::kError) ++errors_;
    EXPECT_LE(largest_allocation(), kAllocationBytesMax) << name << ", " << what;
  }

  // Errors that damage may cause, each with the file it was found in.
  static void expect_typed(const Status& status, const std::string& what) {
    const bool typed = status.code() == StatusCode::kCorruption || status.code() == StatusCode::kNewerFormat ||
                       status.code() == StatusCode::kNotSupported || status.code() == StatusCode::kNotADatabase;
    EXPECT_TRUE(typed) << what << ": " << status.to_string();
    EXPECT_NE(status.message().find("db"), Slice::npos) << what << ": " << status.to_string();
    EXPECT_TRUE(status.code() != StatusCode::kCorruption || !status.file().empty()) << what;
  }

  Outcome check(const std::string& what) {
    Options options = small_options(platform_);
    options.read_only = true;
    auto db = DB::open("db", options);
    if (!db.ok()) {
      expect_typed(db.status(), what);
      return Outcome::kError;
    }
    bool failed = false;
    const Rows scanned = scan(**db, what, failed);
    if (!failed) {
      EXPECT_TRUE(right(scanned)) << what << ": a scan gives " << scanned.size() << " rows";
    }
    const bool some = std::any_of(possible_states(), states_.cend(),
                                  [&](const Rows& rows) { return gets_agree(**db, rows, what, failed); });
    EXPECT_TRUE(some) << what << ": gets give no state there was";
    return failed ? Outcome::kError : Outcome::kRight;
  }

  // Recovery may cut the last record, which nothing proves (contract C5): no more than that.
  std::vector<Rows>::const_iterator possible_states() const {
    return states_.size() > 1 ? states_.end() - 1 - records_in_doubt_ : states_.begin();
  }
  bool right(const Rows& rows) const { return std::find(possible_states(), states_.cend(), rows) != states_.end(); }

  static Rows scan(DB& db, const std::string& what, bool& failed) {
    Rows rows;
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

  bool gets_agree(DB& db, const Rows& rows, const std::string& what, bool& failed) const {
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

  const bool closed_;
  SimFileSystem files_;
  Platform platform_;
  std::map<std::string, std::string> originals_;
  Rows rows_;
  std::vector<Rows> states_;             // With 0, 1, 2, ... of the records in the log.
  std::ptrdiff_t records_in_doubt_ = 1;  // At the end of the log of a crashed database.
  std::uint64_t cases_ = 0;
  std::uint64_t errors_ = 0;
};

// Where a file has been written to: preallocated zeros beyond are sampled.
std::size_t used_bytes(const std::string& contents) {
  const std::size_t last = contents.find_last_not_of('\0');
  return last == std::string::npos ? 0 : last + 1;
}

// All but LOCK, whose contents mean nothing.
void for_each_file(const Sweep& sweep, const std::function<void(const std::string&, const std::string&)>& visit) {
  for (const auto& [name, contents] : sweep.originals()) {
    if (name != "LOCK") visit(name, contents);
    if (::testing::Test::HasFailure()) return;
  }
}

struct Shape {
  bool closed = false;
  bool mapped = false;
};

class DamageSweep : public ::testing::TestWithParam<Shape> {
 protected:
  DamageSweep() : sweep_(GetParam().closed, GetParam().mapped) {}
  ~DamageSweep() override {
    std::printf("%ju damages, %ju answered with an error, the others with the right rows\n",
                static_cast<std::uintmax_t>(sweep_.cases()), static_cast<std::uintmax_t>(sweep_.errors()));
  }

  // Every `stride`-th place, another residue in every run of the sweep; FIRN_TEST_CASES=1000 takes all.
  static std::uint64_t stride() { return std::max<std::uint64_t>(1, 1000 / cases(100)); }

  Sweep sweep_;
};

TEST_P(DamageSweep, EveryByteFlipped) {
  for_each_file(sweep_, [&](const std::string& name, const std::string& contents) {
    const std::size_t used = used_bytes(contents);
    for (std::size_t offset = name.size() % stride(); offset < contents.size(); offset += stride()) {
      // One bit; all of them at one place in eight.
      const auto bit = static_cast<unsigned char>(1U << (offset % 8));
      sweep_.flip(name, offset, offset % 64 < 8 ? static_cast<unsigned char>(0xFF) : bit);
      if (offset >= used) offset += 64 * stride();
    }
  });
}

TEST_P(DamageSweep, EveryLengthCut) {
  for_each_file(sweep_, [&](const std::string& name, const std::string& contents) {
    const std::size_t used = used_bytes(contents);
    for (std::size_t length = name.size() % stride(); length < contents.size(); length += stride()) {
      sweep_.replace(name, contents.substr(0, length), "cut at " + std::to_string(length));
      if (length >= used) length += 64 * stride();
    }
    sweep_.replace(name, contents + std::string(kSectorBytes, '\0'), "longer by a sector of zeros");
    sweep_.replace(name, contents + contents, "twice over");
  });
}

TEST_P(DamageSweep, FilesDeletedDuplicatedRenamedSwapped) {
  std::vector<std::string> names;
  for_each_file(sweep_, [&](const std::string& name, const std::string&) { names.push_back(name); });
  for (const std::string& name : names) {
    sweep_.remove(name);
    const std::string& contents = sweep_.originals().at(name);
    for (const char* const other : {"000099.table", "000099.log", "MANIFEST-000099", "CURRENT.tmp", "stranger"}) {
      sweep_.add(other, contents, "a copy of " + name);
    }
    for (const std::string& other : names) {
      if (other == name) continue;
      const std::string& strange = sweep_.originals().at(other);
      sweep_.swap(name, other);
      if (name.ends_with(".log")) {
        sweep_.replace_end_of_log(name, strange, "replaced by " + other);
      } else {
        sweep_.replace(name, strange, "replaced by " + other);
      }
    }
  }
}

TEST_P(DamageSweep, SectorsZeroedAndSwapped) {
  SplitMix64 random(7);
  for_each_file(sweep_, [&](const std::string& name, const std::string& contents) {
    const std::size_t sectors = (used_bytes(contents) + kSectorBytes - 1) / kSectorBytes;
    for (std::size_t i = 0; i < sectors; ++i) {
      const std::size_t at = i * kSectorBytes;
      const std::size_t length = std::min(kSectorBytes, contents.size() - at);
      const auto replace = [&](const std::string& damaged, const std::string& what, std::size_t last_sector) {
        if (name.ends_with(".log") && last_sector + 1 == sectors) {
          sweep_.replace_end_of_log(name, damaged, what);
        } else {
          sweep_.replace(name, damaged, what);
        }
      };
      std::string damaged = contents;
      std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), length, '\0');
      replace(damaged, "zeros in sector " + std::to_string(i), i);
      for (std::size_t k = 0; k < length; ++k) damaged[at + k] = static_cast<char>(random.next());
      replace(damaged, "noise in sector " + std::to_string(i), i);
      const std::size_t other = static_cast<std::size_t>(random.next() % sectors) * kSectorBytes;
      if (other + length > contents.size() || other == at) continue;
      damaged = contents;
      std::swap_ranges(damaged.begin() + static_cast<std::ptrdiff_t>(at),
                       damaged.begin() + static_cast<std::ptrdiff_t>(at + length),
                       damaged.begin() + static_cast<std::ptrdiff_t>(other));
      replace(damaged, "sector " + std::to_string(i) + " swapped with the one at " + std::to_string(other),
              std::max(i, other / kSectorBytes));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, DamageSweep,
                         ::testing::Values(Shape{true, false}, Shape{true, true}, Shape{false, false},
                                           Shape{false, true}),
                         [](const auto& shape) {
                           return std::string(shape.param.closed ? "Closed" : "Crashed") +
                                  (shape.param.mapped ? "Mapped" : "Unmapped");
                         });

}  // namespace
}  // namespace firn::testing
