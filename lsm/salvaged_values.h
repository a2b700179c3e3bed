// Values read by what tables say of them, as far as they are sound: for verify_files() and repair(). Needs of a value
// file neither footer nor directory.
//
// Thread safety: one thread at a time. Lifetime: the file system outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "firn/file_system.h"
#include "firn/repair.h"
#include "firn/status.h"
#include "sstable/value_format.h"

namespace firn::lsm {

class SalvagedValues {
 public:
  SalvagedValues(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  // The value of `key`, whose entry is `reference`. Errors: kCorruption (also for a file that is not there), kIo.
  Status read(Slice reference, Slice key, std::string& value);
  // What is lost where read() of the same answered `status`.
  Damage damage(Slice reference, const std::string& key, const std::string& family, const Status& status) const;

 private:
  FileSystem& files_;
  const std::string directory_;
  std::map<std::uint64_t, std::unique_ptr<File>> open_;
  std::string scratch_;
};

}  // namespace firn::lsm
