// Maintenance: the merge of one compaction, cut by key into parts of about a table each, which any free thread takes.
// The thread that began it takes parts like the others, so it depends on nobody's help. The thread that is kept for
// flushes helps while nothing is written (with two cores there is none left for it otherwise), and lets a flush go
// first, between two rows. Other threads stand aside while a flush writes, unless writers will soon wait for merges: a
// flush is what they wait for otherwise, and on two cores it and a merge take turns with the writer, milliseconds each.
// All parts' tables are installed by one edit, or none are.
//
// Idea: RocksDB's sub-compactions; there the number of threads is fixed beforehand.

#include <algorithm>
#include <array>
#include <utility>

#include "codec/key_head.h"
#include "compaction/level_cursor.h"
#include "compaction/split.h"
#include "lsm/maintenance.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

constexpr std::size_t kPartsMax = 256;
constexpr std::size_t kMarksPerPart = 16;  // compaction/split.h

Result<std::unique_ptr<Cursor>> open_cursor(const TableFile& file) {
  auto table = file.open_for_job();
  if (!table.ok()) return table.status();
  return std::unique_ptr<Cursor>(std::make_unique<TableCursor>(std::move(table).value(), ScanKind::kBackground));
}

// One sorted level's share of a plan.
class PlanLevel final : public compaction::TableList {
 public:
  void add(std::shared_ptr<TableFile> table) { tables_.push_back(std::move(table)); }
  std::size_t count() const override { return tables_.size(); }
  const TableMeta& meta(std::size_t index) const override { return tables_[index]->meta(); }
  Result<std::unique_ptr<Cursor>> open(std::size_t index) const override { return open_cursor(*tables_[index]); }

 private:
  std::vector<std::shared_ptr<TableFile>> tables_;
};

// Marks about every `step` bytes of a table, and at its end.
Status add_marks(const TableFile& file, std::uint64_t step, std::vector<compaction::SplitMark>& marks) {
  std::uint64_t begin = 0;
  if (file.meta().file_bytes > step) {
    auto table = file.open_for_job();
    if (!table.ok()) return table.status();
    for (std::uint32_t block = 0; block + 1 < (*table)->blocks(); ++block) {
      const std::uint64_t end = (*table)->block_offset(block + 1);
      if (end - begin < step) continue;
      marks.push_back({(*table)->separator(block), end - begin});
      begin = end;
    }
  }
  marks.push_back({file.meta().largest_key, file.meta().file_bytes - begin});
  return {};
}

}  // namespace

struct Maintenance::Merge {
  Merge(const FamilyState& of, const compaction::CompactionPlan& which) : family(of), plan(which) {}

  // Both outlive the merge, though not this: who comes to help late finds no part left and looks at nothing else.
  const FamilyState& family;
  const compaction::CompactionPlan& plan;
  std::vector<std::shared_ptr<TableFile>> l0;
  std::array<PlanLevel, kLevelCount> levels;
  std::vector<Sequence> snapshots;
  std::vector<std::string> cuts;  // Between parts.
  std::uint64_t table_bytes = 0;  // As in CompactionTask.
  std::atomic<bool> failed{false};
  // Guarded by Maintenance::mutex_:
  std::size_t next = 0;                                 // First part that nobody has taken.
  std::size_t running = 0;                              // Parts being merged.
  bool flush_thread_helps = false;                      // Or was asked to.
  std::vector<compaction::CompactionOutcome> outcomes;  // By part.

  std::size_t parts() const { return cuts.size() + 1; }
  Status cut(const PlanTables& tables, std::size_t parts_max);
  Result<compaction::CompactionTask> task(std::size_t part) const;
  compaction::CompactionOutcome sum();
};

Status Maintenance::Merge::cut(const PlanTables& tables, std::size_t parts_max) {
  table_bytes = plan.table_bytes;
  outcomes.resize(1);
  if (parts_max < 2) return {};
  const std::uint64_t step = std::max<std::uint64_t>(plan.input_bytes / (parts_max * kMarksPerPart), 1);
  std::vector<compaction::SplitMark> marks;
  for (const auto& [level, table] : tables) {
    if (Status status = add_marks(*table, step, marks); !status.ok()) return status;
  }
  cuts = compaction::split_keys(std::move(marks), parts_max);
  outcomes.resize(parts());
  // Tables a little larger or smaller than usual, rather than a small one at the end of each part.
  const std::uint64_t part_bytes = plan.input_bytes / parts();
  const std::uint64_t tables_per_part = std::max<std::uint64_t>((part_bytes + table_bytes / 2) / table_bytes, 1);
  table_bytes = part_bytes / tables_per_part + table_bytes / 16;
  return {};
}

Result<compaction::CompactionTask> Maintenance::Merge::task(std::size_t part) const {
  compaction::CompactionTask task;
  for (const auto& table : l0) {
    auto cursor = open_cursor(*table);
    if (!cursor.ok()) return cursor.status();
    task.inputs.push_back(std::move(cursor).value());
  }
  for (const PlanLevel& level : levels) {
    if (level.count() != 0) task.inputs.push_back(std::make_unique<compaction::LevelCursor>(level));
  }
  task.snapshots = snapshots;
  task.bottommost = plan.bottommost || FIRN_PLANTED_BUG(tombstone_dropped_early);
  task.table_bytes = table_bytes;
  task.grandparents = plan.grandparents;
  task.grandparent_overlap_bytes_max = plan.grandparent_overlap_bytes_max;
  task.head_offset = common_prefix_bytes(plan.smallest_key, plan.largest_key);
  if (part > 0) task.after = cuts[part - 1];
  if (part < cuts.size()) task.up_to = cuts[part];
  return task;
}

// What the parts have made, as one. After an error of any of them: that error, and all outputs begun.
compaction::CompactionOutcome Maintenance::Merge::sum() {
  compaction::CompactionOutcome all;
  for (compaction::CompactionOutcome& part : outcomes) {
    // That others were stopped is no news.
    if (all.status.ok() || all.status.code() == StatusCode::kClosed) {
      if (!part.status.ok()) all.status = part.status;
    }
    std::move(part.tables.begin(), part.tables.end(), std::back_inserter(all.tables));
    all.created.insert(all.created.end(), part.created.begin(), part.created.end());
    all.values.files.insert(all.values.files.end(), part.values.files.begin(), part.values.files.end());
    all.values.created.insert(all.values.created.end(), part.values.created.begin(), part.values.created.end());
    all.values.bytes_moved += part.values.bytes_moved;
    all.counts.entries_read += part.counts.entries_read;
    all.counts.bytes_read += part.counts.bytes_read;
    all.counts.bytes_written += part.counts.bytes_written;
  }
  // Each part has accounted for what it read (COMPACTION-1); together, or the only one, they have to read everything.
  if (all.status.ok() && all.counts.entries_read != plan.input_entries) {
    all.status =
        Status(StatusCode::kCorruption, "compaction read " + std::to_string(all.counts.entries_read) +
                                            " entries, where its inputs list " + std::to_string(plan.input_entries) +
                                            ": they are left as they are");
  }
  return all;
}

// At most. An L0 table stays one table.
std::size_t Maintenance::parts_of(const compaction::CompactionPlan& plan) const {
  if (executor_ == nullptr || core_.options.background_threads < 2) return 1;
  if (plan.output_level == 0 || plan.table_bytes == 0) return 1;
  const std::uint64_t tables = (plan.input_bytes + plan.table_bytes / 2) / plan.table_bytes;
  return static_cast<std::size_t>(std::min<std::uint64_t>(tables, kPartsMax));
}

// mutex_ held: asks those threads for help that may serve compactions and have nothing to do.
void Maintenance::ask_for_help(const std::shared_ptr<Merge>& merge) {
  const std::uint32_t threads = core_.options.background_threads;
  for (std::size_t i = compactions_running_ + 1; i < threads && i < merge->parts(); ++i) {
    executor_->submit(TaskPriority::kLow, [this, merge] { work_on(merge, Helper::kThread); });
  }
}

// Takes parts until there are none.
void Maintenance::work_on(const std::shared_ptr<Merge>& merge, Helper who) {
  MutexLock lock(mutex_);
  while (merge->next < merge->parts()) {
    const Sequence now = core_.visible_sequence.load(std::memory_order_relaxed);
    const bool writers_rest = now == std::exchange(sequence_at_last_part_, now);
    const bool more = merge->next + 1 < merge->parts();
    const bool in_haste = writers_rest && !merge->plan.for_reads;
    if (who == Helper::kNone && more && in_haste && !merge->flush_thread_helps && !stopping_) {
      merge->flush_thread_helps = true;
      executor_->submit(TaskPriority::kHigh, [this, merge] { work_on(merge, Helper::kFlushThread); });
    }
    if (who == Helper::kFlushThread && !writers_rest) break;
    const std::size_t part = merge->next++;
    ++merge->running;
    lock.unlock();
    compaction::CompactionOutcome outcome = merge_part(*merge, part, who == Helper::kFlushThread);
    lock.lock();
    --merge->running;
    if (!outcome.status.ok()) {
      merge->failed.store(true, std::memory_order_relaxed);
      merge->next = merge->parts();
    }
    merge->outcomes[part] = std::move(outcome);
    changed_.notify_all();
  }
  if (who == Helper::kFlushThread) merge->flush_thread_helps = false;
}

compaction::CompactionOutcome Maintenance::merge_part(Merge& merge, std::size_t part, bool on_flush_thread) {
  auto task = merge.task(part);
  if (!task.ok()) {
    compaction::CompactionOutcome outcome;
    outcome.status = task.status();
    return outcome;
  }
  task->values = value_task(merge.family, merge.plan.emptied_values);
  task->create_table = [&] { return create_table(merge.family, merge.plan.output_level); };
  task->should_stop = [&, on_flush_thread] {
    if (on_flush_thread && flush_waiting_.load(std::memory_order_relaxed)) start_waiting_flush();
    if (!on_flush_thread && flushes_writing_.load(std::memory_order_relaxed) != 0) let_flushes_write();
    return stopping_.load(std::memory_order_relaxed) || merge.failed.load(std::memory_order_relaxed);
  };
  return compaction::run_compaction(std::move(*task));
}

// They have threads of their own and wait for no merge.
void Maintenance::let_flushes_write() {
  MutexLock lock(mutex_);
  while (flushes_writing_.load(std::memory_order_relaxed) != 0 && !merges_press_ && !stopping_) changed_.wait(mutex_);
}

Result<compaction::CompactionOutcome> Maintenance::merge(const FamilyState& family,
                                                         const compaction::CompactionPlan& plan,
                                                         const PlanTables& tables) {
  const std::uint64_t start = core_.platform.clock->monotonic_ns();
  const DirectoryNames::Mark before = mark_names();
  const auto merge = std::make_shared<Merge>(family, plan);
  std::uint64_t file_bytes = 0;
  for (const auto& [level, table] : tables) {
    file_bytes += table->meta().file_bytes;
    if (level == 0) {
      merge->l0.push_back(table);
    } else {
      merge->levels[static_cast<std::size_t>(level)].add(table);
    }
  }
  if (!FIRN_PLANTED_BUG(snapshot_ignored)) merge->snapshots = core_.snapshots->sequences();
  if (Status status = merge->cut(tables, parts_of(plan)); !status.ok()) return status;
  {
    MutexLock lock(mutex_);
    if (!stopping_) ask_for_help(merge);
  }
  work_on(merge, Helper::kNone);
  {
    MutexLock lock(mutex_);
    while (merge->running != 0) changed_.wait(mutex_);
  }
  compaction::CompactionOutcome outcome = merge->sum();
  if (outcome.status.ok()) outcome.status = manifest_->names().sync(before);
  if (!outcome.status.ok()) {
    remove_outputs(outcome);
    return outcome.status;
  }
  core_.counters.compactions.fetch_add(1, std::memory_order_relaxed);
  core_.counters.compaction_bytes_read.fetch_add(file_bytes + outcome.values.bytes_moved, std::memory_order_relaxed);
  core_.counters.compaction_bytes_written.fetch_add(outcome.counts.bytes_written, std::memory_order_relaxed);
  core_.counters.value_bytes_moved.fetch_add(outcome.values.bytes_moved, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  compaction_bytes_per_second_ = rate(outcome.counts.bytes_read, start);
  return outcome;
}

}  // namespace firn::lsm
