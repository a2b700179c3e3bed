// Any bytes as an entity key: refused, or exactly what encoding the parts makes.
#include <cstddef>
#include <cstdint>

#include "firn/codec/entity_key.h"
#include "platform/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const firn::Slice key(reinterpret_cast<const char*>(data), size);
  const auto parsed = firn::codec::parse_entity_key(key);
  if (!parsed.ok()) return 0;
  std::string copy;
  firn::codec::append_entity_key(copy, *parsed);
  FIRN_ASSERT(copy == key);
  FIRN_ASSERT(key.starts_with(firn::codec::entity_tag_prefix(parsed->id, parsed->tag)));
  return 0;
}
