// The operating system's files. Directories are synced by fsync of the directory; locks are flock(2) locks, which end
// with the process however it dies, plus a list of this process's own, for file systems that have no locks.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "firn/file_system.h"

namespace firn {

enum class Mappings : std::uint8_t {
  kAllowed,
  // No mapped tables, no mapped logs, and so no SIGBUS handler: for programs that cannot have one.
  kNever,
};

class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(Mappings mappings = Mappings::kAllowed) : mappings_(mappings) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode, FileKind kind) override;
  Result<std::unique_ptr<LogFile>> create_log(const std::string& path, std::uint64_t capacity_bytes) override;
  Status create_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<SpaceInfo> space(const std::string& path) override;
  std::uint64_t mapping_budget_bytes() override;

 private:
  const Mappings mappings_;
};

}  // namespace firn
