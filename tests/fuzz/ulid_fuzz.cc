// Any text as a ULID: refused, or one whose canonical text reads back as the same.
#include <string>
#include <vector>

#include "firn/codec/ulid.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice input) {
  const auto ulid = codec::parse_ulid(input);
  if (!ulid.ok()) return;
  FIRN_ASSERT(ulid->time_ms() <= codec::kUlidTimeMax);
  const auto again = codec::parse_ulid(ulid->text());
  FIRN_ASSERT(again.ok() && *again == *ulid);
}

std::vector<std::string> seeds() { return {"01ARZ3NDEKTSV4RRFFQ69G5FAV", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}; }

const Registration kRegistered({"ulid", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
