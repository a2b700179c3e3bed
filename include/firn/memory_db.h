// The contract of db.h on an ordered map: deterministic, nothing on disk, no background work. The oracle for tests of
// Firn and of programs that use it, and a stand-in where no persistence is wanted.
#pragma once

#include <memory>

#include "firn/db.h"
#include "firn/export.h"

namespace firn {

// Thread safety and errors: as DB. Every version is kept while a snapshot or iterator may need it. Durability is
// accepted and has no effect; flush, compact_range, sync and verify have nothing to do and answer Ok.
FIRN_EXPORT std::unique_ptr<DB> open_memory_db();

}  // namespace firn
