// The sequences that somebody still reads at. Compaction keeps, of each key, the newest version visible to each; what
// they see of a family that is dropped is kept here.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "firn/family.h"
#include "firn/slice.h"
#include "lsm/family_set.h"
#include "lsm/read_view.h"
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

  // Marks `family` as dropped; whoever is listed now goes on seeing it as it is. No write is under way.
  void drop(FamilyState& family);
  // How the listed sequence `at` sees a family that was dropped later; empty when it does not.
  ViewRef dropped_view(Family family, Sequence at) const;

 private:
  struct Hold;
  struct Moment {
    std::size_t count = 0;  // Snapshots at this sequence.
    std::map<Family, ViewRef> dropped;
  };
  void release(Sequence sequence);

  mutable Mutex mutex_;
  std::map<Sequence, Moment> moments_;
};

}  // namespace firn::lsm
