// A database of numbers instead of bytes: runs the picker over a synthetic fill, with jobs that take time, and counts
// what is written. Every entry is `entry_bytes` large; time is measured in user bytes written.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/varint.h"
#include "compaction/output_cutter.h"
#include "compaction/picker.h"
#include "platform/assert.h"

namespace firn::compaction {

struct FillSettings {
  LevelLimits limits;
  std::uint64_t entry_bytes = 4096;
  std::uint64_t flush_bytes = 0;     // A memtable makes a table of less than its own size.
  std::size_t slots = 1;             // Compactions that may run at once.
  double compaction_speed = 6;       // Bytes one compaction writes while the user writes one.
  std::size_t l0_tables_stop = 20;   // The user waits while L0 has so many.
  std::uint64_t block_bytes = 4096;  // What a seek reads of each run.
};

struct FillReport {
  std::uint64_t user_bytes = 0;
  std::uint64_t flush_bytes = 0;
  std::uint64_t compaction_bytes = 0;
  std::uint64_t live_bytes = 0;  // All tables at the end.
  std::uint64_t largest_job_bytes = 0;
  std::size_t jobs = 0;
  std::size_t moves = 0;
  std::size_t l0_tables_max = 0;
  double stopped = 0;            // Share of the time that the user waited.
  double runs_mean = 0;          // Runs that a read must look at, after each flush.
  std::uint64_t vain_bytes = 0;  // Read by seeks because runs overlap.
  double write_amplification() const {
    return static_cast<double>(flush_bytes + compaction_bytes) / static_cast<double>(user_bytes);
  }
};

class FillSimulator {
 public:
  explicit FillSimulator(const FillSettings& settings) : settings_(settings) {}

  // Writes one key; flushes when the memtable is full.
  void put(std::uint64_t key) {
    memtable_.push_back(key);
    report_.user_bytes += settings_.entry_bytes;
    now_ += static_cast<double>(settings_.entry_bytes);
    if (memtable_.size() * settings_.entry_bytes >= settings_.flush_bytes) flush();
  }

  void flush() {
    if (memtable_.empty()) return;
    std::sort(memtable_.begin(), memtable_.end());
    memtable_.erase(std::unique(memtable_.begin(), memtable_.end()), memtable_.end());
    report_.flush_bytes += memtable_.size() * settings_.entry_bytes;
    levels_[0].insert(levels_[0].begin(), make_table(std::exchange(memtable_, {})));
    vain_bytes_ = 0;
    report_.l0_tables_max = std::max(report_.l0_tables_max, levels_[0].size());
    advance();
    while (levels_[0].size() >= settings_.l0_tables_stop && !running_.empty()) {
      const double before = now_;
      now_ = std::max(now_, next_end());
      stopped_ += now_ - before;
      advance();
    }
    runs_ += static_cast<double>(runs());
    ++flushes_;
  }

  // `count` seeks to `key`, at once.
  void seek(std::uint64_t key, std::uint64_t count) {
    const std::string sought = key_of(key);
    std::uint64_t runs = 0;
    for (const auto& table : levels_[0]) {
      runs += table->meta.smallest_key <= sought && sought <= table->meta.largest_key ? 1 : 0;
    }
    const bool deeper =
        std::any_of(levels_.begin() + 1, levels_.end(), [](const auto& level) { return !level.empty(); });
    if (runs == 0) return;
    const std::uint64_t vain = (deeper ? runs : runs - 1) * count * settings_.block_bytes;
    report_.vain_bytes += vain;
    vain_bytes_ += vain;
    if (vain_bytes_ >= reads_due_bytes(shape())) advance();
  }

  // Lets all that is running and due come to an end. `replaced_share`: what merges are taken to have found.
  void settle(double replaced_share = 0) {
    at_rest_ = memtable_.empty();
    replaced_share_ = replaced_share;
    for (advance(); !running_.empty(); advance()) now_ = std::max(now_, next_end());
    at_rest_ = false;
  }

  // Finishes what is finished by now and starts what is due.
  void advance() {
    for (;;) {
      start_due();
      if (running_.empty() || next_end() > now_) return;
      finish_next();
    }
  }

  FillReport report() const {
    FillReport report = report_;
    for (const auto& level : levels_) {
      for (const auto& table : level) report.live_bytes += table->meta.file_bytes;
    }
    report.stopped = stopped_ / now_;
    report.runs_mean = flushes_ == 0 ? 0 : runs_ / static_cast<double>(flushes_);
    return report;
  }

  FamilyShape shape() const {
    FamilyShape shape;
    shape.limits = settings_.limits;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      for (const auto& table : levels_[level]) shape.levels[level].push_back({&table->meta, table->compacting});
    }
    for (const Job& job : running_) shape.running.push_back(running_compaction(job.plan));
    shape.reads_ask = vain_bytes_ >= reads_due_bytes(shape);
    shape.at_rest = at_rest_;
    shape.replaced_share = replaced_share_;
    return shape;
  }

  std::function<void(const FamilyShape&, const CompactionPlan&)> on_plan;  // Sees every plan before it starts.

 private:
  struct Table {
    TableMeta meta;
    std::vector<std::uint64_t> keys;
    bool compacting = false;
  };
  struct Job {
    CompactionPlan plan;
    std::vector<std::shared_ptr<Table>> outputs;
    double end = 0;
  };

  static std::string key_of(std::uint64_t number) {
    std::string key(8, '\0');
    store(key.data(), __builtin_bswap64(number));
    return key;
  }

  std::shared_ptr<Table> make_table(std::vector<std::uint64_t> keys) {
    auto table = std::make_shared<Table>();
    table->meta.id = ++last_id_;
    table->meta.entries = keys.size();
    table->meta.file_bytes = keys.size() * settings_.entry_bytes;
    table->meta.smallest_key = key_of(keys.front());
    table->meta.largest_key = key_of(keys.back());
    table->meta.smallest_sequence = table->meta.largest_sequence = last_id_;
    table->keys = std::move(keys);
    return table;
  }

  std::size_t runs() const {
    std::size_t count = levels_[0].size();
    for (std::size_t level = 1; level < levels_.size(); ++level) count += levels_[level].empty() ? 0 : 1;
    return count;
  }

  double next_end() const {
    double end = running_.front().end;
    for (const Job& job : running_) end = std::min(end, job.end);
    return end;
  }

  void start_due() {
    while (running_.size() < settings_.slots) {
      const FamilyShape now = shape();
      std::optional<CompactionPlan> plan = pick_compaction(now);
      if (!plan) {
        // Liveness: what is over its target is being worked on.
        FIRN_ASSERT(!running_.empty() || compaction_debt_bytes(now) == 0);
        return;
      }
      if (on_plan) on_plan(now, *plan);
      if (plan->trivial_move) {
        ++report_.moves;
        auto moved = take(*plan, true);
        place(plan->output_level, std::move(moved));
      } else {
        start(std::move(*plan));
      }
    }
  }

  // The plan's inputs; out of their levels if `remove`, else marked.
  std::vector<std::shared_ptr<Table>> take(const CompactionPlan& plan, bool remove) {
    std::vector<std::shared_ptr<Table>> inputs;
    for (const PlanInputs& from : plan.inputs) {
      auto& level = levels_[static_cast<std::size_t>(from.level)];
      for (const std::uint64_t id : from.tables) {
        const auto at =
            std::find_if(level.begin(), level.end(), [&](const auto& table) { return table->meta.id == id; });
        FIRN_ASSERT(at != level.end());
        inputs.push_back(*at);
        (*at)->compacting = !remove;
        if (remove) level.erase(at);
      }
    }
    return inputs;
  }

  void place(int output_level, std::vector<std::shared_ptr<Table>> tables) {
    vain_bytes_ = 0;
    auto& level = levels_[static_cast<std::size_t>(output_level)];
    for (auto& table : tables) level.push_back(std::move(table));
    std::sort(level.begin(), level.end(), [&](const auto& a, const auto& b) {
      return output_level == 0 ? a->meta.largest_sequence > b->meta.largest_sequence
                               : a->meta.smallest_key < b->meta.smallest_key;
    });
    for (std::size_t i = 1; output_level > 0 && i < level.size(); ++i) {
      FIRN_ASSERT(level[i - 1]->meta.largest_key < level[i]->meta.smallest_key);
    }
  }

  void start(CompactionPlan plan) {
    const auto inputs = take(plan, false);
    std::vector<std::uint64_t> merged;
    Sequence smallest = kSequenceMax;
    Sequence largest = 0;
    for (const auto& table : inputs) {
      std::vector<std::uint64_t> next;
      std::set_union(merged.begin(), merged.end(), table->keys.begin(), table->keys.end(), std::back_inserter(next));
      merged = std::move(next);
      smallest = std::min(smallest, table->meta.smallest_sequence);
      largest = std::max(largest, table->meta.largest_sequence);
    }
    Job job{std::move(plan), {}, 0};
    OutputCutter cutter(job.plan.table_bytes, job.plan.grandparents, job.plan.grandparent_overlap_bytes_max);
    std::vector<std::uint64_t> keys;
    for (const std::uint64_t key : merged) {
      if (cutter.cut_before(key_of(key), keys.size() * settings_.entry_bytes) && !keys.empty()) {
        job.outputs.push_back(make_table(std::exchange(keys, {})));
        cutter.begin_table();
      }
      keys.push_back(key);
    }
    if (!keys.empty()) job.outputs.push_back(make_table(std::move(keys)));
    for (const auto& table : job.outputs) {
      table->meta.smallest_sequence = smallest;
      table->meta.largest_sequence = largest;
    }
    const std::uint64_t bytes = merged.size() * settings_.entry_bytes;
    report_.compaction_bytes += bytes;
    report_.largest_job_bytes = std::max(report_.largest_job_bytes, bytes);
    ++report_.jobs;
    job.end = now_ + static_cast<double>(bytes) / settings_.compaction_speed;
    running_.push_back(std::move(job));
  }

  void finish_next() {
    const auto at =
        std::min_element(running_.begin(), running_.end(), [](const Job& a, const Job& b) { return a.end < b.end; });
    Job job = std::move(*at);
    running_.erase(at);
    take(job.plan, true);
    place(job.plan.output_level, std::move(job.outputs));
  }

  const FillSettings settings_;
  std::array<std::vector<std::shared_ptr<Table>>, kLevelCount> levels_;
  std::vector<std::uint64_t> memtable_;
  std::vector<Job> running_;
  FillReport report_;
  std::uint64_t last_id_ = 0;
  std::uint64_t vain_bytes_ = 0;  // Of the present shape.
  bool at_rest_ = false;
  double replaced_share_ = 0;
  double now_ = 0;
  double stopped_ = 0;
  double runs_ = 0;
  std::size_t flushes_ = 0;
};

}  // namespace firn::compaction
