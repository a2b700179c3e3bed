// Random histories of flushes and compactions that overlap in time and finish in any order, over small tables with real
// entries. After every step: of two versions of a key the newer one is read first, levels are sorted, and no two
// running compactions share a table. Every plan that says so is bottommost. In the end: nothing is lost, nothing is
// left to do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <memory>
#include <set>

#include "compaction/output_cutter.h"
#include "compaction/picker.h"

namespace firn::compaction {
namespace {

struct Version {
  Sequence sequence = 0;
  bool tombstone = false;
};

class Database {
 public:
  explicit Database(LevelLimits limits) : limits_(limits) {}

  // Writes `keys` (drawn from 'a'..'z'), newest last, and flushes them as one table.
  void flush(const std::vector<std::pair<char, bool>>& writes) {
    std::map<char, Version> entries;
    for (const auto& [key, tombstone] : writes) {
      entries[key] = {++sequence_, tombstone};
      tombstone ? expected_.erase(key), void() : void(expected_[key] = sequence_);
    }
    if (!entries.empty()) place(0, make_table(std::move(entries)));
  }

  // False when there is nothing to start.
  bool start(std::optional<CompactionPlan> plan) {
    if (!plan) return false;
    check(*plan);
    std::vector<std::shared_ptr<Table>> inputs = find_inputs(*plan);
    if (plan->trivial_move) {
      for (const auto& table : inputs) remove(*table);
      for (const auto& table : inputs) place(plan->output_level, table);
      return true;
    }
    for (const auto& table : inputs) {
      RC_ASSERT(!table->compacting);
      table->compacting = true;
    }
    running_.push_back({std::move(*plan), std::move(inputs)});
    return true;
  }

  void finish(std::size_t which) {
    const Job job = std::move(running_[which]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(which));
    std::map<char, Version> merged;
    for (const auto& table : job.inputs) {
      for (const auto& [key, version] : table->entries) {
        Version& newest = merged[key];
        if (version.sequence >= newest.sequence) newest = version;
      }
      remove(*table);
    }
    if (job.plan.bottommost) std::erase_if(merged, [](const auto& entry) { return entry.second.tombstone; });
    OutputCutter cutter(job.plan.table_bytes, job.plan.grandparents, job.plan.grandparent_overlap_bytes_max);
    std::map<char, Version> entries;
    for (const auto& [key, version] : merged) {
      if (cutter.cut_before(Slice(&key, 1), entries.size()) && !entries.empty()) {
        place(job.plan.output_level, make_table(std::exchange(entries, {})));
        cutter.begin_table();
      }
      entries[key] = version;
    }
    if (!entries.empty()) place(job.plan.output_level, make_table(std::move(entries)));
  }

  FamilyShape shape() const {
    FamilyShape shape;
    shape.limits = limits_;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      for (const auto& table : levels_[level]) shape.levels[level].push_back({&table->meta, table->compacting});
    }
    for (const Job& job : running_) shape.running.push_back(running_compaction(job.plan));
    shape.at_rest = at_rest;
    shape.replaced_share = 0.5;
    return shape;
  }

  bool at_rest = false;

  void check_order() const {
    std::map<char, Sequence> last;  // Of each key, the version that reads meet first, then the next, ...
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      for (std::size_t i = 0; i < levels_[level].size(); ++i) {
        const Table& table = *levels_[level][i];
        if (level > 0 && i > 0) RC_ASSERT(levels_[level][i - 1]->meta.largest_key < table.meta.smallest_key);
        for (const auto& [key, version] : table.entries) {
          const auto [at, first] = last.try_emplace(key, version.sequence);
          RC_ASSERT(first || version.sequence < at->second);
          at->second = version.sequence;
        }
      }
    }
  }

  void check_contents() const {
    std::map<char, Sequence> found;
    std::set<char> seen;
    for (const auto& level : levels_) {
      for (const auto& table : level) {
        for (const auto& [key, version] : table->entries) {
          if (seen.insert(key).second && !version.tombstone) found[key] = version.sequence;
        }
      }
    }
    RC_ASSERT(found == expected_);
  }

  std::size_t running() const { return running_.size(); }
  std::size_t l0_tables() const { return levels_[0].size(); }
  bool only_last_level() const {
    for (std::size_t level = 0; level + 1 < levels_.size(); ++level) {
      if (!levels_[level].empty()) return false;
    }
    return true;
  }
  bool any_tombstone() const {
    for (const auto& level : levels_) {
      for (const auto& table : level) {
        if (table->meta.tombstones > 0) return true;
      }
    }
    return false;
  }

 private:
  struct Table {
    TableMeta meta;
    std::map<char, Version> entries;
    bool compacting = false;
    std::size_t level = 0;
  };
  struct Job {
    CompactionPlan plan;
    std::vector<std::shared_ptr<Table>> inputs;
  };

  std::shared_ptr<Table> make_table(std::map<char, Version> entries) {
    auto table = std::make_shared<Table>();
    TableMeta& meta = table->meta;
    meta.id = ++last_id_;
    meta.entries = meta.file_bytes = entries.size();
    meta.smallest_key = std::string(1, entries.begin()->first);
    meta.largest_key = std::string(1, entries.rbegin()->first);
    meta.smallest_sequence = kSequenceMax;
    for (const auto& [key, version] : entries) {
      meta.tombstones += version.tombstone ? 1 : 0;
      meta.smallest_sequence = std::min(meta.smallest_sequence, version.sequence);
      meta.largest_sequence = std::max(meta.largest_sequence, version.sequence);
    }
    table->entries = std::move(entries);
    return table;
  }

  void place(int level_number, std::shared_ptr<Table> table) {
    table->level = static_cast<std::size_t>(level_number);
    auto& level = levels_[table->level];
    level.push_back(std::move(table));
    std::sort(level.begin(), level.end(), [&](const auto& a, const auto& b) {
      return level_number == 0 ? a->meta.largest_sequence > b->meta.largest_sequence
                               : a->meta.smallest_key < b->meta.smallest_key;
    });
  }

  void remove(const Table& table) {
    std::erase_if(levels_[table.level], [&](const auto& other) { return other->meta.id == table.meta.id; });
  }

  std::vector<std::shared_ptr<Table>> find_inputs(const CompactionPlan& plan) const {
    std::vector<std::shared_ptr<Table>> inputs;
    for (const PlanInputs& from : plan.inputs) {
      for (const auto& table : levels_[static_cast<std::size_t>(from.level)]) {
        if (std::count(from.tables.begin(), from.tables.end(), table->meta.id) > 0) inputs.push_back(table);
      }
    }
    return inputs;
  }

  void check(const CompactionPlan& plan) const {
    const auto inputs = find_inputs(plan);
    std::size_t listed = 0;
    for (const PlanInputs& from : plan.inputs) listed += from.tables.size();
    RC_ASSERT(inputs.size() == listed && listed > 0);
    std::uint64_t entries = 0;
    for (const auto& table : inputs) {
      RC_ASSERT(table->meta.smallest_key >= plan.smallest_key && table->meta.largest_key <= plan.largest_key);
      entries += table->meta.entries;
    }
    RC_ASSERT(entries == plan.input_entries);
    if (!plan.bottommost) return;
    std::map<char, Sequence> oldest_in;  // Of each key among the inputs.
    for (const auto& table : inputs) {
      for (const auto& [key, version] : table->entries) {
        const auto [at, first] = oldest_in.try_emplace(key, version.sequence);
        if (!first) at->second = std::min(at->second, version.sequence);
      }
    }
    for (const auto& level : levels_) {
      for (const auto& table : level) {
        if (std::find(inputs.begin(), inputs.end(), table) != inputs.end()) continue;
        for (const auto& [key, version] : table->entries) {
          const auto in = oldest_in.find(key);
          if (in != oldest_in.end()) RC_ASSERT(version.sequence > in->second);
        }
      }
    }
  }

  const LevelLimits limits_;
  std::array<std::vector<std::shared_ptr<Table>>, kLevelCount> levels_;
  std::vector<Job> running_;
  std::map<char, Sequence> expected_;
  Sequence sequence_ = 0;
  std::uint64_t last_id_ = 0;
};

rc::Gen<std::vector<std::pair<char, bool>>> writes_gen() {
  return rc::gen::mapcat(rc::gen::inRange(0, 26), [](int from) {
    const auto key = rc::gen::map(rc::gen::inRange(from, std::min(26, from + 12)),
                                  [](int number) { return static_cast<char>('a' + number); });
    const auto tombstone = rc::gen::map(rc::gen::inRange(0, 3), [](int die) { return die == 0; });
    return rc::gen::container<std::vector<std::pair<char, bool>>>(rc::gen::pair(key, tombstone));
  });
}

LevelLimits any_limits() {
  return {*rc::gen::element<std::uint64_t>(2, 6), *rc::gen::element<std::uint64_t>(1, 3),
          *rc::gen::element<std::uint32_t>(2, 3), *rc::gen::element<std::uint32_t>(1, 2, 4)};
}

// Runs what is due until nothing is.
void settle(Database& database) {
  for (int steps = 0; database.start(pick_compaction(database.shape())) || database.running() > 0; ++steps) {
    RC_ASSERT(steps < 10000);
    if (database.running() > 0) database.finish(0);
    database.check_order();
  }
  RC_ASSERT(compaction_debt_bytes(database.shape()) == 0U);
}

TEST(PickerModel, OrderHoldsUnderAnyScheduleOfCompactions) {
  EXPECT_TRUE(rc::check("flushes, picks and finishes in any order", [] {
    Database database(any_limits());
    RangeCompaction range;
    const int steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) {
      database.at_rest = *rc::gen::inRange(0, 4) == 0;
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
        case 1:
        case 2: database.flush(*writes_gen()); break;
        case 3:
          if (database.running() > 0) database.finish(*rc::gen::inRange<std::size_t>(0, database.running()));
          break;
        case 4: {
          RangeStep step = pick_range(database.shape(), range);
          range = step.kind == RangeStep::Kind::kDone ? RangeCompaction{*rc::gen::element<std::string>("", "c", "k"),
                                                                        *rc::gen::element<std::string>("", "m"),
                                                                        0,
                                                                        {},
                                                                        {}}
                                                      : step.next;
          if (step.kind == RangeStep::Kind::kPlan) database.start(std::move(step.plan));
          break;
        }
        default: database.start(pick_compaction(database.shape())); break;
      }
      database.check_order();
      // Liveness: what is owed is being worked on, or can be.
      const FamilyShape shape = database.shape();
      RC_ASSERT(compaction_debt_bytes(shape) == 0U || database.running() > 0 || pick_compaction(shape).has_value());
    }
    settle(database);
    database.check_contents();
  }));
}

TEST(PickerModel, RangeCompactionOfEverythingLeavesOneCleanLevel) {
  EXPECT_TRUE(rc::check("range compaction drains all levels", [] {
    Database database(any_limits());
    const int flushes = *rc::gen::inRange(0, 20);
    for (int i = 0; i < flushes; ++i) {
      database.flush(*writes_gen());
      if (*rc::gen::arbitrary<bool>()) database.start(pick_compaction(database.shape()));
    }
    RangeCompaction range;
    for (int steps = 0;; ++steps) {
      RC_ASSERT(steps < 10000);
      RangeStep step = pick_range(database.shape(), range);
      if (step.kind == RangeStep::Kind::kDone) break;
      range = step.next;
      if (step.kind == RangeStep::Kind::kPlan) database.start(std::move(step.plan));
      RC_ASSERT(database.running() > 0 || step.plan.trivial_move);
      if (database.running() > 0) database.finish(0);
      database.check_order();
    }
    while (database.running() > 0) database.finish(0);
    RC_ASSERT(database.only_last_level());
    RC_ASSERT(!database.any_tombstone());
    database.check_contents();
  }));
}

}  // namespace
}  // namespace firn::compaction
