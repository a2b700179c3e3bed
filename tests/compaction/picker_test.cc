// The scripts' commands:
//   define              a shape, one item a line:
//                         limits memtable=N table=N ratio=N l0=N
//                         snapshot N | compress FROM-TO (levels that have lz4; others have none)
//                         L<level> <id> <from>-<to> <bytes> [tombstones=N of 100 entries] [seq=N or N-M]
//                           [refer=FILE:BYTES ...] (to so many bytes of a value file)
//                         (L0 newest first; sequences default to the id)
//                         values <id> <bytes> [damaged] | garbage PERCENT (allowed in value files)
//                         reads ask (what they have read in vain pays for a merge)
//                         rest [N] (nothing is in memtables; written since: from sequence N on)
//                         replaced SHARE (of what the last merges brought down)
//   targets | debt | due   what the picker says of the shape; due: when reads would ask
//   pick                what it would do
//   start               the same, and it is running from now on (a move is done at once)
//   finish [empty]      the longest running one is done: one table with the inputs' range, or none
//   flush <id> <from>-<to> <bytes>
//   range [from=K] [to=K]   a range compaction begins
//   step                its next step, started
#include "compaction/picker.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "tests/compaction/script.h"

namespace firn::compaction {
namespace {

class PickerScript {
 public:
  std::string run(const std::string& command, const std::vector<std::string>& lines) {
    std::istringstream in(command);
    std::string word;
    in >> word;
    if (word == "define") return define(lines);
    if (word == "targets") return targets();
    if (word == "debt") return std::to_string(compaction_debt_bytes(shape())) + "\n";
    if (word == "due") return due();
    if (word == "pick") return describe(pick_compaction(shape()));
    if (word == "start") return start(pick_compaction(shape()));
    if (word == "finish") return finish(command.find("empty") != std::string::npos);
    if (word == "flush") {
      std::string rest;
      std::getline(in, rest);
      add_table(0, rest, true);
      return show(0);
    }
    if (word == "range") return begin_range(in);
    if (word == "step") return step();
    return "unknown command\n";
  }

 private:
  struct Table {
    TableMeta meta;
    bool compacting = false;
  };

  static std::uint64_t number_after(const std::string& word) { return std::stoull(word.substr(word.find('=') + 1)); }

  std::string define(const std::vector<std::string>& lines) {
    *this = PickerScript();
    for (const std::string& line : lines) {
      std::istringstream in(line);
      std::string word;
      in >> word;
      if (word == "limits") {
        while (in >> word) {
          const std::uint64_t number = number_after(word);
          if (word.starts_with("memtable")) limits_.memtable_bytes = number;
          if (word.starts_with("table")) limits_.table_bytes = number;
          if (word.starts_with("ratio")) limits_.level_ratio = static_cast<std::uint32_t>(number);
          if (word.starts_with("l0")) limits_.l0_tables = static_cast<std::uint32_t>(number);
        }
      } else if (word == "snapshot") {
        in >> oldest_snapshot_;
      } else if (word == "reads") {
        reads_ask_ = true;
      } else if (word == "rest") {
        at_rest_ = true;
        in >> written_since_;
      } else if (word == "replaced") {
        in >> replaced_share_;
      } else if (word == "garbage") {
        in >> garbage_percent_;
      } else if (word == "values") {
        ShapeValues& values = values_.emplace_back();
        in >> values.id >> values.bytes >> word;
        values.damaged = word == "damaged";
      } else if (word == "compress") {
        in >> word;
        for (int level = word[0] - '0'; level <= word[2] - '0'; ++level) {
          compression_[static_cast<std::size_t>(level)] = Compression::kLz4;
        }
      } else {
        std::string rest;
        std::getline(in, rest);
        add_table(static_cast<std::size_t>(word[1] - '0'), rest, false);
      }
    }
    return "";
  }

  void add_table(std::size_t level, const std::string& text, bool in_front) {
    std::istringstream in(text);
    Table table;
    TableMeta& meta = table.meta;
    std::string range;
    in >> meta.id >> range >> meta.file_bytes;
    meta.smallest_key = range.substr(0, range.find('-'));
    meta.largest_key = range.substr(range.find('-') + 1);
    meta.entries = 100;
    meta.smallest_sequence = meta.largest_sequence = meta.id;
    for (std::string word; in >> word;) {
      if (word.starts_with("tombstones")) meta.tombstones = number_after(word);
      if (word.starts_with("refer")) {
        meta.values.push_back({number_after(word), 1, std::stoull(word.substr(word.find(':') + 1))});
      }
      if (!word.starts_with("seq")) continue;
      const std::size_t dash = word.find('-');
      meta.smallest_sequence = meta.largest_sequence = number_after(word);
      if (dash != std::string::npos) meta.largest_sequence = std::stoull(word.substr(dash + 1));
    }
    last_id_ = std::max(last_id_, meta.id);
    levels_[level].insert(in_front ? levels_[level].begin() : levels_[level].end(), table);
  }

  FamilyShape shape() const {
    FamilyShape shape;
    shape.limits = limits_;
    shape.compression = compression_;
    shape.oldest_snapshot = oldest_snapshot_;
    shape.values = values_;
    shape.value_garbage_percent = garbage_percent_;
    shape.reads_ask = reads_ask_;
    shape.at_rest = at_rest_;
    shape.written_since = written_since_;
    shape.replaced_share = replaced_share_;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      for (const Table& table : levels_[level]) shape.levels[level].push_back({&table.meta, table.compacting});
    }
    for (const CompactionPlan& plan : running_) shape.running.push_back(running_compaction(plan));
    return shape;
  }

  std::string targets() const {
    const LevelTargets targets = level_targets(shape());
    std::ostringstream out;
    out << "base L" << targets.base_level << ':';
    for (std::size_t level = 1; level < targets.bytes.size(); ++level) {
      if (targets.bytes[level] > 0) out << " L" << level << '=' << targets.bytes[level];
    }
    return out.str() + "\n";
  }

  std::string due() const {
    const std::uint64_t bytes = reads_due_bytes(shape());
    return bytes == kReadsNeverDue ? "never\n" : std::to_string(bytes) + "\n";
  }

  static std::string describe(const std::optional<CompactionPlan>& plan) {
    if (!plan) return "nothing\n";
    std::ostringstream out;
    for (const PlanInputs& inputs : plan->inputs) {
      out << 'L' << inputs.level << " [";
      for (const std::uint64_t id : inputs.tables) out << ' ' << id;
      out << " ] ";
    }
    out << (plan->trivial_move ? "moved to L" : "-> L") << plan->output_level << ' ' << plan->smallest_key << '-'
        << plan->largest_key << ' ' << plan->input_bytes << " bytes" << (plan->bottommost ? ", bottommost" : "");
    for (const Boundary& boundary : plan->grandparents) out << ", |" << boundary.largest_key << ':' << boundary.bytes;
    for (const std::uint64_t id : plan->emptied_values) out << ", empties " << id;
    out << "\n  " << plan->reason << '\n';
    return out.str();
  }

  std::string start(std::optional<CompactionPlan> plan) {
    std::string text = describe(plan);
    if (!plan) return text;
    if (plan->trivial_move) {
      std::vector<Table> moved = take(*plan, true);
      for (Table& table : moved) place(plan->output_level, table);
      return text;
    }
    take(*plan, false);
    running_.push_back(std::move(*plan));
    return text;
  }

  std::string finish(bool empty) {
    if (running_.empty()) return "nothing is running\n";
    const CompactionPlan plan = running_.front();
    running_.pop_front();
    Table output;
    output.meta.smallest_sequence = kSequenceMax;
    for (const Table& input : take(plan, true)) {
      output.meta.smallest_sequence = std::min(output.meta.smallest_sequence, input.meta.smallest_sequence);
      output.meta.largest_sequence = std::max(output.meta.largest_sequence, input.meta.largest_sequence);
    }
    if (plan.bottommost && oldest_snapshot_ == kSequenceMax) {
      output.meta.smallest_sequence = output.meta.largest_sequence = 0;
    }
    output.meta.id = ++last_id_;
    output.meta.entries = 100;
    output.meta.file_bytes = plan.input_bytes;
    output.meta.smallest_key = plan.smallest_key;
    output.meta.largest_key = plan.largest_key;
    if (!empty) place(plan.output_level, output);
    return show(static_cast<std::size_t>(plan.output_level));
  }

  // The plan's inputs; out of their levels if `remove`, else marked.
  std::vector<Table> take(const CompactionPlan& plan, bool remove) {
    std::vector<Table> taken;
    for (const PlanInputs& inputs : plan.inputs) {
      auto& level = levels_[static_cast<std::size_t>(inputs.level)];
      for (const std::uint64_t id : inputs.tables) {
        const auto at =
            std::find_if(level.begin(), level.end(), [&](const Table& table) { return table.meta.id == id; });
        EXPECT_FALSE(at->compacting && !remove) << id << " is being compacted already";
        at->compacting = true;
        taken.push_back(*at);
        if (remove) level.erase(at);
      }
    }
    return taken;
  }

  void place(int level_number, Table table) {
    auto& level = levels_[static_cast<std::size_t>(level_number)];
    table.compacting = false;
    level.push_back(table);
    std::sort(level.begin(), level.end(), [&](const Table& a, const Table& b) {
      return level_number == 0 ? a.meta.largest_sequence > b.meta.largest_sequence
                               : a.meta.smallest_key < b.meta.smallest_key;
    });
  }

  std::string show(std::size_t level) const {
    std::ostringstream out;
    out << 'L' << level << ':';
    for (const Table& table : levels_[level]) {
      out << ' ' << table.meta.id << (table.compacting ? "*" : "") << '=' << table.meta.smallest_key << '-'
          << table.meta.largest_key;
    }
    return out.str() + "\n";
  }

  std::string begin_range(std::istringstream& in) {
    range_ = RangeCompaction();
    for (std::string word; in >> word;) {
      (word.starts_with("from=") ? range_.from : range_.to) = word.substr(word.find('=') + 1);
    }
    return "";
  }

  std::string step() {
    RangeStep step = pick_range(shape(), range_);
    range_ = std::move(step.next);
    if (step.kind == RangeStep::Kind::kBlocked) return "blocked\n";
    if (step.kind == RangeStep::Kind::kDone) return "done\n";
    return start(std::move(step.plan));
  }

  std::array<std::vector<Table>, kLevelCount> levels_;
  std::deque<CompactionPlan> running_;
  LevelLimits limits_;
  LevelCompression compression_{};
  Sequence oldest_snapshot_ = kSequenceMax;
  std::vector<ShapeValues> values_;
  std::uint32_t garbage_percent_ = 100;
  bool reads_ask_ = false;
  bool at_rest_ = false;
  Sequence written_since_ = 0;
  double replaced_share_ = 0;
  std::uint64_t last_id_ = 0;
  RangeCompaction range_;
};

TEST(L0Weight, ATableCountsForThePartOfAMemtableThatItWas) {
  constexpr std::uint64_t kMemtable = 64 << 20;
  const auto table_of = [](std::uint64_t entries) {
    TableMeta meta;
    meta.entries = entries;
    meta.key_bytes = 16 * entries;
    meta.value_bytes = 100 * entries;
    meta.file_bytes = 118 * entries;
    meta.smallest_key = "a";
    meta.largest_key = "b";
    return meta;
  };
  EXPECT_EQ(l0_weight(table_of(340'000), kMemtable), 1);
  EXPECT_NEAR(l0_weight(table_of(250'000), kMemtable), 0.79, 0.01);
  EXPECT_NEAR(l0_weight(table_of(170'000), kMemtable), 0.54, 0.01);
  EXPECT_EQ(l0_weight(table_of(100'000), kMemtable), 1);  // No fast writer made it so small.
  EXPECT_EQ(l0_weight(table_of(0), kMemtable), 1);

  // Eight tables of three quarters are due as six whole ones are.
  const TableMeta three_quarters = table_of(250'000);
  FamilyShape shape;
  shape.limits = {kMemtable, kMemtable, 10, 6};
  for (int i = 0; i < 7; ++i) shape.levels[0].push_back({&three_quarters, false});
  EXPECT_FALSE(pick_compaction(shape).has_value());
  shape.levels[0].push_back({&three_quarters, false});
  EXPECT_TRUE(pick_compaction(shape).has_value());
}

class Picker : public testing::TestWithParam<const char*> {};

TEST_P(Picker, DoesWhatTheScriptSays) {
  PickerScript script;
  run_script(GetParam(), [&](const std::string& command, const std::vector<std::string>& lines) {
    return script.run(command, lines);
  });
}

INSTANTIATE_TEST_SUITE_P(Scripts, Picker,
                         testing::Values("targets", "l0", "levels", "moves", "tombstones", "concurrency", "range",
                                         "reads", "rest", "values"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace firn::compaction
