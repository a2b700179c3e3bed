#include "lsm/maintenance.h"

#include <algorithm>
#include <map>
#include <utility>

#include "platform/assert.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// Writers begin to be slowed at half of these (compaction/pacing.h).
constexpr std::uint64_t kL0TablesMaxFactor = 5;   // Times the L0 tables that start a compaction.
constexpr std::uint64_t kDebtMemtablesMax = 256;  // In memtables' worth of bytes.
// Merges stand aside for flushes up to this part of these.
constexpr std::uint64_t kMergesPressPart = 3;

std::uint64_t immutable_bytes(const ReadView& view) {
  std::uint64_t bytes = 0;
  for (const auto& memtable : view.immutables()) bytes += memtable->memory_bytes();
  return bytes;
}

void add_value_files(const TableFile& table, std::map<std::uint64_t, ValueFileInfo>& files) {
  for (std::size_t i = 0; i < table.values().size(); ++i) {
    const ValueHolder& values = *table.values()[i];
    const ValueMeta& meta = values.meta();
    ValueFileInfo& info = files[meta.id];
    if (info.id == 0) info = {meta.id, values.path(), meta.file_bytes, meta.records, 0};
    info.live_bytes += table.meta().values[i].bytes;
  }
}

}  // namespace

Maintenance::Maintenance(Core& core, std::unique_ptr<Manifest> manifest, WriteGate& gate)
    : core_(core), gate_(gate), manifest_(std::move(manifest)) {}

Maintenance::~Maintenance() = default;

Maintenance::Work& Maintenance::work_of(const FamilyState& family) { return *works_.at(family.id()); }

const Maintenance::Work& Maintenance::work_of(const FamilyState& family) const { return *works_.at(family.id()); }

void Maintenance::adopt_family(std::uint32_t id, const FamilyRecord& record) {
  auto family = std::make_unique<FamilyState>(id, record.name, record.options);
  VersionChange change;
  std::vector<std::shared_ptr<ValueHolder>> values;  // Until the tables hold them.
  for (const auto& [value_id, live] : record.values) values.push_back(core_.store->values(live.meta));
  for (int level = 0; level < kLevelCount; ++level) {
    for (const auto& [table_id, meta] : record.levels[static_cast<std::size_t>(level)]) {
      change.added.push_back({level, std::make_shared<TableFile>(core_.store, meta)});
    }
  }
  auto work = std::make_unique<Work>();
  work->family = family.get();
  std::shared_ptr<MemTable> memtable = make_memtable(*work);
  family->set_writer_memtable(memtable.get());
  const ReadView* none = family->install(new ReadView(std::move(memtable), {}, next_version(Version(), change)));
  FIRN_ASSERT(none == nullptr);
  {
    MutexLock lock(mutex_);
    works_.emplace(id, std::move(work));
  }
  core_.families.add(std::move(family));
}

Result<Family> Maintenance::create_family(const std::string& name, const FamilyOptions& options) {
  MutexLock turn(manifest_mutex_);
  if (core_.families.find_by_name(name) != nullptr) {
    return Status(StatusCode::kInvalidArgument, "family '" + name + "' exists already");
  }
  const std::uint32_t id = manifest_->state().next_family_id;
  VersionEdit edit;
  edit.families_created.push_back({id, name, options});
  edit.next_family_id = id + 1;
  if (Status status = record(std::move(edit)); !status.ok()) return status;
  adopt_family(id, manifest_->state().families.at(id));
  return Family{id};
}

Status Maintenance::drop_family(FamilyState& family) {
  std::vector<const ReadView*> retired;
  {
    MutexLock turn(manifest_mutex_);
    if (family.dropped()) return unknown_family(Family{family.id()});
    VersionEdit edit;
    edit.families_dropped.push_back(family.id());
    Status status = FIRN_PLANTED_BUG(drop_not_logged) ? Status() : record(std::move(edit));
    if (!status.ok()) {
      // If nobody knows whether the family is there, nothing may be written to it.
      const bool certain = record({}).ok();
      if (!certain && log_ != nullptr) log_->stop(status);
      return status;
    }
    core_.snapshots->drop(family);
    MutexLock lock(mutex_);
    const Version& version = *family.view()->version();
    for (int level = 0; level < kLevelCount; ++level) {
      for (const auto& table : version.level(level)) table->mark_obsolete();
      retire_values(family, version.level(level));
    }
    std::shared_ptr<MemTable> empty = make_memtable(work_of(family));
    family.set_writer_memtable(empty.get());
    install(work_of(family), new ReadView(std::move(empty), {}, std::make_shared<const Version>()), retired);
    set_pace();
    changed_.notify_all();
  }
  for (const ReadView* view : retired) retire_view(view);
  // Segments that stay after an error go with the next ones.
  static_cast<void>(release_log());
  return {};
}

void Maintenance::install(Work& work, const ReadView* view, std::vector<const ReadView*>& retired) {
  retired.push_back(work.family->install(view));
  retired.insert(retired.end(), rotated_views_.begin(), rotated_views_.end());
  rotated_views_.clear();
}

FamilyState* Maintenance::fullest_family() const {
  FamilyState* fullest = nullptr;
  std::uint64_t bytes = 0;
  for (FamilyState* family : core_.families.live()) {
    const MemTable& memtable = *family->writer_memtable();
    if (memtable.empty() || memtable.memory_bytes() <= bytes) continue;
    fullest = family;
    bytes = memtable.memory_bytes();
  }
  return fullest;
}

bool Maintenance::others_unflushed(const FamilyState& family) const {
  const auto& live = core_.families.live();
  return std::any_of(live.begin(), live.end(),
                     [&](const FamilyState* other) { return other != &family && !other->writer_memtable()->empty(); });
}

FamilyState* Maintenance::oldest_family() const {
  FamilyState* oldest = nullptr;
  Sequence sequence = kSequenceMax;
  for (FamilyState* family : core_.families.live()) {
    const MemTable& memtable = *family->writer_memtable();
    if (memtable.empty() || memtable.smallest_sequence() >= sequence) continue;
    oldest = family;
    sequence = memtable.smallest_sequence();
  }
  return oldest;
}

compaction::FamilyShape Maintenance::shape_of(const Work& work, const Version& version) const {
  compaction::FamilyShape shape;
  std::map<std::uint64_t, std::uint64_t> values;  // Their bytes.
  for (int level = 0; level < kLevelCount; ++level) {
    auto& tables = shape.levels[static_cast<std::size_t>(level)];
    for (const auto& table : version.level(level)) {
      const std::uint64_t id = table->meta().id;
      tables.push_back({&table->meta(), work.busy_tables.contains(id) || work.damaged_tables.contains(id)});
      for (const auto& held : table->values()) values.emplace(held->meta().id, held->meta().record_bytes);
    }
  }
  if (!values.empty()) shape.value_garbage_percent = work.family->options().value_garbage_percent;
  for (const auto& [id, bytes] : values) shape.values.push_back({id, bytes, work.damaged_values.contains(id)});
  shape.running = work.running;
  shape.compression = core_.compression_of(*work.family);
  const std::vector<Sequence> snapshots = core_.snapshots->sequences();
  if (!snapshots.empty()) shape.oldest_snapshot = snapshots.front();
  // What they ask for is no reason to use up the last of the space.
  shape.reads_ask = version.reads().asks() && space_.ok();
  const ReadView& view = *work.family->view();
  shape.written_since = work.written_since;
  shape.at_rest = work.writers_ended && view.active()->empty() && view.immutables().empty() && space_.ok();
  shape.limits = {core_.sizes.memtable_bytes, core_.sizes.table_bytes, core_.sizes.level_ratio, core_.sizes.l0_tables};
  return shape;
}

void Maintenance::reconsider(Work& work) {
  const Version& version = *work.family->view()->version();
  const compaction::FamilyShape shape = shape_of(work, version);
  work.debt_bytes = compaction::compaction_debt_bytes(shape);
  work.l0_tables = static_cast<std::uint64_t>(compaction::l0_tables(shape, true));
  if (const std::uint64_t due = compaction::reads_due_bytes(shape); due != compaction::kReadsNeverDue) {
    const Compression codec = core_.compression_of(*work.family)[0];
    version.reads().set_due(due / block_bytes_for(core_.options, core_.sizes, codec));
  }
  if (!work.queued && !work.family->dropped()) {
    work.queued = true;
    compaction_queue_.push_back(&work);
  }
  submit_flush(work);
  schedule_compactions();
  set_pace();
  changed_.notify_all();
}

void Maintenance::set_pace() {
  compaction::PacingInput input;
  input.l0_tables.limit = kL0TablesMaxFactor * core_.sizes.l0_tables;
  input.debt_bytes.limit = kDebtMemtablesMax * core_.sizes.memtable_bytes;
  std::size_t filling = 0;
  bool full_memtable = false;
  Status trouble;
  Status full = space_;
  for (const auto& [id, work] : works_) {
    if (work->family->dropped()) continue;
    const ReadView& view = *work->family->view();
    input.memtable_bytes.used += immutable_bytes(view) + (view.active()->empty() ? 0 : view.active()->memory_bytes());
    filling += view.active()->empty() ? 0 : 1;
    full_memtable |= !view.immutables().empty();
    input.l0_tables.used = std::max(input.l0_tables.used, work->l0_tables);
    input.debt_bytes.used += work->debt_bytes;
    if (!work->flush_error.ok()) trouble = work->flush_error;
    if (work->flush_error.code() == StatusCode::kNoSpace) full = work->flush_error;
  }
  input.flush_runnable = executor_ != nullptr && !stopping_ && full_memtable;
  input.memtable_bytes.limit = memtable_budget_bytes(core_.sizes, filling > 1);
  input.flush_bytes_per_second = flush_bytes_per_second_;
  input.compaction_bytes_per_second = compaction_bytes_per_second_;
  // Without a full memtable no flush is awaited.
  if (!full_memtable) input.memtable_bytes.used = 0;
  const auto presses = [](const compaction::PacingStore& store) {
    return kMergesPressPart * store.used >= store.limit;
  };
  merges_press_ = presses(input.l0_tables) || presses(input.debt_bytes);
  gate_.set(compaction::pace(input), trouble, full);
}

void Maintenance::renew_pace() {
  if (!mutex_.try_lock()) return;
  set_pace();
  mutex_.unlock();
}

bool Maintenance::idle() const {
  if (flushes_running_ != 0 || compactions_running_ != 0 || !compaction_queue_.empty()) return false;
  return std::all_of(works_.begin(), works_.end(), [](const auto& item) {
    const Work& work = *item.second;
    return work.family->dropped() || (work.running.empty() && work.family->view()->immutables().empty());
  });
}

Status Maintenance::wait_flushed(FamilyState& family) {
  MutexLock lock(mutex_);
  Work& work = work_of(family);
  while (!family.dropped() && !family.view()->immutables().empty()) {
    if (stopping_) return closed_status();
    if (!work.flush_error.ok() && !work.flushing) return work.flush_error;
    changed_.wait(mutex_);
  }
  return {};
}

void Maintenance::note_rest(FamilyState& family) {
  MutexLock lock(mutex_);
  Work& work = work_of(family);
  if (!stopping_ && !family.dropped() && !std::exchange(work.writers_ended, true)) reconsider(work);
}

Status Maintenance::wait_idle() {
  MutexLock lock(mutex_);
  while (!idle()) {
    if (stopping_) return closed_status();
    for (const auto& [id, work] : works_) {
      if (!work->flush_error.ok() && !work->flushing) return work->flush_error;
    }
    changed_.wait(mutex_);
  }
  return trouble();
}

void Maintenance::hear_reads(const FamilyState& family) {
  MutexLock lock(mutex_);
  if (!stopping_) reconsider(work_of(family));
}

Status Maintenance::retry() {
  if (Status status = settle_manifest(); !status.ok()) return status;
  watch_space();
  std::vector<FamilyState*> families;
  {
    MutexLock lock(mutex_);
    for (auto& [id, work] : works_) {
      if (!work->flushing) work->flush_error = Status();
      reconsider(*work);
      families.push_back(work->family);
    }
  }
  for (FamilyState* family : families) {
    if (Status status = wait_flushed(*family); !status.ok()) return status;
  }
  return gate_.refusal();
}

void Maintenance::start(Executor& executor) {
  {
    MutexLock lock(mutex_);
    executor_ = &executor;
    for (auto& [id, work] : works_) reconsider(*work);
  }
  watch_space();
}

void Maintenance::stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  compaction_queue_.clear();
  gate_.open_for_good();
  changed_.notify_all();
  const auto running = [this] {
    if (flushes_running_ != 0 || compactions_running_ != 0) return true;
    return std::any_of(works_.begin(), works_.end(), [](const auto& item) { return !item.second->running.empty(); });
  };
  while (running()) changed_.wait(mutex_);
}

std::uint64_t Maintenance::rate(std::uint64_t bytes, std::uint64_t start_ns) const {
  const std::uint64_t elapsed_ns = std::max<std::uint64_t>(core_.platform.clock->monotonic_ns() - start_ns, 1);
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(elapsed_ns));
}

Status Maintenance::vouch_for_close() {
  MutexLock turn(manifest_mutex_);
  return manifest_->vouch();
}

Health Maintenance::health() const {
  if (Status refusal = gate_.refusal(); !refusal.ok()) return {ErrorLevel::kHard, std::move(refusal)};
  MutexLock lock(mutex_);
  Status status = trouble();
  return {status.ok() ? ErrorLevel::kNone : ErrorLevel::kSoft, std::move(status)};
}

// mutex_ held. The most pressing first.
Status Maintenance::trouble() const {
  for (const Status Work::*error : {&Work::flush_error, &Work::compaction_error, &Work::damage}) {
    for (const auto& [id, work] : works_) {
      if (!work->family->dropped() && !((*work).*error).ok()) return (*work).*error;
    }
    if (error == &Work::flush_error && !manifest_error_.ok()) return manifest_error_;
  }
  return {};
}

FamilyProperties Maintenance::properties(const FamilyState& family) const {
  MutexLock lock(mutex_);
  const ReadView& view = *family.view();
  const Work& work = work_of(family);
  const compaction::LevelTargets targets = compaction::level_targets(shape_of(work, *view.version()));
  FamilyProperties properties;
  std::map<std::uint64_t, ValueFileInfo> value_files;
  for (int level = 0; level < kLevelCount; ++level) {
    const auto index = static_cast<std::size_t>(level);
    LevelInfo& info = properties.levels[index];
    info.target_bytes = targets.bytes[index];
    for (const auto& table : view.version()->level(level)) {
      const TableMeta& meta = table->meta();
      ++info.tables;
      info.bytes += meta.file_bytes;
      info.entries += meta.entries;
      info.tombstones += meta.tombstones;
      add_value_files(*table, value_files);
      properties.tables.push_back({level, meta.id, table->path(), meta.file_bytes, meta.entries, meta.tombstones,
                                   meta.smallest_key, meta.largest_key, meta.smallest_sequence, meta.largest_sequence});
    }
  }
  for (auto& [id, info] : value_files) properties.value_files.push_back(std::move(info));
  properties.memtable_bytes = view.active()->memory_bytes();
  properties.memtable_entries = view.active()->entries();
  properties.immutable_memtables = static_cast<std::uint32_t>(view.immutables().size());
  properties.immutable_memtable_bytes = immutable_bytes(view);
  properties.compaction_debt_bytes = work.debt_bytes;
  return properties;
}

}  // namespace firn::lsm
