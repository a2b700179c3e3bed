// Edits in sound frames, their payloads taken from the input: decoding, checking and applying them must stand, and what
// is accepted must say the same after another trip.
#include <span>
#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "lsm/file_names.h"
#include "lsm/manifest_reader.h"
#include "platform/assert.h"
#include "platform/io.h"
#include "tests/fuzz/sealed_files.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace firn::lsm;

void check_round_trip(const ManifestState& state) {
  const std::string bytes = encode_version_edit(state.snapshot());
  const Result<VersionEdit> edit = decode_version_edit(bytes);
  FIRN_ASSERT(edit.ok() && ManifestState().check(*edit).ok());
  ManifestState again;
  again.apply(*edit);
  FIRN_ASSERT(encode_version_edit(again.snapshot()) == bytes);
}

void run(Slice input) {
  const std::string file = sealed_manifest(input);
  sim::SimFileSystem files;
  auto out = files.open(manifest_path("/", 1), OpenMode::kCreate, FileKind::kManifest);
  FIRN_ASSERT(out.ok() && write_all(**out, 0, std::as_bytes(std::span(file))).ok());
  const Result<LoadedManifest> loaded = load_manifest(files, "/", 1);
  if (loaded.ok()) return check_round_trip(loaded->state);
  const StatusCode code = loaded.status().code();
  FIRN_ASSERT(code == StatusCode::kCorruption || code == StatusCode::kNewerFormat);
}

std::vector<std::string> seeds() { return {manifest_input(sample_edits())}; }

const Registration kRegistered({"manifest", run, seeds, 50'000});

}  // namespace

}  // namespace firn::fuzz
