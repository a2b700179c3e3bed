// Any bytes as an edit of the manifest: refused, or what is written back means the same.
#include <string>
#include <vector>

#include "lsm/version_edit.h"
#include "platform/assert.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace firn::lsm;

void run(Slice input) {
  const Result<VersionEdit> edit = decode_version_edit(input);
  if (!edit.ok()) {
    const StatusCode code = edit.status().code();
    return FIRN_ASSERT(code == StatusCode::kInvalidArgument || code == StatusCode::kNewerFormat);
  }
  const std::string bytes = encode_version_edit(*edit);
  const Result<VersionEdit> again = decode_version_edit(bytes);
  FIRN_ASSERT(again.ok() && encode_version_edit(*again) == bytes);
}

const Registration kRegistered({"version_edit", run, sample_edits, 100'000});

}  // namespace

}  // namespace firn::fuzz
