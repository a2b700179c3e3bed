// What the built-in crash tests do to a database, step by step, and what the database then holds: a step is one call,
// a history the contents after each.
//
// Thread safety: as for any value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "firn/db.h"

namespace firn::crashtest {

enum class StepKind : std::uint8_t {
  kPut,
  kErase,
  kBatch,         // A put to "default", a put and an erase of the same key to the step's family.
  kSyncedPut,     // A put with Durability::kSync.
  kSync,          // DB::sync.
  kFlush,         // Of the step's family.
  kCompact,       // Likewise.
  kCreateFamily,  // The step's family.
  kDropFamily,
  kSnapshotRead,  // A snapshot, a put behind it, and a read of what was before.
  kReopen,        // Close and open.
  kRotateLog,     // A put so large that the log goes on in another segment, or almost.
};
inline constexpr std::size_t kStepKindCount = 12;

struct Step {
  StepKind kind = StepKind::kPut;
  std::string family = "default";
  std::string key;
  std::string value;
};

// "put", "rotate-log", ...
std::string_view step_name(StepKind kind);

// By family and key. A family without rows is there with an empty map.
using Contents = std::map<std::string, std::map<std::string, std::string>>;

// Where contents are equal, fingerprints are.
std::uint64_t fingerprint(const Contents& contents);
std::uint64_t fingerprint(const std::string& family, const std::map<std::string, std::string>& rows);

// What `step` does to `contents`. A step that names a family that is not there, or creates one that is, does nothing.
void apply(const Step& step, Contents& contents);
// Whether `step` can be done to a database with `contents`.
bool applies(const Step& step, const Contents& contents);

// Everything in `db`. Errors: of the reads.
Result<Contents> read_contents(DB& db);

// The contents after each number of steps, as fingerprints.
class History {
 public:
  explicit History(const std::vector<Step>& steps);

  // The greatest number of steps after which the contents had this fingerprint; absent: never.
  std::optional<std::size_t> steps_before(std::uint64_t contents) const;
  // The same for one family alone; `present`: whether it was there.
  std::optional<std::size_t> steps_before(const std::string& family, const Contents& contents) const;
  // The families that were ever there.
  std::vector<std::string> families() const;

 private:
  std::map<std::uint64_t, std::size_t> last_;                                // By fingerprint.
  std::map<std::string, std::map<std::uint64_t, std::size_t>> family_last_;  // 0: not there.
};

}  // namespace firn::crashtest
