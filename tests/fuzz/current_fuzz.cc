// Any text as CURRENT, as it is and with its checksum put right, and as the name of a file: refused, or spelt in the
// one way in which Firn spells it.
#include <cstdio>
#include <string>
#include <vector>

#include "codec/checksum.h"
#include "lsm/file_names.h"
#include "lsm/manifest_format.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace firn::lsm;

void read_current(Slice text) {
  if (const auto current = decode_current(text)) FIRN_ASSERT(encode_current(*current) == text);
}

void read_name(Slice name) {
  const auto parsed = parse_file_name(name);
  if (!parsed.has_value()) return;
  switch (parsed->kind) {
    case NameKind::kTable: return FIRN_ASSERT(table_path("/", parsed->number) == "/" + std::string(name));
    case NameKind::kValues: return FIRN_ASSERT(value_path("/", parsed->number) == "/" + std::string(name));
    case NameKind::kLog: return FIRN_ASSERT(segment_path("/", parsed->number) == "/" + std::string(name));
    case NameKind::kManifest: return FIRN_ASSERT(manifest_path("/", parsed->number) == "/" + std::string(name));
    case NameKind::kCurrent: return FIRN_ASSERT(name == kCurrentName);
    case NameKind::kLock: return FIRN_ASSERT(name == kLockName);
    case NameKind::kTemporary: return FIRN_ASSERT(name.ends_with(".tmp"));
  }
}

void run(Slice input) {
  read_name(input);
  read_current(input);
  std::string sealed(input.substr(0, input.rfind(' ')));
  sealed += ' ';
  char sum[18];
  std::snprintf(sum, sizeof sum, "%016llx\n", static_cast<unsigned long long>(checksum(sealed, kManifestMagic)));
  read_current(sealed + sum);
}

std::vector<std::string> seeds() {
  return {encode_current({3, 17, {1, UINT64_MAX}}),
          encode_current({}),
          "000007.table",
          "000008.log",
          "MANIFEST-1000000",
          "CURRENT",
          "CURRENT.tmp"};
}

const Registration kRegistered({"current", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
