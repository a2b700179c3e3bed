// Edits in sound frames, their payloads taken from the input: decoding, checking and applying them must stand, and what
// is accepted must say the same after another trip.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "lsm/file_names.h"
#include "lsm/manifest_format.h"
#include "lsm/manifest_reader.h"
#include "platform/io.h"
#include "platform/memory_file_system.h"

namespace {

using namespace firn;
using namespace firn::lsm;

constexpr wal::DatabaseId kDatabase{1, 2};

void check_round_trip(const ManifestState& state) {
  const std::string bytes = encode_version_edit(state.snapshot());
  const Result<VersionEdit> edit = decode_version_edit(bytes);
  if (!edit.ok() || !ManifestState().check(*edit).ok()) std::abort();
  ManifestState again;
  again.apply(*edit);
  if (encode_version_edit(again.snapshot()) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  EncodedHeader file = encode_manifest_header({kManifestFormatVersion, 1, kDatabase, 1});
  std::uint32_t chain = file.chain;
  for (std::uint64_t number = 1; !input.empty(); ++number) {
    const std::size_t bytes = static_cast<unsigned char>(input[0]);
    const std::string_view payload = input.substr(1, bytes);
    input.remove_prefix(1 + payload.size());
    chain = append_edit(file.bytes, wal::file_salt(kDatabase, 1), file.bytes.size(), number, chain, payload);
  }
  MemoryFileSystem files;
  auto out = files.open(manifest_path("/", 1), OpenMode::kCreate, FileKind::kManifest);
  if (!out.ok() || !write_all(**out, 0, std::as_bytes(std::span(file.bytes))).ok()) std::abort();
  const Result<LoadedManifest> loaded = load_manifest(files, "/", 1);
  if (loaded.ok()) {
    check_round_trip(loaded->state);
  } else if (loaded.status().code() != StatusCode::kCorruption && loaded.status().code() != StatusCode::kNewerFormat) {
    std::abort();
  }
  return 0;
}
