// The column families of one open database, found by id without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firn/family.h"
#include "firn/options.h"
#include "firn/status.h"
#include "lsm/read_view.h"
#include "platform/epoch.h"
#include "platform/sync.h"

namespace firn::lsm {

// One family. Its id, name and options never change. Kept until the database closes, also when dropped.
class FamilyState {
 public:
  FamilyState(std::uint32_t id, std::string name, FamilyOptions options)
      : id_(id), name_(std::move(name)), options_(options) {}
  ~FamilyState();
  FamilyState(const FamilyState&) = delete;
  FamilyState& operator=(const FamilyState&) = delete;

  std::uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const FamilyOptions& options() const { return options_; }

  // What reads see now. Precondition: the caller is inside an EpochGuard, or is the one who installs views.
  const ReadView* view() const { return view_.load(std::memory_order_acquire); }
  // A reference that outlives the guard.
  ViewRef pin() const {
    EpochGuard guard;
    return ViewRef(view());
  }
  // A view and a sequence that belong together: the view holds everything up to it. `at`: given (a snapshot's), or set
  // to what is visible.
  ViewRef pin_moment(const std::atomic<Sequence>& visible, std::optional<Sequence>& at) const;
  // Replaces the view and answers the old one, for retire_view. One caller at a time (Maintenance's mutex).
  [[nodiscard]] const ReadView* install(const ReadView* view);

  // The active memtable, as the writer sees it. Guarded by Committer's mutex.
  MemTable* writer_memtable() const { return writer_memtable_; }
  void set_writer_memtable(MemTable* memtable) {
    writer_memtable_ = memtable;
    counted_bytes_ = 0;
  }
  // How much of it the writer has counted against the memory for memtables. Guarded by Committer's mutex.
  std::uint64_t counted_bytes() const { return counted_bytes_; }
  // Counts all of it; how much more that is.
  std::uint64_t count_bytes() {
    const std::uint64_t bytes = writer_memtable_->memory_bytes();
    return bytes - std::exchange(counted_bytes_, bytes);
  }

  bool dropped() const { return dropped_.load(std::memory_order_acquire); }
  void mark_dropped() { dropped_.store(true, std::memory_order_release); }

 private:
  const std::uint32_t id_;
  const std::string name_;
  const FamilyOptions options_;
  std::atomic<const ReadView*> view_{nullptr};
  std::atomic<bool> dropped_{false};
  alignas(64) MemTable* writer_memtable_ = nullptr;  // Kept alive by view_. On a line that readers do not look at.
  std::uint64_t counted_bytes_ = 0;
};

// Gives up an installed view that was replaced (null: nothing); it goes when its last reader has left. Not under a
// lock: the last of a table's versions removes its file.
void retire_view(const ReadView* view);

// Thread safe. Adding and dropping is for one caller at a time.
class FamilySet {
 public:
  FamilySet();
  ~FamilySet();
  FamilySet(const FamilySet&) = delete;
  FamilySet& operator=(const FamilySet&) = delete;

  // Null for an id that never was or was dropped. The answer lives as long as this object.
  FamilyState* find(std::uint32_t id) const {
    if (id == kDefaultFamily.id) return default_;
    return find_other(id);
  }
  Result<FamilyState*> find_or_error(Family family) const;
  FamilyState* find_by_name(const std::string& name) const;
  std::vector<FamilyState*> live() const;  // By id.

  void add(std::unique_ptr<FamilyState> family);

 private:
  using Index = std::vector<FamilyState*>;  // By id; null where there is none.

  FamilyState* find_other(std::uint32_t id) const;

  mutable Mutex mutex_;
  std::vector<std::unique_ptr<FamilyState>> owned_;  // Guarded by mutex_.
  FamilyState* default_ = nullptr;                   // Written once, before the database is shared.
  std::atomic<const Index*> index_;                  // Replaced as a whole; read inside an EpochGuard.
};

// The status for a call that names a family which is not there.
Status unknown_family(Family family);

}  // namespace firn::lsm
