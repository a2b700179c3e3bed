#include "lsm/log_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lsm/replay_run.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// Small enough that gathering one and writing others takes no more memory than memtables do while writes go on.
std::uint64_t run_bytes(const Core& core) { return core.sizes.memtable_bytes / 2; }

// This thread works too.
std::uint32_t writers_max(const Core& core) { return std::max(core.options.background_threads, 2U) - 1; }

}  // namespace

struct LogTables::Run {
  Run(FamilyState& of, std::uint64_t bytes) : family(of), entries(std::in_place, bytes) {}

  FamilyState& family;
  std::optional<ReplayRun> entries;  // Until they are in tables.
  NewTables written;                 // Nothing after an error.
};

LogTables::LogTables(Core& core, Maintenance& maintenance, Executor& executor)
    : core_(core), maintenance_(maintenance), executor_(executor), made_after_(maintenance.mark_names()) {}

LogTables::~LogTables() {
  static_cast<void>(wait());
  if (!handed_on_) maintenance_.remove_tables(result());
}

Status LogTables::add(FamilyState& family, Sequence sequence, const BatchOperation& op) {
  auto gathered = gathering_.find(family.id());
  if (gathered == gathering_.end()) {
    gathered = gathering_.emplace(family.id(), std::make_unique<Run>(family, run_bytes(core_))).first;
  }
  ReplayRun& entries = *gathered->second->entries;
  const std::uint64_t before = entries.memory_bytes();
  if (Status status = entries.add(sequence, op.kind, op.key, op.value); !status.ok()) return status;
  gathered_bytes_ += entries.memory_bytes() - before;
  if (entries.memory_bytes() >= run_bytes(core_)) return hand_over(gathered);
  if (gathered_bytes_ < core_.sizes.memtable_bytes) return {};
  // Many families: the one that frees most.
  return hand_over(std::max_element(gathering_.begin(), gathering_.end(), [](const auto& a, const auto& b) {
    return a.second->entries->memory_bytes() < b.second->entries->memory_bytes();
  }));
}

// Background threads that are all busy are not waited for.
Status LogTables::hand_over(Gathering::iterator gathered) {
  Run& run = take(gathered);
  {
    MutexLock lock(mutex_);
    if (!failure_.ok()) return failure_;
    if (writing_ < writers_max(core_)) {
      ++writing_;
      executor_.submit(TaskPriority::kHigh, [this, &run] {
        write(run);
        MutexLock done(mutex_);
        --writing_;
        written_.notify_all();
      });
      return {};
    }
  }
  write(run);
  MutexLock lock(mutex_);
  return failure_;
}

LogTables::Run& LogTables::take(Gathering::iterator gathered) {
  gathered_bytes_ -= gathered->second->entries->memory_bytes();
  taken_.push_back(std::move(gathered->second));
  gathering_.erase(gathered);
  return *taken_.back();
}

void LogTables::write(Run& run) {
  auto cursor = run.entries->sort();
  Status status = cursor.status();
  if (status.ok()) {
    auto outcome = maintenance_.write_tables(run.family, std::move(cursor).value(), run.entries->entries());
    status = outcome.status();
    if (status.ok()) run.written.add(outcome->tables, outcome->values.files, run.entries->largest_sequence());
  }
  run.entries.reset();
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
}

Status LogTables::wait() {
  MutexLock lock(mutex_);
  while (writing_ != 0) written_.wait(mutex_);
  return failure_;
}

Status LogTables::finish(const std::vector<std::uint64_t>& ended_segments) {
  while (gathering_.size() > 1) {
    if (Status status = hand_over(gathering_.begin()); !status.ok()) return status;
  }
  // Nothing else is left to do for this thread; most logs need no other.
  if (!gathering_.empty()) write(take(gathering_.begin()));
  if (Status status = wait(); !status.ok()) return status;
  handed_on_ = true;
  std::vector<NewTables> tables = result();
  while (FIRN_PLANTED_BUG(recovery_in_parts) && tables.size() > 1) {
    if (Status status = maintenance_.install_together({tables.back()}, made_after_, {}, false); !status.ok()) {
      return status;
    }
    tables.pop_back();
  }
  return maintenance_.install_together(tables, made_after_, ended_segments, false);
}

std::vector<LogTables::NewTables> LogTables::result() const {
  std::map<std::uint32_t, NewTables> families;
  for (const auto& run : taken_) {
    NewTables& of = families[run->family.id()];
    of.family = &run->family;
    of.add(run->written.tables, run->written.values, run->written.flushed);
  }
  std::vector<NewTables> all;
  for (auto& [id, tables] : families) all.push_back(std::move(tables));
  return all;
}

}  // namespace firn::lsm
