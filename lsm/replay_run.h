// Entries of one family that recovery has read back from the log: gathered as they come, sorted once, then read by the
// flush that makes a table of them. Costs about a third of a memtable's search for each entry; nobody reads a database
// that is being opened, so nothing has to be in order before.
//
// Thread safety: one thread at a time. Lifetime: a cursor's keys and values live as long as the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "codec/cursor.h"
#include "codec/entry.h"
#include "firn/slice.h"
#include "firn/status.h"
#include "lsm/memtable/arena.h"

namespace firn::lsm {

class ReplayRun {
 public:
  // `bytes`: what memory_bytes() is meant to reach; sizes its chunks, limits nothing.
  explicit ReplayRun(std::uint64_t bytes);

  // Precondition: `sequence` is larger than all before. Errors: kOutOfMemory.
  Status add(Sequence sequence, EntryKind kind, Slice key, Slice value);
  // All of it in internal order. Nothing is added after it. Errors: kOutOfMemory.
  Result<std::unique_ptr<Cursor>> sort();

  std::uint64_t memory_bytes() const { return arena_.memory_bytes() + entries_ * sizeof(Place); }
  std::uint64_t entries() const { return entries_; }
  Sequence largest_sequence() const { return largest_sequence_; }  // 0 when empty.

 private:
  class SortedCursor;
  // An entry in memory: this, its key, its value.
  struct Stored {
    std::uint64_t packed;  // pack_sequence
    Stored* next;          // In the order of the adds.
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;

    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
    Slice key() const { return {bytes(), key_bytes}; }
    Slice value() const { return {bytes() + key_bytes, value_bytes}; }
  };
  // What is sorted.
  struct Place {
    std::uint64_t head;  // Of what follows the common prefix.
    const Stored* entry;
  };

  Status out_of_memory() const;
  struct Before;

  memtable::Arena arena_;
  Stored* first_ = nullptr;
  Stored* last_ = nullptr;
  std::uint64_t entries_ = 0;
  std::size_t common_prefix_bytes_ = 0;  // Of all keys.
  Sequence largest_sequence_ = 0;
};

}  // namespace firn::lsm
