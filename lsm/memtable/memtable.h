// The newest writes of a family, in memory, until a flush makes a table of them: a hash index for point lookups and a
// B-link tree for order, both over one node per user key, whose versions are chained newest first. Overwriting a key
// costs one hash lookup, and a search only where the key written before was new. Design and figures:
// docs/design/memtable.md.
//
// Thread safety: one writer at a time (reserve, add); any number of readers meanwhile, without locks. What add() has
// done when it returns is found by every reader that learns of it (acquire after the writer's release).
// Lifetime: keys and values that are handed out, and cursors, point into the memtable and live as long as it does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "codec/cursor.h"
#include "codec/entry.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/hash_index.h"
#include "lsm/memtable/link_tree.h"

namespace firn {

class MemTableCursor;

class MemTable {
 public:
  // `capacity_bytes`: where memory_bytes() makes it full; sizes its chunks and its index, limits nothing. An empty
  // memtable holds nothing beyond itself (under 1 KiB).
  // `common_prefix`: what most keys are expected to begin with; comparisons look at the eight bytes after it first. Any
  // value is right, a good one is faster.
  // `pool`: where its memory comes from as far as it can, and goes.
  explicit MemTable(std::uint64_t capacity_bytes, std::string common_prefix = {},
                    const std::shared_ptr<memtable::ChunkPool>& pool = nullptr);
  MemTable(const MemTable&) = delete;
  MemTable& operator=(const MemTable&) = delete;

  // Makes room so that the next `entries` adds, with keys and values of `bytes` together, cannot fail.
  // Errors: kOutOfMemory, with no effect.
  Status reserve(std::size_t entries, std::size_t bytes);
  // Precondition: reserved; `sequence` (<= kSequenceMax) is larger than all before; `hash` is key_hash(key); key and
  // value are within kKeyBytesMax and kValueBytesMax.
  void add(Sequence sequence, EntryKind kind, Slice key, std::uint64_t hash, Slice value);

  struct Hit {
    EntryKind kind = EntryKind::kPut;
    Slice value;  // Empty for a tombstone.
    Sequence sequence = 0;
  };
  // The newest version of `key` that is not newer than `at`; false, and `hit` untouched, when there is none.
  bool get(Slice key, std::uint64_t hash, Sequence at, Hit& hit) const;
  // Starts to load what get() and add() look at first.
  void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }

  // Not positioned.
  std::unique_ptr<MemTableCursor> cursor() const;

  // All the memory that it has come to use, in whole pages: what counts against a budget.
  std::uint64_t memory_bytes() const { return sizeof *this + data_arena_.memory_bytes() + page_arena_.memory_bytes(); }
  bool full() const { return memory_bytes() >= capacity_bytes_; }
  bool empty() const { return entries() == 0; }
  std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }  // All versions.
  std::uint64_t keys() const { return keys_.load(std::memory_order_relaxed); }        // Different ones.
  std::uint64_t tombstones() const { return tombstones_.load(std::memory_order_relaxed); }
  std::uint64_t key_bytes() const { return key_bytes_.load(std::memory_order_relaxed); }  // Each version's key counts.
  std::uint64_t value_bytes() const { return value_bytes_.load(std::memory_order_relaxed); }
  Sequence smallest_sequence() const { return smallest_sequence_.load(std::memory_order_relaxed); }  // 0 when empty.
  Sequence largest_sequence() const { return largest_sequence_.load(std::memory_order_relaxed); }    // 0 when empty.

  const std::string& common_prefix() const { return common_prefix_; }
  // What the keys of a sample begin with: the common prefix to give the family's next memtable. Empty when there are
  // too few keys to tell.
  std::string common_prefix_sample() const;

 private:
  friend class MemTableCursor;

  std::uint64_t head(Slice key) const;
  std::size_t keys_expected() const;
  bool make_index_room(std::size_t keys);
  const memtable::Version* make_version(void* memory, std::uint64_t packed, Slice value,
                                        const memtable::Version* older);
  void count(Sequence sequence, EntryKind kind, std::size_t key_bytes, std::size_t value_bytes);

  const std::uint64_t capacity_bytes_;
  const std::string common_prefix_;
  memtable::Arena data_arena_;  // Nodes, keys, versions, values; the index's arrays.
  memtable::Arena page_arena_;  // Pages of the tree, apart so that searches stay within few cache lines and pages.
  memtable::HashIndex index_;
  memtable::LinkTree tree_;
  bool adding_keys_ = true;  // The last write's key was new. The writer's alone.

  std::atomic<std::uint64_t> entries_{0};
  std::atomic<std::uint64_t> keys_{0};
  std::atomic<std::uint64_t> tombstones_{0};
  std::atomic<std::uint64_t> key_bytes_{0};
  std::atomic<std::uint64_t> value_bytes_{0};
  std::atomic<Sequence> smallest_sequence_{0};
  std::atomic<Sequence> largest_sequence_{0};
};

// All versions in internal order, in both directions, while the writer goes on. Shows everything that was there when
// it was made, once and in order; of what is added later, any part. It works on a copy of one leaf's pointers at a
// time, so most moves read nothing that the writer changes.
class MemTableCursor final : public Cursor {
 public:
  explicit MemTableCursor(const MemTable& memtable) : memtable_(memtable) {}

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(Slice key, Sequence sequence) override;
  void seek_before(Slice key) override;
  void next() override;
  void prev() override;

  // For readers of one sequence, who need one version of each key: moves to the newest version not newer than `at` of
  // the next (previous) key that has one, in O(log n) for a key of n versions. Precondition: valid().
  void next_key(Sequence at);
  void prev_key(Sequence at);

 private:
  const memtable::Node& node() const { return *leaf_.nodes[rank_]; }
  const memtable::Version* newest() const { return node().newest.load(std::memory_order_acquire); }
  static void prefetch(const memtable::Page* page, std::atomic<memtable::Page*> memtable::Page::*direction);
  bool settle();
  bool step_back();
  bool find(Slice key);
  void show(const memtable::Version* version);

  const MemTable& memtable_;
  memtable::LeafCopy leaf_;
  std::uint32_t rank_ = 0;                      // Of the present node in leaf_.
  const memtable::Version* version_ = nullptr;  // The present version.
};

}  // namespace firn
