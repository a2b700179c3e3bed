// Makes the names of new files durable, where several threads make files in one directory.
//
// A sync of a directory that failed may have dropped every name that was new then, the names of others' files too, and
// a later sync that succeeds does not bring them back: as with the pages of a file (Rebello et al., "Can Applications
// Recover from fsync Failures?", USENIX ATC 2020).
//
// Thread safety: any thread. Lifetime: the file system outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "firn/file_system.h"
#include "firn/status.h"
#include "platform/sync.h"

namespace firn::lsm {

class DirectoryNames {
 public:
  // A moment: names that are made after it, and synced with it, are durable if the sync says so.
  using Mark = std::uint64_t;

  DirectoryNames(FileSystem& files, std::string directory);

  // To be taken before the first of the files is made or renamed.
  Mark mark() const { return failures_.load(std::memory_order_relaxed); }
  // Errors: kIo, kNoSpace; also when another sync has failed since `made_after`. The names are in doubt then: files
  // that nothing refers to are to be removed, and made again under other names.
  Status sync(Mark made_after);

 private:
  FileSystem& files_;
  const std::string directory_;
  Mutex mutex_;  // Held while a sync runs: one that succeeds must see all that failed before it.
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace firn::lsm
