// One moment of a database, over all its families, that reads can refer to.
#pragma once

#include <memory>

#include "firn/slice.h"

namespace firn {

// Made by DB::snapshot; released by destroying it. While it lives, compaction keeps what it can see, so a long-lived
// one costs disk space. It may outlive its database: it is then inert.
//
// Thread safety: may be read from several threads; each copy shares the same moment.
class Snapshot {
 public:
  // `owner` is whatever the backend must be told when the last copy goes.
  Snapshot(Sequence sequence, std::shared_ptr<const void> owner) : sequence_(sequence), owner_(std::move(owner)) {}

  Sequence sequence() const { return sequence_; }                 // The last write it sees.
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  Sequence sequence_;
  std::shared_ptr<const void> owner_;
};

}  // namespace firn
