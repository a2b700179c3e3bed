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
  // For backends. `database` identifies the one that made it: reads of another answer kInvalidArgument. `hold` is
  // destroyed with the last copy.
  Snapshot(const void* database, Sequence sequence, std::shared_ptr<const void> hold)
      : database_(database), sequence_(sequence), hold_(std::move(hold)) {}

  Sequence sequence() const { return sequence_; }  // The last write it sees.
  const void* database() const { return database_; }

 private:
  const void* database_;
  Sequence sequence_;
  std::shared_ptr<const void> hold_;
};

}  // namespace firn
