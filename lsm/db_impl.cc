#include "lsm/db_impl.h"

#include <map>
#include <new>
#include <utility>

#include "lsm/db_iterator.h"
#include "lsm/limits.h"
#include "lsm/reader.h"
#include "platform/epoch.h"
#include "platform/planted_bug.h"
#include "wal/replay.h"

namespace firn::lsm {

DbImpl::DbImpl(const std::string& path, const Options& options) : core_(path, options), gate_(*core_.platform.clock) {}

DbImpl::~DbImpl() {
  // An error of this close has nobody to go to; close() before destruction reports it.
  static_cast<void>(close());
}

Status DbImpl::close() noexcept {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return {};
  committer_->close();
  Status status;
  if (!core_.options.read_only) {
    maintenance_->stop();
    // Who rotates a memtable meanwhile finds it under the same lock.
    committer_->exclusively([this] { core_.executor = core_.log_executor = nullptr; });
    core_.store->remove_in_background(nullptr);
    core_.chunks->make_ahead_by(nullptr);
    executor_.reset();
    log_executor_.reset();
    status = finish_writes();
  }
  let_go_of_tables();
  lock_.reset();
  return status;
}

// What readers still hold stays; everything else goes.
void DbImpl::let_go_of_tables() {
  for (FamilyState* family : core_.families.live()) {
    auto memtable = std::make_shared<MemTable>(core_.sizes.memtable_bytes);
    family->set_writer_memtable(memtable.get());
    retire_view(family->install(new ReadView(std::move(memtable), {}, std::make_shared<const Version>())));
  }
  epoch_drain();
  core_.chunks->keep(0);
  core_.store->forget_files();
}

Status DbImpl::finish_writes() {
  committer_->rotate_all();
  if (Status status = maintenance_->flush_together(log_->all_segments(), true); !status.ok()) {
    // What is in the log only must at least be on the device.
    static_cast<void>(log_->sync());
    return status;
  }
  log_->mark_durable(visible_sequence());
  return maintenance_->vouch_for_close();
}

Status DbImpl::resume() noexcept {
  if (Status status = ready_to_change(); !status.ok()) return status;
  if (Status status = end_log_failure(true); !status.ok()) return status;
  return maintenance_->retry();
}

// No write is accepted while the log is failed: what is in memory now is all there is.
Status DbImpl::end_log_failure(bool wait) {
  MutexLock turn(resume_mutex_);
  if (!log_->failed()) return {};
  // Before the memtables are rotated: that would begin flushes of their own.
  if (!maintenance_->hold_flushes(wait)) return Status(StatusCode::kBusy, "a flush is running");
  committer_->rotate_all();
  Status status = maintenance_->flush_together(log_->all_segments(), false);
  if (status.ok()) {
    log_->mark_durable(visible_sequence());
    committer_->exclusively([this] { log_->restart(); });
  }
  maintenance_->let_flushes_go();
  return status;
}

// A log that only lacked space goes on by itself when there is some.
void DbImpl::log_failed(const Status& failure) {
  Executor* const executor = core_.executor;  // None while opening and closing.
  if (failure.code() != StatusCode::kNoSpace || closed_.load(std::memory_order_acquire) || executor == nullptr) return;
  executor->submit_after(Maintenance::kRetryNs, [this, failure] {
    // A task must not wait for another one.
    const bool closed = closed_.load(std::memory_order_acquire);
    if (!closed && !end_log_failure(false).ok()) log_failed(failure);
  });
}

Status DbImpl::ready_to_change() const {
  if (Status status = ready(); !status.ok()) return status;
  return core_.options.read_only ? read_only_status() : Status();
}

Result<FamilyState*> DbImpl::find(Family family) const {
  if (Status status = ready(); !status.ok()) return status;
  return core_.families.find_or_error(family);
}

Status DbImpl::check(const Snapshot& snapshot) const {
  if (snapshot.database() == core_.snapshots.get()) return {};
  return Status(StatusCode::kInvalidArgument,
                "the snapshot belongs to another database: read it with the one that made it");
}

Result<DbImpl::Moment> DbImpl::moment(Family family, const Snapshot* snapshot) const {
  if (Status status = ready(); !status.ok()) return status;
  const FamilyState* state = core_.families.find(family.id);
  if (snapshot == nullptr) {
    if (state == nullptr) return unknown_family(family);
    std::optional<Sequence> at;
    ViewRef view = state->pin_moment(core_.visible_sequence, at);
    return Moment{std::move(view), *at};
  }
  if (Status status = check(*snapshot); !status.ok()) return status;
  const Sequence at = snapshot->sequence();
  if (state != nullptr) {
    ViewRef view = state->pin();
    // The view of a dropped family is empty, which is not what a snapshot made before is to see.
    if (!state->dropped()) return Moment{std::move(view), at};
  }
  ViewRef view = core_.snapshots->dropped_view(family, at);
  if (!view) return unknown_family(family);
  return Moment{std::move(view), at};
}

Result<Sequence> DbImpl::write(const WriteBatch& batch, const WriteOptions& options) noexcept {
  if (Status status = ready(); !status.ok()) return status;
  if (!batch.status().ok()) return batch.status();
  if (batch.empty()) return visible_sequence();
  return committer_->write(batch, durability(options));
}

Result<Sequence> DbImpl::put(Family family, Slice key, Slice value, const WriteOptions& options) noexcept {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  if (Status status = check_key(key); !status.ok()) return status;
  if (Status status = check_value(value); !status.ok()) return status;
  return committer_->write(BatchOperation{EntryKind::kPut, family.id, key, value}, durability(options));
}

Result<Sequence> DbImpl::erase(Family family, Slice key, const WriteOptions& options) noexcept {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  if (Status status = check_key(key); !status.ok()) return status;
  return committer_->write(BatchOperation{EntryKind::kTombstone, family.id, key, {}}, durability(options));
}

Status DbImpl::sync() noexcept {
  if (Status status = ready_to_change(); !status.ok()) return status;
  return committer_->sync();
}

Sequence DbImpl::durable_sequence() const {
  return FIRN_PLANTED_BUG(durable_sequence_too_high) ? visible_sequence() : log_->durable_sequence();
}

Sequence DbImpl::visible_sequence() const { return core_.visible_sequence.load(std::memory_order_acquire); }

Result<PinnedValue> DbImpl::get_pinned(Family family, Slice key, const ReadOptions& options) try {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  if (Status status = check_key(key); !status.ok()) return status;
  if (options.snapshot != nullptr) return get_at(family, key, *options.snapshot);
  const FamilyState* state = core_.families.find(family.id);
  if (state == nullptr) return unknown_family(family);
  return lsm::get(core_, *state, key, std::nullopt);
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

Result<PinnedValue> DbImpl::get_at(Family family, Slice key, const Snapshot& snapshot) {
  if (Status status = check(snapshot); !status.ok()) return status;
  if (const FamilyState* state = core_.families.find(family.id)) {
    auto result = lsm::get(core_, *state, key, snapshot.sequence());
    if (!state->dropped()) return result;
  }
  const ViewRef view = core_.snapshots->dropped_view(family, snapshot.sequence());
  if (!view) return unknown_family(family);
  return lsm::get(core_, *view, key, snapshot.sequence());
}

std::vector<Result<PinnedValue>> DbImpl::multi_get(Family family, std::span<const Slice> keys,
                                                   const ReadOptions& options) {
  const auto now = moment(family, options.snapshot);
  std::vector<Result<PinnedValue>> results;
  if (now.ok()) {
    results = lsm::multi_get(core_, *now->view, keys, now->at);
  } else {
    for (std::size_t i = 0; i < keys.size(); ++i) results.emplace_back(now.status());
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (now.ok() && keys[i].size() > kKeyBytesMax) results[i] = check_key(keys[i]);
  }
  return results;
}

Iterator DbImpl::iterator(Family family, const IteratorOptions& options) try {
  auto now = moment(family, options.snapshot);
  if (!now.ok()) return Iterator(std::make_unique<FailedIterator>(now.status()));
  if (now->view->version()->reads().asks_now()) [[unlikely]] {
    if (const FamilyState* state = core_.families.find(family.id)) maintenance_->hear_reads(*state);
  }
  return Iterator(DbIterator::make(std::move(now->view), now->at, options));
} catch (const std::bad_alloc&) {
  return Iterator(nullptr);
}

Snapshot DbImpl::snapshot() {
  SnapshotList::Held held = core_.snapshots->hold(core_.visible_sequence);
  return {core_.snapshots.get(), held.sequence, std::move(held.hold)};
}

Result<Family> DbImpl::create_family(const std::string& name, const FamilyOptions& options) noexcept {
  if (Status status = ready_to_change(); !status.ok()) return status;
  if (Status status = check_family_name(name); !status.ok()) return status;
  if (Status status = options.validate(); !status.ok()) return status;
  // The log first: what was written before must not be lost where the new family is not (contract A4).
  if (FIRN_PLANTED_BUG(create_before_log)) return maintenance_->create_family(name, options);
  if (Status status = committer_->sync(); !status.ok()) return status;
  return maintenance_->create_family(name, options);
}

Status DbImpl::drop_family(Family family) noexcept {
  if (Status status = ready_to_change(); !status.ok()) return status;
  if (family == kDefaultFamily) {
    return Status(StatusCode::kInvalidArgument, "the family 'default' cannot be dropped");
  }
  auto state = core_.families.find_or_error(family);
  if (!state.ok()) return state.status();
  if (Status status = committer_->sync(); !status.ok()) return status;
  return committer_->exclusively([&] { return maintenance_->drop_family(**state); });
}

std::vector<FamilyInfo> DbImpl::families() const {
  std::vector<FamilyInfo> infos;
  for (const FamilyState* family : core_.families.live()) infos.push_back({Family{family->id()}, family->name()});
  return infos;
}

Result<Family> DbImpl::family(const std::string& name) const try {
  if (Status status = ready(); !status.ok()) return status;
  if (const FamilyState* family = core_.families.find_by_name(name)) return Family{family->id()};
  return Status(StatusCode::kNotFound, "there is no family '" + name + "'");
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

Result<FamilyState*> DbImpl::flush_memtables(Family family) {
  if (Status status = ready_to_change(); !status.ok()) return status;
  auto state = core_.families.find_or_error(family);
  if (!state.ok()) return state;
  committer_->rotate(**state);
  if (Status status = maintenance_->wait_flushed(**state); !status.ok()) return status;
  return state;
}

Status DbImpl::flush(Family family) noexcept {
  const auto state = flush_memtables(family);
  if (!state.ok()) return state.status();
  maintenance_->note_rest(**state);
  return {};
}

Status DbImpl::compact_range(Family family, Slice from, Slice to) noexcept {
  const auto state = flush_memtables(family);
  if (!state.ok()) return state.status();
  Status status = maintenance_->compact_range(**state, from, to);
  wait_removed();
  return status;
}

// A view that was replaced, and with it the last reference to a file, may still wait for a guard that has long left.
void DbImpl::wait_removed() {
  epoch_drain();
  core_.store->wait_removed();
}

Status DbImpl::wait_idle() {
  if (Status status = ready(); !status.ok()) return status;
  if (core_.options.read_only) return {};
  Status status = maintenance_->wait_idle();
  wait_removed();
  return status;
}

Status DbImpl::verify() try {
  if (Status status = ready(); !status.ok()) return status;
  for (const FamilyState* family : core_.families.live()) {
    const std::shared_ptr<const Version> version = family->pin()->version();
    std::map<std::uint64_t, const ValueHolder*> value_files;
    for (int level = 0; level < kLevelCount; ++level) {
      for (const auto& file : version->level(level)) {
        for (const auto& values : file->values()) value_files.emplace(values->meta().id, values.get());
        auto table = file->open_whole();
        if (!table.ok()) return table.status();
        if (Status status = (*table)->verify([](const TableDamage&) {}); !status.ok()) return status;
      }
    }
    for (const auto& [id, values] : value_files) {
      Status status = verify_value_file(core_.files, values->path(), values->meta(), {});
      if (!status.ok()) return status;
    }
  }
  Status status = maintenance_->verify_metadata();
  if (status.code() != StatusCode::kCorruption || core_.options.read_only) return status;
  // A log that grows while it is read piece by piece may seem to have gaps: once more, while nothing is written.
  return committer_->exclusively([this] { return maintenance_->verify_metadata(); });
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

Health DbImpl::health() const {
  if (Status status = ready(); !status.ok()) return {ErrorLevel::kHard, std::move(status)};
  if (log_->failed()) return {ErrorLevel::kHard, log_->failure()};
  return maintenance_->health();
}

Statistics DbImpl::statistics() const {
  const Counters& counters = core_.counters;
  const auto value = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  const BlockCache::Counts cache = core_.store->cache().counts();
  Statistics statistics;
  statistics.writes = value(counters.writes);
  statistics.entries_written = value(counters.entries_written);
  statistics.user_bytes_written = value(counters.user_bytes_written);
  statistics.log_bytes_written = value(counters.log_bytes_written);
  statistics.log_syncs = value(counters.log_syncs);
  statistics.write_delay_ns = value(counters.write_delay_ns);
  statistics.write_stops = value(counters.write_stops);
  statistics.gets = counters.gets.value();
  statistics.filter_skips = counters.filter_skips.value();
  statistics.cache_hits = cache.hits;
  statistics.cache_misses = cache.misses;
  statistics.flushes = value(counters.flushes);
  statistics.flush_bytes_written = value(counters.flush_bytes_written);
  statistics.compactions = value(counters.compactions);
  statistics.trivial_moves = value(counters.trivial_moves);
  statistics.compaction_bytes_read = value(counters.compaction_bytes_read);
  statistics.compaction_bytes_written = value(counters.compaction_bytes_written);
  statistics.value_bytes_moved = value(counters.value_bytes_moved);
  return statistics;
}

Result<FamilyProperties> DbImpl::properties(Family family) const try {
  auto state = find(family);
  if (!state.ok()) return state.status();
  return maintenance_->properties(**state);
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

}  // namespace firn::lsm
