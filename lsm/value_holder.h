// One value file, for the tables that refer to it: opened when first needed, removed when nobody reads it any more.
//
// Thread safety: thread safe. Lifetime: shared by the TableFiles whose tables refer to it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "firn/status.h"
#include "platform/sync.h"
#include "sstable/value_file.h"

namespace firn::lsm {

class TableStore;

class ValueHolder {
 public:
  ValueHolder(std::shared_ptr<TableStore> store, const ValueMeta& meta);
  ~ValueHolder();
  ValueHolder(const ValueHolder&) = delete;
  ValueHolder& operator=(const ValueHolder&) = delete;

  const ValueMeta& meta() const { return meta_; }
  std::string path() const;
  // The open file; opens it at the first call. Lives as long as this object.
  Result<const ValueFile*> open() const {
    if (const ValueFile* file = opened_.load(std::memory_order_acquire)) return file;
    return open_first();
  }
  // No durable version has a table that refers to it any more.
  void mark_obsolete() { obsolete_.store(true, std::memory_order_relaxed); }

 private:
  Result<const ValueFile*> open_first() const;

  const std::shared_ptr<TableStore> store_;
  const ValueMeta meta_;
  std::atomic<bool> obsolete_{false};
  mutable Mutex mutex_;
  mutable std::unique_ptr<ValueFile> file_;  // Written under mutex_, once.
  mutable bool mapped_ = false;              // Guarded by mutex_.
  mutable std::atomic<const ValueFile*> opened_{nullptr};
};

}  // namespace firn::lsm
