// The LSM engine behind the contract of firn/db.h: puts the parts together and checks what callers pass.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firn/db.h"
#include "lsm/committer.h"
#include "lsm/core.h"
#include "lsm/log_set.h"
#include "lsm/maintenance.h"
#include "lsm/write_gate.h"

namespace firn::lsm {

class DbImpl final : public DB {
 public:
  DbImpl(const std::string& path, const Options& options);
  ~DbImpl() override;

  // Finds or makes the database and recovers it (open.cc). Called once, before everything else.
  Status open();

  // Where even small pieces of memory are refused (std::bad_alloc) reads answer kOutOfMemory. What changes the database
  // has no way back from there: noexcept ends the process, which costs what a kill costs, nothing acknowledged.
  Status close() noexcept override;
  Result<Sequence> write(const WriteBatch& batch, const WriteOptions& options) noexcept override;
  Result<Sequence> put(Family family, Slice key, Slice value, const WriteOptions& options) noexcept override;
  Result<Sequence> erase(Family family, Slice key, const WriteOptions& options) noexcept override;
  Status sync() noexcept override;
  Sequence durable_sequence() const override;
  Sequence visible_sequence() const override;
  Result<PinnedValue> get_pinned(Family family, Slice key, const ReadOptions& options) override;
  std::vector<Result<PinnedValue>> multi_get(Family family, std::span<const Slice> keys,
                                             const ReadOptions& options) override;
  Iterator iterator(Family family, const IteratorOptions& options) override;
  Snapshot snapshot() override;
  Result<Family> create_family(const std::string& name, const FamilyOptions& options) noexcept override;
  Status drop_family(Family family) noexcept override;
  std::vector<FamilyInfo> families() const override;
  Result<Family> family(const std::string& name) const override;
  Status flush(Family family) noexcept override;
  Status compact_range(Family family, Slice from, Slice to) noexcept override;
  Status wait_idle() override;
  Status verify() override;
  Health health() const override;
  Status resume() noexcept override;
  Statistics statistics() const override;
  Result<FamilyProperties> properties(Family family) const override;
  const RecoveryReport& recovery() const override { return recovery_; }
  DerivedSizes sizes() const override { return core_.sizes; }

 private:
  // open.cc
  Status find_database(bool& is_new);
  Status adopt(std::unique_ptr<Manifest> manifest, const std::vector<DirectoryEntry>& entries);
  Status check_tables(const ManifestState& state, const std::vector<DirectoryEntry>& entries) const;
  Status replay_log(const ManifestState& state, const wal::ReplayRequest& request);
  using ReplayVisitor = std::function<Status(FamilyState&, Sequence, const BatchOperation&)>;
  Status replay_record(const ManifestState& state, const wal::Record& record, const wal::RecordSource& source,
                       const ReplayVisitor& take);
  void remove_orphans(const std::vector<DirectoryEntry>& entries);
  Status start_threads();
  void start_work();

  Status finish_writes();
  // `wait`: for a running flush; else kBusy.
  Status end_log_failure(bool wait);
  void log_failed(const Status& failure);
  void let_go_of_tables();
  void wait_removed();
  // What was written to `family` before the call is in tables when Ok.
  Result<FamilyState*> flush_memtables(Family family);
  // What every call asks first.
  Status ready() const { return closed_.load(std::memory_order_acquire) ? closed_status() : Status(); }
  Status ready_to_change() const;
  Result<FamilyState*> find(Family family) const;
  // Refuses a snapshot of another database.
  Status check(const Snapshot& snapshot) const;
  // What a reader at `snapshot` (null: now) sees: a view of `family`, and the sequence that goes with it.
  struct Moment {
    ViewRef view;
    Sequence at = 0;
  };
  Result<Moment> moment(Family family, const Snapshot* snapshot) const;
  Result<PinnedValue> get_at(Family family, Slice key, const Snapshot& snapshot);
  Durability durability(const WriteOptions& options) const {
    return options.durability.value_or(core_.options.durability);
  }

  Core core_;
  WriteGate gate_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<LogSet> log_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Executor> log_executor_;  // Of its own: the log must not wait for a flush to end.
  RecoveryReport recovery_;
  Mutex resume_mutex_;
  std::atomic<bool> closed_{true};  // Until open() has succeeded.
};

}  // namespace firn::lsm
