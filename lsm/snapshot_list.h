// The sequences that somebody still reads at. Compaction keeps, of each key, the newest version visible to each.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "firn/slice.h"
#include "platform/sync.h"

namespace firn::lsm {

// Thread safe. Shared by the database and its snapshots, so that a snapshot may outlive the database.
class SnapshotList : public std::enable_shared_from_this<SnapshotList> {
 public:
  struct Held {
    Sequence sequence = 0;
    std::shared_ptr<const void> hold;  // Keeps `sequence` listed until the last copy is gone.
  };
  // Lists what `visible` is now. Read and listed in one step: a compaction that asks for sequences() before it has
  // only entries that this sequence sees, one that asks after it finds it listed.
  Held hold(const std::atomic<Sequence>& visible);
  // The listed sequences, ascending, each once.
  std::vector<Sequence> sequences() const;
  std::size_t count() const;

 private:
  struct Hold;
  void release(Sequence sequence);

  mutable Mutex mutex_;
  std::map<Sequence, std::size_t> holds_;  // Sequence to the number of snapshots at it.
};

}  // namespace firn::lsm
