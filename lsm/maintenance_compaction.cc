// Maintenance: tables into fewer, deeper tables.

#include <algorithm>
#include <utility>

#include "lsm/file_names.h"
#include "lsm/maintenance.h"
#include "lsm/replaced_share.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// What share of the entries above the last level replaces something is found out again when more was written since
// than one entry for so many of them.
constexpr std::uint64_t kEntriesPerWrite = 16;

PlanTables tables_of(const compaction::CompactionPlan& plan, const Version& version) {
  PlanTables tables;
  for (const compaction::PlanInputs& inputs : plan.inputs) {
    const TableList& level = version.level(inputs.level);
    for (const std::uint64_t id : inputs.tables) {
      const auto it =
          std::find_if(level.begin(), level.end(), [id](const auto& table) { return table->meta().id == id; });
      if (it != level.end()) tables.emplace_back(inputs.level, *it);
    }
  }
  return tables;
}

}  // namespace

void Maintenance::schedule_compactions() {
  if (executor_ == nullptr || stopping_) return;
  // With several threads one is left to flushes.
  const std::uint32_t most = std::max<std::uint32_t>(core_.options.background_threads, 2) - 1;
  while (compactions_running_ < most && !compaction_queue_.empty()) {
    ++compactions_running_;
    Work* work = compaction_queue_.front();
    compaction_queue_.pop_front();
    work->queued = false;
    executor_->submit(TaskPriority::kLow, [this, work] { background_compaction(*work); });
  }
}

void Maintenance::background_compaction(Work& work) {
  MutexLock lock(mutex_);
  std::optional<compaction::CompactionPlan> plan;
  if (!stopping_ && !work.family->dropped()) {
    plan = pick(work, lock);
  }
  Status status;
  if (plan) {
    begin(work, *plan);
    lock.unlock();
    status = run_plan(work, *plan);
    watch_space();
    lock.lock();
    finish(work, *plan, status);
  }
  --compactions_running_;
  if (plan && status.ok()) {
    reconsider(work);
    return;
  }
  schedule_compactions();
  set_pace();
  changed_.notify_all();
  if (!plan || stopping_ || status.code() == StatusCode::kClosed) return;
  work.family->view()->version()->reads().put_off();
  executor_->submit_after(kRetryNs, [this, &work] {
    MutexLock retry(mutex_);
    if (!stopping_) reconsider(work);
  });
}

// How much of what was written replaced something is asked only where it decides, and again only when much more was
// written. `lock` is given up meanwhile.
std::optional<compaction::CompactionPlan> Maintenance::pick(Work& work, MutexLock& lock) {
  std::shared_ptr<const Version> version = work.family->view()->version();
  compaction::FamilyShape shape = shape_of(work, *version);
  std::optional<compaction::CompactionPlan> plan = compaction::pick_compaction(shape);
  shape.replaced_share = 1;
  const std::optional<compaction::CompactionPlan> other = compaction::pick_compaction(shape);
  if (!other || (plan && plan->inputs == other->inputs)) return plan;
  Sequence newest = 0;
  std::uint64_t entries = 0;
  for (int level = 0; level + 1 < kLevelCount; ++level) {
    for (const auto& table : version->level(level)) {
      newest = std::max(newest, table->meta().largest_sequence);
      entries += table->meta().entries;
    }
  }
  if (newest > work.share_known_at + entries / kEntriesPerWrite) {
    lock.unlock();
    const double share = replaced_share(*version);
    version.reset();  // Perhaps the last to hold its tables.
    lock.lock();
    work.replaced_share = share;
    work.share_known_at = newest;
    if (stopping_ || work.family->dropped()) return std::nullopt;
    shape = shape_of(work, *work.family->view()->version());
  }
  shape.replaced_share = work.replaced_share;
  return compaction::pick_compaction(shape);
}

void Maintenance::begin(Work& work, const compaction::CompactionPlan& plan) {
  for (const auto& inputs : plan.inputs) work.busy_tables.insert(inputs.tables.begin(), inputs.tables.end());
  work.running.push_back({plan.inputs.front().level, plan.output_level, plan.smallest_key, plan.largest_key});
}

void Maintenance::finish(Work& work, const compaction::CompactionPlan& plan, const Status& status) {
  for (const auto& inputs : plan.inputs) {
    for (const std::uint64_t id : inputs.tables) work.busy_tables.erase(id);
  }
  const auto it = std::find_if(work.running.begin(), work.running.end(), [&plan](const auto& running) {
    return running.output_level == plan.output_level && running.smallest_key == plan.smallest_key;
  });
  if (it != work.running.end()) work.running.erase(it);
  if (status.code() == StatusCode::kClosed || work.family->dropped()) return;
  work.compaction_error = status;
  if (status.code() != StatusCode::kCorruption) return;
  for (const auto& [level, table] : tables_of(plan, *work.family->view()->version())) {
    if (table->path() != status.file()) continue;
    work.damaged_tables.insert(table->meta().id);
    if (work.damage.ok()) work.damage = status;
    work.compaction_error = Status();
  }
  for (const std::uint64_t id : plan.emptied_values) {
    if (value_path(core_.directory, id) != status.file()) continue;
    work.damaged_values.insert(id);
    if (work.damage.ok()) work.damage = status;
    work.compaction_error = Status();
  }
}

Status Maintenance::run_plan(Work& work, const compaction::CompactionPlan& plan) {
  if (Status status = settle_manifest(); !status.ok()) return status;
  FamilyState& family = *work.family;
  // The inputs stay in every version until this plan replaces them.
  const std::shared_ptr<const Version> version = family.pin()->version();
  const PlanTables inputs = tables_of(plan, *version);
  const auto output_level = static_cast<std::uint32_t>(plan.output_level);
  VersionEdit edit;
  VersionChange change;
  for (const auto& [level, table] : inputs) {
    edit.tables_removed.push_back({family.id(), static_cast<std::uint32_t>(level), table->meta().id});
    change.removed.push_back(table->meta().id);
    if (!plan.trivial_move) continue;
    edit.tables_added.push_back({family.id(), output_level, table->meta()});
    change.added.push_back({plan.output_level, table});
  }
  if (plan.trivial_move) {
    core_.counters.trivial_moves.fetch_add(1, std::memory_order_relaxed);
    return install_compaction(work, std::move(edit), change, {}, {});
  }
  auto outcome = merge(family, plan, inputs);
  if (!outcome.ok()) return outcome.status();
  const NewFiles new_files =
      adopt_outputs(family, plan.output_level, outcome->tables, outcome->values.files, edit, change);
  std::vector<std::shared_ptr<TableFile>> replaced;
  for (const auto& [level, table] : inputs) replaced.push_back(table);
  if (FIRN_PLANTED_BUG(tables_deleted_before_edit)) {
    for (const auto& table : replaced) static_cast<void>(core_.files.remove(table->path()));
  }
  if (FIRN_PLANTED_BUG(values_deleted_early)) {
    for (const std::uint64_t id : plan.emptied_values) {
      static_cast<void>(core_.files.remove(value_path(core_.directory, id)));
    }
  }
  // Not left to the first reader, where there are readers: mapping a table takes some milliseconds.
  const bool read = std::any_of(replaced.begin(), replaced.end(), [](const auto& t) { return t->opened() != nullptr; });
  for (const auto& [level, table] : change.added) {
    if (read && core_.store->has_room_to_map(table->meta().file_bytes)) static_cast<void>(table->open_whole());
  }
  Status status = install_compaction(work, std::move(edit), change, new_files, replaced);
  if (!status.ok()) return status;
  for (const auto& table : replaced) table->mark_obsolete();
  return {};
}

Status Maintenance::install_compaction(Work& work, VersionEdit edit, const VersionChange& change,
                                       const NewFiles& new_files,
                                       const std::vector<std::shared_ptr<TableFile>>& replaced) {
  FamilyState& family = *work.family;
  std::vector<const ReadView*> retired;
  {
    MutexLock turn(manifest_mutex_);
    if (family.dropped()) {
      abandon(change, new_files);
      return unknown_family(Family{family.id()});
    }
    if (Status status = record(std::move(edit), new_files.paths); !status.ok()) return status;
    retire_values(family, replaced);
    MutexLock lock(mutex_);
    const ReadView& now = *family.view();
    install(work, new ReadView(now.active(), now.immutables(), next_version(*now.version(), change)), retired);
  }
  for (const ReadView* view : retired) retire_view(view);
  return {};
}

Status Maintenance::compact_range(FamilyState& family, Slice from, Slice to) {
  compaction::RangeCompaction range;
  if (!from.empty()) range.from = std::string(from);
  if (!to.empty()) range.to = std::string(to);
  MutexLock lock(mutex_);
  Work& work = work_of(family);
  for (;;) {
    if (stopping_) return closed_status();
    if (family.dropped()) return unknown_family(Family{family.id()});
    compaction::RangeStep step = compaction::pick_range(shape_of(work, *family.view()->version()), range);
    if (step.kind == compaction::RangeStep::Kind::kDone) return {};
    if (step.kind == compaction::RangeStep::Kind::kBlocked) {
      // By a job that is running, or for good by a damaged table.
      if (work.running.empty()) return work.damage;
      changed_.wait(mutex_);
      continue;
    }
    begin(work, step.plan);
    lock.unlock();
    Status status = run_plan(work, step.plan);
    lock.lock();
    finish(work, step.plan, status);
    reconsider(work);
    if (!status.ok()) return status;
    range = std::move(step.next);
  }
}

}  // namespace firn::lsm
