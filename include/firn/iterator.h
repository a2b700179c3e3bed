// Ordered walks over one family, both ways, that see one moment of the database however long they live.
//
// Lifetime: an iterator keeps what it reads alive, also past the close of its database; so a long-lived one holds disk
// space and memory. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {

// Outcome of moving an iterator. An error is never an end.
enum class Step : std::uint8_t {
  kEntry,  // key() and value() are valid until the next move.
  kEnd,    // There is no such entry within the bounds.
  kError,  // status() says why; the iterator stays in error until it is placed anew.
};

// Implemented by each backend; users hold an Iterator.
class FIRN_EXPORT IteratorImpl {
 public:
  virtual ~IteratorImpl() = default;
  virtual Step seek_to_first() = 0;
  virtual Step seek_to_last() = 0;
  virtual Step seek(Slice key) = 0;
  virtual Step seek_before(Slice key) = 0;
  virtual Step next() = 0;
  virtual Step prev() = 0;
  virtual Step load_value() { return Step::kEntry; }
  virtual Slice key() const = 0;
  virtual Slice value() const = 0;
  virtual const Status& status() const = 0;
  virtual bool intact() const { return true; }
};

// Starts before the first entry (equally: after the last): next() then gives the first, prev() the last.
// At an end, next() and prev() turn around: after the kEnd of next(), prev() gives the last entry, and vice versa.
class FIRN_EXPORT Iterator {
 public:
  // Null: there was no memory for it. Every move answers kError, and status() kOutOfMemory.
  explicit Iterator(std::unique_ptr<IteratorImpl> impl) : impl_(std::move(impl)) {}

  Step seek_to_first() { return impl_ ? impl_->seek_to_first() : Step::kError; }
  Step seek_to_last() { return impl_ ? impl_->seek_to_last() : Step::kError; }
  // First entry at or after `key`.
  Step seek(Slice key) { return impl_ ? impl_->seek(key) : Step::kError; }
  // Last entry before `key` (exclusive).
  Step seek_before(Slice key) { return impl_ ? impl_->seek_before(key) : Step::kError; }
  Step next() { return impl_ ? impl_->next() : Step::kError; }
  Step prev() { return impl_ ? impl_->prev() : Step::kError; }

  // Makes value() the entry's, if IteratorOptions::lazy_values has put that off: kEntry, or kError as of a move.
  // Precondition: the last move gave kEntry.
  Step load_value() { return impl_->load_value(); }

  // Precondition: the last move gave kEntry. Valid until the next move. With lazy_values value() is empty, for a value
  // that lies in a value file, until load_value().
  Slice key() const { return impl_->key(); }
  Slice value() const { return impl_->value(); }
  // As PinnedValue::intact(), of value(): whether what was read of it before this call is the entry's. If not, a seek
  // to key() reads it without the mapping. Precondition: the last move gave kEntry.
  bool intact() const { return impl_->intact(); }
  // Replaces `value` by a copy of the entry's, which is whole, whatever the mapping did meanwhile: kEntry, or kError as
  // of a move. Precondition: the last move gave kEntry.
  Step copy_value(std::string& value);
  // Ok unless the last move gave kError.
  const Status& status() const { return impl_ ? impl_->status() : no_memory(); }

 private:
  static const Status& no_memory();

  std::unique_ptr<IteratorImpl> impl_;
};

}  // namespace firn
