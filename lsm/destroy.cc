// DB::destroy.

#include <algorithm>
#include <new>

#include "firn/db.h"
#include "lsm/file_names.h"
#include "platform/io.h"

namespace firn {

Status DB::destroy(const std::string& path, const Options& options) try {
  FileSystem& files = *(options.platform != nullptr ? *options.platform : real_platform()).files;
  auto entries = files.list(path);
  if (!entries.ok()) return entries.status().code() == StatusCode::kNotFound ? Status() : entries.status();
  const auto ours = [](const DirectoryEntry& entry) { return lsm::parse_file_name(entry.name).has_value(); };
  if (std::none_of(entries->begin(), entries->end(), ours)) {
    if (!entries->empty()) {
      return Status(StatusCode::kNotADatabase, path + ": holds no database, only files that are not Firn's");
    }
    return files.remove_directory(path);
  }
  auto lock = files.lock(lsm::lock_path(path));
  if (!lock.ok()) return lock.status();
  // CURRENT first: what an interruption leaves is refused by open() as a damaged database, and destroyed the next time.
  std::stable_partition(entries->begin(), entries->end(),
                        [](const DirectoryEntry& entry) { return entry.name == lsm::kCurrentName; });
  bool others = false;
  for (const DirectoryEntry& entry : *entries) {
    if (!ours(entry)) {
      others = true;
    } else if (entry.name != lsm::kLockName) {
      if (Status status = files.remove(join_path(path, entry.name)); !status.ok()) return status;
    }
  }
  if (Status status = files.remove(lsm::lock_path(path)); !status.ok()) return status;
  return others ? Status() : files.remove_directory(path);
} catch (const std::bad_alloc&) {
  return Status::out_of_memory();
}

}  // namespace firn
