// Recovery's way from the log to tables: gathers the records of each family, and has background threads sort them and
// write tables of them while more of the log is read. Nothing counts before the one edit at the end, which lists all
// tables and ends the log: a crash in between leaves the log as it was, and files that nobody lists.
//
// Thread safety: one thread at a time; the background threads are its own business. Lifetime: what it is given outlives
// it; destruction waits for the background threads.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "codec/batch_format.h"
#include "firn/platform.h"
#include "lsm/core.h"
#include "lsm/maintenance.h"
#include "platform/sync.h"

namespace firn::lsm {

class LogTables {
 public:
  LogTables(Core& core, Maintenance& maintenance, Executor& executor);
  // Without a finish() that succeeded: removes what was written.
  ~LogTables();
  LogTables(const LogTables&) = delete;
  LogTables& operator=(const LogTables&) = delete;

  // Precondition: `sequence` is larger than all before. Errors: kOutOfMemory; those of an earlier write.
  Status add(FamilyState& family, Sequence sequence, const BatchOperation& op);
  // Everything added is in tables, and `ended_segments` are gone, when Ok; as Maintenance::install_together.
  Status finish(const std::vector<std::uint64_t>& ended_segments);

 private:
  struct Run;
  using NewTables = Maintenance::NewTables;
  using Gathering = std::map<std::uint32_t, std::unique_ptr<Run>>;  // By family id.

  Status hand_over(Gathering::iterator gathered);
  Run& take(Gathering::iterator gathered);
  void write(Run& run);
  Status wait();
  std::vector<NewTables> result() const;

  Core& core_;
  Maintenance& maintenance_;
  Executor& executor_;
  const DirectoryNames::Mark made_after_;
  Gathering gathering_;
  std::uint64_t gathered_bytes_ = 0;
  std::deque<std::unique_ptr<Run>> taken_;  // Being written, or written; of each family in the order of the log.
  bool handed_on_ = false;                  // To Maintenance.

  Mutex mutex_;
  CondVar written_;
  // Guarded by mutex_:
  std::uint32_t writing_ = 0;  // In the background.
  Status failure_;             // The first.
};

}  // namespace firn::lsm
