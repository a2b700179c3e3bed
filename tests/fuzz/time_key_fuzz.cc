// Any bytes as a time key: refused, or exactly what encoding the parts makes, within the bounds of its time.
#include <string>
#include <vector>

#include "firn/codec/time_key.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice key) {
  const auto parsed = codec::parse_time_key(key);
  if (!parsed.ok()) return;
  std::string copy, from, to;
  FIRN_ASSERT(codec::append_time_key(copy, *parsed).ok());
  FIRN_ASSERT(copy == key);
  FIRN_ASSERT(codec::append_time_bound(from, parsed->prefix, parsed->time_ms).ok());
  FIRN_ASSERT(codec::append_time_bound(to, parsed->prefix, parsed->time_ms + 1).ok());
  FIRN_ASSERT(from <= key && key < to);
}

std::vector<std::string> seeds() {
  return {"evt:1427162400000:01ARZ3NDEKTSV4RRFFQ69G5FAV", "a:b:0000000000000:00000000000000000000000000"};
}

const Registration kRegistered({"time_key", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
