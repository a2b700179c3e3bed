#include "lsm/db_impl.h"

#include <utility>

#include "lsm/db_iterator.h"
#include "lsm/limits.h"
#include "lsm/reader.h"
#include "platform/epoch.h"
#include "wal/replay.h"

namespace firn::lsm {

DbImpl::DbImpl(const std::string& path, const Options& options)
    : core_(path, options), gate_(*core_.platform.clock) {}

DbImpl::~DbImpl() {
  // An error of this close has nobody to go to; close() before destruction reports it.
  static_cast<void>(close());
}

Status DbImpl::close() {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return {};
  committer_->close();
  Status status;
  if (!core_.options.read_only) {
    maintenance_->stop();
    executor_.reset();
    status = finish_writes();
    epoch_drain();
  }
  core_.store->forget_files();
  lock_.reset();
  return status;
}

Status DbImpl::finish_writes() {
  committer_->rotate_all();
  if (Status status = maintenance_->flush_all(); !status.ok()) {
    // What is in the log only must at least be on the device.
    static_cast<void>(log_->sync());
    return status;
  }
  if (Status status = maintenance_->remove_segments(log_->release_all()); !status.ok()) return status;
  return maintenance_->close_clean(visible_sequence());
}

Status DbImpl::ready_to_change() const {
  if (Status status = ready(); !status.ok()) return status;
  return core_.options.read_only ? read_only_status() : Status();
}

Result<FamilyState*> DbImpl::find(Family family) const {
  if (Status status = ready(); !status.ok()) return status;
  return core_.families.find_or_error(family);
}

Result<std::optional<Sequence>> DbImpl::moment(const Snapshot* snapshot) const {
  if (snapshot == nullptr) return std::optional<Sequence>();
  if (snapshot->database() != core_.snapshots.get()) {
    return Status(StatusCode::kInvalidArgument, "the snapshot is of another database");
  }
  return std::optional<Sequence>(snapshot->sequence());
}

Result<Sequence> DbImpl::write(const WriteBatch& batch, const WriteOptions& options) {
  if (Status status = ready(); !status.ok()) return status;
  if (!batch.status().ok()) return batch.status();
  if (batch.empty()) return visible_sequence();
  return committer_->write(batch, durability(options));
}

Result<Sequence> DbImpl::put(Family family, Slice key, Slice value, const WriteOptions& options) {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  if (Status status = check_key(key); !status.ok()) return status;
  if (Status status = check_value(value); !status.ok()) return status;
  return committer_->write(BatchOperation{EntryKind::kPut, family.id, key, value}, durability(options));
}

Result<Sequence> DbImpl::erase(Family family, Slice key, const WriteOptions& options) {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  if (Status status = check_key(key); !status.ok()) return status;
  return committer_->write(BatchOperation{EntryKind::kTombstone, family.id, key, {}}, durability(options));
}

Status DbImpl::sync() {
  if (Status status = ready_to_change(); !status.ok()) return status;
  return committer_->sync();
}

Sequence DbImpl::durable_sequence() const { return log_->durable_sequence(); }

Sequence DbImpl::visible_sequence() const { return core_.visible_sequence.load(std::memory_order_acquire); }

Result<PinnedValue> DbImpl::get_pinned(Family family, Slice key, const ReadOptions& options) {
  if (closed_.load(std::memory_order_acquire)) return closed_status();
  const FamilyState* state = core_.families.find(family.id);
  if (state == nullptr) return unknown_family(family);
  if (options.snapshot == nullptr) return lsm::get(core_, *state, key, std::nullopt);
  auto at = moment(options.snapshot);
  if (!at.ok()) return at.status();
  return lsm::get(core_, *state, key, *at);
}

std::vector<Result<PinnedValue>> DbImpl::multi_get(Family family, std::span<const Slice> keys,
                                                   const ReadOptions& options) {
  auto state = find(family);
  auto at = moment(options.snapshot);
  if (state.ok() && at.ok()) return lsm::multi_get(core_, **state, keys, *at);
  const Status& error = state.ok() ? at.status() : state.status();
  std::vector<Result<PinnedValue>> results;
  for (std::size_t i = 0; i < keys.size(); ++i) results.emplace_back(error);
  return results;
}

Iterator DbImpl::iterator(Family family, const IteratorOptions& options) {
  auto state = find(family);
  if (!state.ok()) return Iterator(std::make_unique<FailedIterator>(state.status()));
  auto at = moment(options.snapshot);
  if (!at.ok()) return Iterator(std::make_unique<FailedIterator>(at.status()));
  ViewRef view = (*state)->pin_moment(core_.visible_sequence, *at);
  return Iterator(std::make_unique<DbIterator>(std::move(view), **at, options.lower, options.upper));
}

Snapshot DbImpl::snapshot() {
  SnapshotList::Held held = core_.snapshots->hold(core_.visible_sequence);
  return {core_.snapshots.get(), held.sequence, std::move(held.hold)};
}

Result<Family> DbImpl::create_family(const std::string& name, const FamilyOptions& options) {
  if (Status status = ready_to_change(); !status.ok()) return status;
  if (Status status = check_family_name(name); !status.ok()) return status;
  if (Status status = options.validate(); !status.ok()) return status;
  // The log first: what was written before must not be lost where the new family is not (contract A4).
  if (Status status = committer_->sync(); !status.ok()) return status;
  return maintenance_->create_family(name, options);
}

Status DbImpl::drop_family(Family family) {
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

Result<Family> DbImpl::family(const std::string& name) const {
  if (Status status = ready(); !status.ok()) return status;
  if (const FamilyState* family = core_.families.find_by_name(name)) return Family{family->id()};
  return Status(StatusCode::kNotFound, "there is no family '" + name + "'");
}

Status DbImpl::flush(Family family) {
  if (Status status = ready_to_change(); !status.ok()) return status;
  auto state = core_.families.find_or_error(family);
  if (!state.ok()) return state.status();
  committer_->rotate(**state);
  return maintenance_->wait_flushed(**state);
}

Status DbImpl::compact_range(Family family, Slice from, Slice to) {
  if (Status status = flush(family); !status.ok()) return status;
  auto state = core_.families.find_or_error(family);
  if (!state.ok()) return state.status();
  return maintenance_->compact_range(**state, from, to);
}

Status DbImpl::wait_idle() {
  if (Status status = ready(); !status.ok()) return status;
  return core_.options.read_only ? Status() : maintenance_->wait_idle();
}

Status DbImpl::verify() {
  if (Status status = ready(); !status.ok()) return status;
  for (const FamilyState* family : core_.families.live()) {
    const std::shared_ptr<const Version> version = family->pin()->version();
    for (int level = 0; level < kLevelCount; ++level) {
      for (const auto& file : version->level(level)) {
        auto table = file->open();
        if (!table.ok()) return table.status();
        if (Status status = (*table)->verify([](const TableDamage&) {}); !status.ok()) return status;
      }
    }
  }
  return maintenance_->verify_metadata();
}

Status DbImpl::health() const {
  if (log_->failed()) return log_->failure();
  return maintenance_->trouble();
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
  return statistics;
}

Result<FamilyProperties> DbImpl::properties(Family family) const {
  auto state = find(family);
  if (!state.ok()) return state.status();
  return maintenance_->properties(**state);
}

}  // namespace firn::lsm
