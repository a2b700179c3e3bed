// Iterators over many runs at every snapshot, against an ordered map: keys that share heads, versions that span blocks,
// tables that are mapped and tables that are not.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "firn/db.h"
#include "tests/platform/temporary_directory.h"
#include "tests/support/cases.h"

namespace firn {
namespace {

using Rows = std::map<std::string, std::string>;

constexpr std::uint32_t kSeparateBytes = 256;

struct Moment {
  Snapshot snapshot;
  Rows rows;
};

// What a test does to the database, it does to a map.
class Iterators : public ::testing::TestWithParam<Compression> {
 protected:
  void open(std::uint64_t seed) {
    random_.seed(seed);
    rows_.clear();
    moments_.clear();
    Options options;
    options.compression.fill(GetParam());
    options.sizes.block_bytes = 512;
    options.sizes.memtable_bytes = 64 << 10;
    options.sizes.table_bytes = 64 << 10;
    options.sizes.cache_bytes = 16 << 10;
    options.default_family.separate_value_bytes = kSeparateBytes;
    auto opened = DB::open(directory_.path("db" + std::to_string(seed)), options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    db_ = std::move(opened).value();
  }

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_()) % end; }

  // Most begin alike and differ late, some begin otherwise, one is written again and again.
  std::string key() {
    if (below(4) == 0) return "tenant/00000000/hot";
    std::string key = below(10) == 0 ? std::string(1, "\0A~\xFF"[below(4)]) : "tenant/00000000/";
    for (std::uint32_t length = below(12); length > 0; --length) key += "\0\1ab\xFF"[below(5)];
    return key;
  }

  void change() {
    const std::string changed = key();
    if (below(4) == 0) {
      ASSERT_TRUE(db_->erase(changed).status().ok());
      rows_.erase(changed);
    } else {
      const std::string value(below(60), static_cast<char>('a' + below(26)));
      ASSERT_TRUE(db_->put(changed, value).status().ok());
      rows_[changed] = value;
    }
    if (below(100) == 0) moments_.push_back({db_->snapshot(), rows_});
    if (moments_.size() > 6) moments_.erase(moments_.begin() + below(6));
    if (below(200) == 0) {
      ASSERT_TRUE(db_->flush().ok());
    }
    if (below(1000) == 0) {
      ASSERT_TRUE(db_->compact_range().ok());
    }
  }

  // Bounds that hold any part of the keys, or none; or those that begin as one of them does.
  IteratorOptions bounds(const Snapshot* snapshot) {
    IteratorOptions options;
    options.snapshot = snapshot;
    if (below(3) == 0) {
      std::string begin = key();
      begin.resize(begin.size() - below(std::min<std::uint32_t>(static_cast<std::uint32_t>(begin.size()), 6) + 1));
      options.lower = begin;
      while (!begin.empty() && begin.back() == '\xFF') begin.pop_back();
      if (begin.empty()) return options;
      begin.back() = static_cast<char>(begin.back() + 1);
      options.upper = begin;
      if (below(4) == 0) *options.lower += key();
      return options;
    }
    if (below(2) == 0) options.lower = key();
    if (below(2) == 0) options.upper = key();
    return options;
  }

  static Rows within(const Rows& rows, const IteratorOptions& options) {
    Rows inside;
    for (const auto& [key, value] : rows) {
      if ((!options.lower || key >= *options.lower) && (!options.upper || key < *options.upper)) inside[key] = value;
    }
    return inside;
  }

  void expect_rows(const Rows& all, const Snapshot* snapshot) {
    const IteratorOptions options = bounds(snapshot);
    const Rows rows = within(all, options);
    Iterator forward = db_->iterator(kDefaultFamily, options);
    for (const auto& [key, value] : rows) {
      ASSERT_EQ(forward.next(), Step::kEntry);
      ASSERT_EQ(forward.key(), key);
      ASSERT_EQ(forward.value(), value);
    }
    ASSERT_EQ(forward.next(), Step::kEnd);
    Iterator backward = db_->iterator(kDefaultFamily, options);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      ASSERT_EQ(backward.prev(), Step::kEntry);
      ASSERT_EQ(backward.key(), row->first);
      ASSERT_EQ(backward.value(), row->second);
    }
    ASSERT_EQ(backward.prev(), Step::kEnd);
    walk(rows, db_->iterator(kDefaultFamily, options));
  }

  // Moves at random. `at`: where the iterator stands; rows.end() is both ends.
  void walk(const Rows& rows, Iterator iterator) {
    auto at = rows.end();
    for (int i = 0; i < 60; ++i) {
      Step step = Step::kEnd;
      const std::string sought = key();
      switch (below(5)) {
        case 0:
          at = rows.lower_bound(sought);
          step = iterator.seek(sought);
          break;
        case 1:
          at = rows.lower_bound(sought);
          at = at == rows.begin() ? rows.end() : std::prev(at);
          step = iterator.seek_before(sought);
          break;
        case 2:
        case 3:
          if (at == rows.end()) {
            at = rows.begin();
            step = iterator.seek_to_first();
          } else {
            ++at;
            step = iterator.next();
          }
          break;
        default:
          if (at == rows.end()) {
            at = rows.empty() ? rows.end() : std::prev(rows.end());
            step = iterator.seek_to_last();
          } else {
            at = at == rows.begin() ? rows.end() : std::prev(at);
            step = iterator.prev();
          }
      }
      ASSERT_EQ(step, at == rows.end() ? Step::kEnd : Step::kEntry);
      if (at == rows.end()) continue;
      ASSERT_EQ(iterator.key(), at->first);
      ASSERT_EQ(iterator.value(), at->second);
    }
  }

  testing::TemporaryDirectory directory_;
  std::mt19937_64 random_;
  std::unique_ptr<DB> db_;
  Rows rows_;
  std::vector<Moment> moments_;
};

TEST_P(Iterators, AgreeWithAnOrderedMapAtEverySnapshot) {
  for (std::uint64_t seed = 1; seed <= testing::cases(6); ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_NO_FATAL_FAILURE(open(seed));
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < 500; ++i) ASSERT_NO_FATAL_FAILURE(change());
      for (int i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(expect_rows(rows_, nullptr));
      for (const Moment& moment : moments_) ASSERT_NO_FATAL_FAILURE(expect_rows(moment.rows, &moment.snapshot));
    }
    moments_.clear();
    ASSERT_TRUE(db_->close().ok());
  }
}

// Every run but the oldest erases some keys and writes others again, with values in the table and apart from it; in one
// block and its neighbours lie many versions of a key. Keys differ after their heads or within them.
TEST_P(Iterators, PassWhatNewerRunsHide) {
  ASSERT_NO_FATAL_FAILURE(open(0));
  constexpr std::size_t kRuns = 5;
  for (std::size_t run = 0; run < kRuns; ++run) {
    for (std::size_t i = 0; i < 400; ++i) {
      const std::string number = std::to_string(i);
      const std::string key = i % 2 == 0 ? "tenant/00000000/" + number : "tenant/00000000/shared head/" + number;
      const std::size_t what = run == 0 ? 2 : (i * 7 + run * i) % 4;
      if (what == 0) {
        ASSERT_TRUE(db_->erase(key).status().ok());
        rows_.erase(key);
      }
      for (std::size_t version = i % 40 == 1 ? 20 : 1; what >= 2 && version > 0; --version) {
        rows_[key] = std::string(what == 3 ? kSeparateBytes : 20, static_cast<char>('a' + run + version));
        ASSERT_TRUE(db_->put(key, rows_[key]).status().ok());
      }
      if (i == 100 || i == 399) moments_.push_back({db_->snapshot(), rows_});
    }
    if (run + 1 < kRuns) {
      ASSERT_TRUE(db_->flush().ok());
    }
  }
  ASSERT_LT(rows_.size(), 350U);
  for (int i = 0; i < 10; ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_rows(rows_, nullptr));
    for (const Moment& moment : moments_) ASSERT_NO_FATAL_FAILURE(expect_rows(moment.rows, &moment.snapshot));
  }
  moments_.clear();
  ASSERT_TRUE(db_->close().ok());
}

// A key's versions fill blocks, those before it and after it share its head; some snapshots see it deleted, some not
// yet.
TEST_P(Iterators, ShowOneVersionOfAKeyThatFillsBlocks) {
  ASSERT_NO_FATAL_FAILURE(open(0));
  constexpr int kVersions = 40;
  const auto put = [this](const std::string& key, std::string value) {
    ASSERT_TRUE(db_->put(key, value).status().ok());
    rows_[key] = std::move(value);
  };
  for (const char* number : {"1", "2", "3", "30", "4"}) {
    ASSERT_NO_FATAL_FAILURE(put("tenant/00000000/shared head/" + std::string(number), "once"));
  }
  for (int version = 0; version < kVersions; ++version) {
    moments_.push_back({db_->snapshot(), rows_});
    for (const char* changed : {"tenant/00000000/hot", "tenant/00000000/shared head/3"}) {
      if (version % 7 == 3) {
        ASSERT_TRUE(db_->erase(changed).status().ok());
        rows_.erase(changed);
      } else {
        ASSERT_NO_FATAL_FAILURE(put(changed, std::string(50 + 3 * version, static_cast<char>('0' + version))));
      }
    }
  }
  for (const bool below_others : {false, true}) {
    if (below_others) {
      moments_.push_back({db_->snapshot(), rows_});
      ASSERT_NO_FATAL_FAILURE(put("tenant/00000000/hot", "newer"));
      ASSERT_NO_FATAL_FAILURE(put("tenant/00000000/shared head/30", "newer"));
    }
    ASSERT_TRUE(db_->flush().ok());
    for (int i = 0; i < 4; ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_rows(rows_, nullptr));
      for (const Moment& moment : moments_) ASSERT_NO_FATAL_FAILURE(expect_rows(moment.rows, &moment.snapshot));
    }
  }
  moments_.clear();
  ASSERT_TRUE(db_->close().ok());
}

// The fewer rows of an owner a run has, the less the keys of its blocks have in common: their heads begin before, or
// within, or after what the keys of one owner share.
TEST_P(Iterators, MergeRowsOfAPrefixFromBlocksThatShareMoreOrLess) {
  ASSERT_NO_FATAL_FAILURE(open(0));
  std::vector<std::string> owners;
  for (int i = 0; i < 60; ++i) {
    const std::string owner = "u" + std::to_string(1000 + i * 37 % 60);
    owners.push_back(i % 3 == 0 ? owner + "/with a long name/" : owner + "/");
  }
  const std::vector<int> rows_of_runs = {40, 8, 2, 1, 1};
  for (std::size_t run = 0; run < rows_of_runs.size(); ++run) {
    for (const std::string& owner : owners) {
      for (int i = 0; i < rows_of_runs[run]; ++i) {
        const std::string key = owner + "000000" + std::to_string(1000 + below(2000));
        rows_[key] = std::string(20, static_cast<char>('a' + run));
        ASSERT_TRUE(db_->put(key, rows_[key]).status().ok());
      }
    }
    if (run + 1 < rows_of_runs.size()) {
      ASSERT_TRUE(db_->flush().ok());
    }
  }
  for (const std::string& owner : owners) {
    IteratorOptions options;
    options.lower = options.upper = owner;
    options.upper->back() = static_cast<char>(owner.back() + 1);
    const Rows rows = within(rows_, options);
    Iterator forward = db_->scan_prefix(owner);
    for (const auto& [key, value] : rows) {
      ASSERT_EQ(forward.next(), Step::kEntry);
      ASSERT_EQ(forward.key(), key);
      ASSERT_EQ(forward.value(), value);
    }
    ASSERT_EQ(forward.next(), Step::kEnd);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      ASSERT_EQ(forward.prev(), Step::kEntry);
      ASSERT_EQ(forward.key(), row->first);
    }
    ASSERT_EQ(forward.prev(), Step::kEnd);
  }
  ASSERT_TRUE(db_->close().ok());
}

INSTANTIATE_TEST_SUITE_P(Tables, Iterators, ::testing::Values(Compression::kNone, Compression::kZstd),
                         [](const auto& param) { return param.param == Compression::kNone ? "Mapped" : "Cached"; });

}  // namespace
}  // namespace firn
