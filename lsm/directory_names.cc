#include "lsm/directory_names.h"

#include <utility>

#include "platform/planted_bug.h"

namespace firn::lsm {

DirectoryNames::DirectoryNames(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

Status DirectoryNames::sync(Mark made_after) {
  MutexLock lock(mutex_);
  Status status = files_.sync_directory(directory_);
  if (!status.ok()) {
    failures_.fetch_add(1, std::memory_order_relaxed);
  } else if (mark() != made_after && !FIRN_PLANTED_BUG(lost_names_ignored)) {
    status = Status(StatusCode::kIo, "sync directory " + directory_ +
                                         ": another sync of it failed since files were made, whose names may be lost");
  }
  return status;
}

}  // namespace firn::lsm
