// Tested by tests/contract.
#include "firn/memory_db.h"

#include <atomic>
#include <utility>

#include "lsm/core.h"
#include "lsm/db_iterator.h"
#include "lsm/limits.h"
#include "lsm/memory_iterator.h"
#include "lsm/memory_store.h"

namespace firn {

namespace {

using lsm::FailedIterator;
using lsm::MemoryFamily;
using lsm::MemoryIterator;
using lsm::MemoryStore;
using lsm::SharedValue;
using lsm::unknown_family;

// Copies a short value, keeps a long one alive.
PinnedValue pin_value(SharedValue value) {
  if (value->size() <= PinnedValue::kInlineBytes) return PinnedValue(*value);
  const Slice bytes = *value;
  return {bytes, new SharedValue(std::move(value)),
          [](void* owner) noexcept { delete static_cast<SharedValue*>(owner); }};
}

class MemoryDB final : public DB {
 public:
  MemoryDB() { recovery_.clean = true; }

  Status close() override {
    closed_.store(true, std::memory_order_release);
    return {};
  }

  Result<Sequence> write(const WriteBatch& batch, const WriteOptions& options) override;
  Result<Sequence> put(Family family, Slice key, Slice value, const WriteOptions& options) override;
  Result<Sequence> erase(Family family, Slice key, const WriteOptions& options) override;
  Status sync() override { return open_status(); }
  Sequence durable_sequence() const override { return visible_sequence(); }
  Sequence visible_sequence() const override {
    MutexLock lock(store_->mutex());
    return store_->visible();
  }

  Result<PinnedValue> get_pinned(Family family, Slice key, const ReadOptions& options) override;
  std::vector<Result<PinnedValue>> multi_get(Family family, std::span<const Slice> keys,
                                             const ReadOptions& options) override;
  Iterator iterator(Family family, const IteratorOptions& options) override;
  Snapshot snapshot() override;

  Result<Family> create_family(const std::string& name, const FamilyOptions& options) override;
  Status drop_family(Family family) override;
  std::vector<FamilyInfo> families() const override;
  Result<Family> family(const std::string& name) const override;

  Status flush(Family family) override { return family_status(family); }
  Status compact_range(Family family, Slice from, Slice to) override;
  Status wait_idle() override { return open_status(); }
  Status verify() override { return open_status(); }
  Health health() const override {
    Status status = open_status();
    return {status.ok() ? ErrorLevel::kNone : ErrorLevel::kHard, std::move(status)};
  }
  Status resume() override { return open_status(); }
  Statistics statistics() const override;
  Result<FamilyProperties> properties(Family family) const override;
  const RecoveryReport& recovery() const override { return recovery_; }
  DerivedSizes sizes() const override { return {}; }

 private:
  Status open_status() const { return closed_.load(std::memory_order_acquire) ? lsm::closed_status() : Status(); }
  Status family_status(Family family) const;
  Result<Sequence> write(const BatchOperation& op);
  Result<PinnedValue> find_value(const MemoryFamily& family, Slice key, Sequence at) const
      FIRN_REQUIRES(store_->mutex());
  // Open, and `snapshot` is null or of this database.
  Status check_read(const Snapshot* snapshot) const;

  const std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  std::atomic<bool> closed_{false};
  RecoveryReport recovery_;
  Statistics statistics_ FIRN_GUARDED_BY(store_->mutex());
};

Status MemoryDB::family_status(Family family) const {
  if (Status status = open_status(); !status.ok()) return status;
  MutexLock lock(store_->mutex());
  return store_->find(family) != nullptr ? Status() : unknown_family(family);
}

Result<Sequence> MemoryDB::write(const WriteBatch& batch, const WriteOptions&) {
  if (Status status = open_status(); !status.ok()) return status;
  if (!batch.status().ok()) return batch.status();
  MutexLock lock(store_->mutex());
  BatchOperation op;
  for (BatchReader check(batch.payload()); check.next(op);) {
    if (store_->find(Family{op.family}) == nullptr) return unknown_family(Family{op.family});
  }
  for (BatchReader operations(batch.payload()); operations.next(op);) {
    store_->apply(op);
    statistics_.user_bytes_written += op.key.size() + op.value.size();
  }
  statistics_.entries_written += batch.count();
  ++statistics_.writes;
  return store_->visible();
}

Result<Sequence> MemoryDB::write(const BatchOperation& op) {
  if (Status status = open_status(); !status.ok()) return status;
  if (Status status = lsm::check_key(op.key); !status.ok()) return status;
  if (Status status = lsm::check_value(op.value); !status.ok()) return status;
  MutexLock lock(store_->mutex());
  if (store_->find(Family{op.family}) == nullptr) return unknown_family(Family{op.family});
  store_->apply(op);
  statistics_.user_bytes_written += op.key.size() + op.value.size();
  ++statistics_.entries_written;
  ++statistics_.writes;
  return store_->visible();
}

Result<Sequence> MemoryDB::put(Family family, Slice key, Slice value, const WriteOptions&) {
  return write(BatchOperation{EntryKind::kPut, family.id, key, value});
}

Result<Sequence> MemoryDB::erase(Family family, Slice key, const WriteOptions&) {
  return write(BatchOperation{EntryKind::kTombstone, family.id, key, {}});
}

Status MemoryDB::check_read(const Snapshot* snapshot) const {
  if (Status status = open_status(); !status.ok()) return status;
  if (snapshot == nullptr || snapshot->database() == store_.get()) return {};
  return Status(StatusCode::kInvalidArgument,
                "the snapshot belongs to another database: read it with the one that made it");
}

Result<PinnedValue> MemoryDB::find_value(const MemoryFamily& family, Slice key, Sequence at) const {
  if (Status status = lsm::check_key(key); !status.ok()) return status;
  const auto found = family.keys.find(key);
  if (found == family.keys.end()) return Status::not_found();
  SharedValue value = MemoryFamily::visible(found->second, at);
  if (value == nullptr) return Status::not_found();
  return pin_value(std::move(value));
}

Result<PinnedValue> MemoryDB::get_pinned(Family family, Slice key, const ReadOptions& options) {
  if (Status status = check_read(options.snapshot); !status.ok()) return status;
  std::optional<Sequence> at;
  if (options.snapshot != nullptr) at = options.snapshot->sequence();
  MutexLock lock(store_->mutex());
  const MemoryFamily* found = store_->find(family, at);
  if (found == nullptr) return unknown_family(family);
  ++statistics_.gets;
  return find_value(*found, key, at.value_or(store_->visible()));
}

std::vector<Result<PinnedValue>> MemoryDB::multi_get(Family family, std::span<const Slice> keys,
                                                     const ReadOptions& options) {
  std::vector<Result<PinnedValue>> results;
  results.reserve(keys.size());
  const auto fail = [&](const Status& status) {
    for (std::size_t i = 0; i < keys.size(); ++i) results.emplace_back(status);
    return std::move(results);
  };
  if (Status status = check_read(options.snapshot); !status.ok()) return fail(status);
  std::optional<Sequence> at;
  if (options.snapshot != nullptr) at = options.snapshot->sequence();
  MutexLock lock(store_->mutex());
  const MemoryFamily* found = store_->find(family, at);
  if (found == nullptr) return fail(unknown_family(family));
  statistics_.gets += keys.size();
  for (const Slice key : keys) results.push_back(find_value(*found, key, at.value_or(store_->visible())));
  return results;
}

Iterator MemoryDB::iterator(Family family, const IteratorOptions& options) {
  if (Status status = check_read(options.snapshot); !status.ok()) {
    return Iterator(std::make_unique<FailedIterator>(std::move(status)));
  }
  std::optional<Sequence> at;
  if (options.snapshot != nullptr) at = options.snapshot->sequence();
  MutexLock lock(store_->mutex());
  const MemoryFamily* found = store_->find(family, at);
  if (found == nullptr) return Iterator(std::make_unique<FailedIterator>(unknown_family(family)));
  auto pin = store_->pin(at.value_or(store_->visible()));
  return Iterator(std::make_unique<MemoryIterator>(std::move(pin), *found, options));
}

Snapshot MemoryDB::snapshot() {
  MutexLock lock(store_->mutex());
  const Sequence now = store_->visible();
  return {store_.get(), now, store_->pin(now)};
}

Result<Family> MemoryDB::create_family(const std::string& name, const FamilyOptions& options) {
  if (Status status = open_status(); !status.ok()) return status;
  if (Status status = lsm::check_family_name(name); !status.ok()) return status;
  if (Status status = options.validate(); !status.ok()) return status;
  MutexLock lock(store_->mutex());
  for (const auto& [id, family] : store_->families()) {
    if (family.dropped_after || family.name != name) continue;
    return Status(StatusCode::kInvalidArgument, "family '" + name + "' exists already");
  }
  return store_->add_family(name);
}

Status MemoryDB::drop_family(Family family) {
  if (Status status = open_status(); !status.ok()) return status;
  if (family == kDefaultFamily) {
    return Status(StatusCode::kInvalidArgument, "family 'default' cannot be dropped: erase its keys instead");
  }
  MutexLock lock(store_->mutex());
  MemoryFamily* found = store_->find(family);
  if (found == nullptr) return unknown_family(family);
  store_->drop_family(*found);
  return {};
}

std::vector<FamilyInfo> MemoryDB::families() const {
  std::vector<FamilyInfo> infos;
  if (!open_status().ok()) return infos;
  MutexLock lock(store_->mutex());
  for (const auto& [id, family] : store_->families()) {
    if (!family.dropped_after) infos.push_back({Family{id}, family.name});
  }
  return infos;
}

Result<Family> MemoryDB::family(const std::string& name) const {
  if (Status status = open_status(); !status.ok()) return status;
  for (const FamilyInfo& info : families()) {
    if (info.name == name) return info.family;
  }
  return Status(StatusCode::kNotFound, "there is no family '" + name + "'");
}

Status MemoryDB::compact_range(Family family, Slice from, Slice to) {
  if (Status status = open_status(); !status.ok()) return status;
  MutexLock lock(store_->mutex());
  MemoryFamily* found = store_->find(family);
  if (found == nullptr) return unknown_family(family);
  store_->collect(*found, from, to);
  return {};
}

Statistics MemoryDB::statistics() const {
  MutexLock lock(store_->mutex());
  return statistics_;
}

Result<FamilyProperties> MemoryDB::properties(Family family) const {
  if (Status status = open_status(); !status.ok()) return status;
  MutexLock lock(store_->mutex());
  const MemoryFamily* found = store_->find(family);
  if (found == nullptr) return unknown_family(family);
  FamilyProperties properties;
  for (const auto& [key, versions] : found->keys) {
    properties.memtable_entries += versions.size();
    properties.memtable_bytes += key.size();
    for (const auto& version : versions) properties.memtable_bytes += version.value ? version.value->size() : 0;
  }
  return properties;
}

}  // namespace

std::unique_ptr<DB> open_memory_db() { return std::make_unique<MemoryDB>(); }

}  // namespace firn
