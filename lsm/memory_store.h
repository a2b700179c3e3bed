// What MemoryDB keeps: per family an ordered map from key to the versions that somebody can still see, and the list of
// sequences that snapshots and iterators hold.
//
// Thread safety: one mutex; every function takes it, except those marked "locked", whose caller holds it.
// Lifetime: shared by a MemoryDB and the iterators and snapshots it made, which may outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codec/batch_format.h"
#include "firn/family.h"
#include "firn/options.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "platform/sync.h"

namespace firn::lsm {

// The bytes of a value, kept by whoever reads them. Null stands for "erased".
using SharedValue = std::shared_ptr<const std::string>;

struct MemoryVersion {
  Sequence sequence = 0;
  SharedValue value;
};

struct MemoryFamily {
  // Of each key, oldest first; never empty.
  using Versions = std::vector<MemoryVersion>;

  std::string name;
  std::map<std::string, Versions, std::less<>> keys;
  std::optional<Sequence> dropped_after;  // The last write before it was dropped; absent while it lives.

  // What a reader at `at` sees; null when that is nothing.
  static SharedValue visible(const Versions& versions, Sequence at);
};

class MemoryStore : public std::enable_shared_from_this<MemoryStore> {
 public:
  // Keeps every version that a reader at sequence() sees until it is destroyed.
  class Pin {
   public:
    Pin(std::shared_ptr<MemoryStore> store, Sequence sequence) : store_(std::move(store)), sequence_(sequence) {}
    ~Pin() { store_->release(sequence_); }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    MemoryStore& store() const { return *store_; }
    Sequence sequence() const { return sequence_; }

   private:
    const std::shared_ptr<MemoryStore> store_;
    const Sequence sequence_;
  };

  MemoryStore();

  Mutex& mutex() const FIRN_RETURN_CAPABILITY(mutex_) { return mutex_; }
  // All locked:
  Sequence visible() const FIRN_REQUIRES(mutex_) { return visible_; }
  // The sequences held by pins, ascending.
  const std::multiset<Sequence>& pins() const FIRN_REQUIRES(mutex_) { return pins_; }
  // The family for a reader at `at` (absent: now), who still sees one that was dropped later. Null: none.
  MemoryFamily* find(Family family, std::optional<Sequence> at = std::nullopt) FIRN_REQUIRES(mutex_);
  // Gives the next sequence to `op`. Precondition: its family lives.
  void apply(const BatchOperation& op) FIRN_REQUIRES(mutex_);
  std::shared_ptr<const Pin> pin(Sequence sequence) FIRN_REQUIRES(mutex_);
  const std::map<std::uint32_t, MemoryFamily>& families() const FIRN_REQUIRES(mutex_) { return families_; }
  Family add_family(std::string name) FIRN_REQUIRES(mutex_);
  void drop_family(MemoryFamily& family) FIRN_REQUIRES(mutex_);
  // Forgets what no pin sees of the keys in [from, to); an empty `to` is unbounded.
  void collect(MemoryFamily& family, Slice from, Slice to) FIRN_REQUIRES(mutex_);

 private:
  using Keys = decltype(MemoryFamily::keys);

  void release(Sequence sequence);
  // Forgets what no pin sees of one key; the next key.
  Keys::iterator collect(Keys& keys, Keys::iterator at) FIRN_REQUIRES(mutex_);
  bool pinned_within(Sequence from, Sequence to) const FIRN_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Sequence visible_ FIRN_GUARDED_BY(mutex_) = 0;
  std::multiset<Sequence> pins_ FIRN_GUARDED_BY(mutex_);
  std::map<std::uint32_t, MemoryFamily> families_ FIRN_GUARDED_BY(mutex_);  // Dropped ones while a pin sees them.
  std::uint32_t next_family_id_ FIRN_GUARDED_BY(mutex_) = 0;
};

}  // namespace firn::lsm
