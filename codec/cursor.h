// A position in a run of entries in internal order (user key, then sequence, newest first): what memtables, tables and
// levels offer, and what merging consumes. Moving is one virtual call; reading the present entry is none.
//
// Thread safety: one thread at a time. Lifetime: the run outlives its cursor. entry() borrows: its key lives until the
// next move; its value until the next move too, unless the run is one that stays put (memtable, mapped table).
#pragma once

#include <cstdint>

#include "codec/entry.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {

class Cursor {
 public:
  Cursor() = default;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  virtual ~Cursor() = default;

  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  // First entry at or after (key, sequence): of `key` itself, only versions not newer than `sequence`.
  virtual void seek(Slice key, Sequence sequence) = 0;
  // Last entry before every version of `key`.
  virtual void seek_before(Slice key) = 0;
  // Precondition of both: valid().
  virtual void next() = 0;
  virtual void prev() = 0;

  // False past either end and after an error; status() tells the two apart.
  bool valid() const { return valid_; }
  // Precondition: valid().
  const Entry& entry() const { return *present_; }
  const Status& status() const { return status_; }

 protected:
  void end() { valid_ = false; }
  void fail(Status status) {
    valid_ = false;
    status_ = std::move(status);
  }

  Entry entry_;
  const Entry* present_ = &entry_;  // What entry() shows; a cursor over others points it at theirs.
  Status status_;                   // Kept until the next seek.
  bool valid_ = false;
};

}  // namespace firn
