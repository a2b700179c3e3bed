// Decides where the values of a job's output lie: moves large ones into value files, and those of value files that are
// to be emptied into new ones (garbage collection, as WiscKey's and BlobDB's: driven by the merge, so that only values
// that are still referred to are read).
//
// Thread safety: one thread at a time. Lifetime: task and outcome outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/entry.h"
#include "firn/file_system.h"
#include "firn/status.h"
#include "sstable/value_builder.h"
#include "sstable/value_format.h"

namespace firn::compaction {

// A value file to be written: what the caller made for it.
struct OutputValues {
  std::uint64_t id = 0;
  std::unique_ptr<File> file;  // New and empty; destroyed after `builder`.
  std::unique_ptr<ValueBuilder> builder;
};

struct ValueTask {
  std::uint32_t separate_bytes = 0;       // Values of so many bytes go to value files; 0: none.
  std::vector<std::uint64_t> emptied;     // Ids, ascending: live values there move to files of this job.
  std::uint64_t file_bytes = UINT64_MAX;  // A value file is ended beyond it.
  std::function<Result<OutputValues>()> create_file;
  // Reads the value of `key` that a reference of an input leads to. Needed where `emptied` is not empty.
  std::function<Status(const ValueReference& at, Slice key, std::string& value)> read;
};

struct ValueOutcome {
  std::vector<ValueMeta> files;        // Finished ones.
  std::vector<std::uint64_t> created;  // Ids of all begun: unless the job succeeds, the caller removes their files.
  std::uint64_t bytes_written = 0;     // Of files.
  std::uint64_t bytes_moved = 0;       // Values out of emptied files.
};

class ValueSeparator {
 public:
  ValueSeparator(const ValueTask& task, ValueOutcome& outcome) : task_(task), outcome_(outcome) {}

  // Whether place() has anything to do for `entry`.
  bool concerns(const Entry& entry) const {
    if (entry.kind == EntryKind::kReference) return !task_.emptied.empty();
    return entry.kind == EntryKind::kPut && task_.separate_bytes != 0 && entry.value.size() >= task_.separate_bytes;
  }
  // Makes of `entry` the one to be written; it borrows from this object until the next call.
  // Precondition: concerns(entry).
  Status place(Entry& entry);
  // Finishes the last file.
  Status finish();

 private:
  Status move(Entry& entry);
  Status separate(Entry& entry, Slice value);

  const ValueTask& task_;
  ValueOutcome& outcome_;
  OutputValues output_;
  std::string value_;
  std::array<char, sstable::kReferenceBytesMax> reference_{};
};

}  // namespace firn::compaction
