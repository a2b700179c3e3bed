// Any bytes as an entity key: refused, or exactly what encoding the parts makes.
#include <string>
#include <vector>

#include "firn/codec/entity_key.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice key) {
  const auto parsed = codec::parse_entity_key(key);
  if (!parsed.ok()) return;
  std::string copy;
  codec::append_entity_key(copy, *parsed);
  FIRN_ASSERT(copy == key);
  FIRN_ASSERT(key.starts_with(codec::entity_tag_prefix(parsed->id, parsed->tag)));
}

std::vector<std::string> seeds() {
  std::string key;
  codec::append_entity_key(key, {42, codec::EntityTag::kRel, "suffix"});
  return {key};
}

const Registration kRegistered({"entity_key", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
