// Writes one value file: records in, references out, one pass; memory for the directory (16 bytes a record) and an
// output buffer. Format: sstable/value_format.h.
//
// Thread safety: one thread at a time. Lifetime: the file outlives the builder, which neither closes nor removes it.
// A builder destroyed before finish() leaves a file that is no value file; the caller removes it.
#pragma once

#include <cstdint>
#include <string>

#include "firn/file_system.h"
#include "firn/options.h"
#include "firn/status.h"
#include "sstable/output.h"
#include "sstable/value_format.h"

namespace firn {

class ValueBuilder {
 public:
  // `file` is new and empty. `id`: as ValueMeta::id. `compression`: available; values that do not shrink are stored as
  // they are.
  ValueBuilder(File& file, std::uint64_t id, Compression compression);

  // Appends a record of any key and value; its bytes are read during the call only. Errors: kIo, kNoSpace,
  // kOutOfMemory. The first error is final: every later call returns it.
  Result<ValueReference> add(Slice key, Slice value);

  std::uint64_t records() const { return meta_.records; }
  // Size of the file if finished now.
  std::uint64_t file_bytes() const { return output_.offset() + directory_.size() + sstable::kValueFooterBytes; }

  // Completes the file and syncs it: its bytes, not its name, are on the device when it returns.
  // Call once, after at least one record (kInvalidArgument otherwise). Errors: as add().
  Result<ValueMeta> finish();

 private:
  Status fail(Status status) {
    status_ = status;
    return status;
  }
  Status append(Slice bytes);

  const std::string path_;
  const Compression compression_;
  sstable::Output output_;
  std::string directory_;
  std::string compressed_;
  ValueMeta meta_;
  Status status_;  // The first error.
};

}  // namespace firn
