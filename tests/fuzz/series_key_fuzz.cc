// Any bytes as a series key: refused, or exactly what encoding the parts makes.
#include <string>
#include <vector>

#include "firn/codec/series_key.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice key) {
  const auto parsed = codec::parse_series_key(key);
  if (parsed.ok()) FIRN_ASSERT(codec::encode_series_key(*parsed).slice() == key);
}

std::vector<std::string> seeds() { return {std::string(codec::encode_series_key({7, 1427162400000}).slice())}; }

const Registration kRegistered({"series_key", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
