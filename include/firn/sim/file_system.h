// A file system in memory, for tests of Firn and of programs that use it. It tells what is durable from what is not,
// for the bytes of files and for the names in directories, can say what a crash would leave (crash_clone for one state,
// crash_point for all of them), and fails on demand (set_fault_hook, set_capacity).
//
// What is durable is what POSIX promises and no more: bytes and size after File::sync, a created, renamed or removed
// name after sync_directory of its directory. Each file and directory keeps its durable state and the ordered list of
// operations since; a crash applies a subset of them (crash.h says which subsets). What a failed sync should have made
// durable stays in doubt for ever, whatever succeeds later. A mapped log is simulated as the memory it is: what was
// stored into a reservation is in the file, published or not, and comes apart at any byte until it is synced.
//
// Paths: names separated by '/', from one root; "a/b", "/a/b" and "./a/b" are the same. A rename within a directory is
// one operation; into another directory it is two, and a crash may keep either.
//
// Thread safety: any thread; one lock for the whole file system, which no hook is called under.
// Lifetime: the file system outlives the files, logs and locks opened from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firn/export.h"
#include "firn/file_system.h"
#include "firn/sim/crash.h"

namespace firn::sim {

namespace internal {
struct SimState;
}

enum class OperationKind : std::uint8_t {
  kOpen,  // OpenMode::kRead, kReadWrite.
  kCreate,
  kRead,
  kWrite,
  kPublish,  // LogFile::publish: stores into the mapped log.
  kSync,
  kSize,
  kTruncate,
  kAllocate,
  kMap,
  kCreateDirectory,
  kRename,
  kRemove,
  kRemoveDirectory,
  kSyncDirectory,
  kList,
  kLock,
  kSpace,
};

// The kind's name, such as "sync_directory". Never null.
FIRN_EXPORT std::string_view operation_kind_name(OperationKind kind);

// One call on the file system, as its fault hook sees it: before anything happened.
struct Operation {
  OperationKind kind = OperationKind::kOpen;
  std::string path;
  FileKind file_kind = FileKind::kOther;  // kOther for directories.
  std::uint64_t index = 0;                // 0, 1, 2, ... over the life of the file system.
  std::uint64_t offset = 0;               // Reads, writes and publishes.
  std::uint64_t bytes = 0;                // Reads, writes, publishes; the new size of truncate and allocate.
};

// What goes wrong. Up to kDroppedSync the program is told; then the device lies.
enum class FaultKind : std::uint8_t {
  kError,             // An error, and nothing was done.
  kTorn,              // A transfer stops in the middle, with an error.
  kShort,             // A transfer does half of its bytes, and says so.
  kDroppedSync,       // A sync fails, and the pages of the file that were not durable are forgotten: reads show it.
  kFlippedRead,       // A read gives one wrong bit; the next one is right.
  kStaleRead,         // A read gives what was durable before the file's last sync.
  kFlippedWrite,      // One bit of what a write stores is wrong from then on.
  kLostWrite,         // A write stores nothing; where it makes the file longer there are zeros.
  kMisdirectedWrite,  // A write stores its bytes elsewhere in the file.
  kDelay,             // An operation takes long, by the simulated clock; on a real thread it does not.
};

// How an operation goes wrong.
struct Fault {
  // `error` is an errno value; a read or write transfers `bytes_done` bytes (at most as many as asked) before it.
  // With error 0 it is a short transfer that reports no error; other operations then succeed.
  Fault(int error_value, std::size_t bytes = 0) : error(error_value), bytes_done(bytes) {}  // NOLINT
  int error = 0;
  std::size_t bytes_done = 0;
  // From kDroppedSync on what is said there happens; else `error` and `bytes_done` say it all. No effect where the kind
  // cannot befall the operation.
  FaultKind kind = FaultKind::kError;
  std::uint64_t draw = 0;      // Which bit, which place: any number.
  std::uint64_t delay_ns = 0;  // Of kDelay.
};

// Answers nothing to let the operation through: `return EIO;`, `return std::nullopt;`. It may call the file system,
// crash_clone included (its own calls are operations too).
using FaultHook = std::function<std::optional<Fault>(const Operation&)>;

enum class CrashMode : std::uint8_t {
  kDropUnsynced,  // Power failure, nothing reached the device early.
  kKeepAll,       // The process was killed: the operating system lost nothing.
  kRandom,        // Power failure: each unsynced piece, size change and name kept or lost by chance.
};

// One state of CrashProfile::kStrict (kKeepAll: of kProcessKill), with the pieces of CrashGrain's defaults.
struct CrashOptions {
  CrashMode mode = CrashMode::kDropUnsynced;
  std::uint64_t seed = 0;           // kRandom: the same seed over the same history gives the same state.
  std::uint32_t keep_percent = 50;  // kRandom: how likely each piece is kept.
};

class FIRN_EXPORT SimFileSystem final : public FileSystem {
 public:
  struct Options {
    bool mappings = false;  // File::map() works (a copy of the file as it is then); else kNotSupported.
  };
  SimFileSystem();
  explicit SimFileSystem(Options options);
  ~SimFileSystem() override;

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
  std::uint64_t mapping_budget_bytes() override;  // Without end where mappings work.

  // A new file system in the state that a crash now would leave, durable unless the process was only killed: no locks
  // are held, no hook or capacity is set. This one is unchanged. Cost: proportional to the number of files and of
  // pending bytes.
  std::unique_ptr<SimFileSystem> crash_clone(const CrashOptions& options) const;
  // This moment, with every state that a crash now could leave. Cost: proportional to the number of files and of
  // pending operations, whatever their bytes. Inside a fault hook the operation asked about is still running: of its
  // bytes any number may be there.
  CrashPoint crash_point(CrashProfile profile, CrashGrain grain = {}) const;
  // Of every name, size and byte that programs see: file systems with equal hashes are equal. Cheap to ask again, for
  // pages remember theirs.
  std::uint64_t content_hash() const;

  // Everything that is not durable, in order of time.
  std::vector<PendingOperation> pending_operations() const;

  // Consulted before each operation; an empty function removes it.
  void set_fault_hook(FaultHook hook);
  // Writes, allocations and new logs that would take the sum of file sizes beyond `bytes` fail with ENOSPC after what
  // still fits. Initially 2^63.
  void set_capacity(std::uint64_t bytes);
  // The number of operations so far: the index of the next one.
  std::uint64_t operation_count() const;

 private:
  friend class CrashPoint;
  explicit SimFileSystem(std::unique_ptr<internal::SimState> state);

  const std::unique_ptr<internal::SimState> state_;
};

}  // namespace firn::sim
