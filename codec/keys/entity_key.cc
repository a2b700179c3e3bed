#include "firn/codec/entity_key.h"

#include "codec/keys/big_endian.h"
#include "platform/assert.h"

namespace firn::codec {

void append_entity_key(std::string& out, const EntityKey& key) {
  const auto prefix = entity_tag_prefix(key.id, key.tag);
  out.append(prefix).append(key.suffix);
}

Result<EntityKey> parse_entity_key(Slice key) {
  const auto refuse = [](const char* why) { return Status(StatusCode::kInvalidArgument, why); };
  if (key.size() < kEntityTagPrefixBytes) return refuse("not an entity key: shorter than 10 bytes");
  if (key[8] != '\0') return refuse("not an entity key: byte 8 is not zero");
  if (key[9] == '\0') return refuse("not an entity key: byte 9 is no tag");
  return EntityKey{load_big_endian(key.data()), static_cast<EntityTag>(key[9]), key.substr(kEntityTagPrefixBytes)};
}

KeyBytes<kEntityPrefixBytes> entity_prefix(std::uint64_t id) {
  KeyBytes<kEntityPrefixBytes> prefix;
  store_big_endian(prefix.bytes.data(), id);
  return prefix;
}

KeyBytes<kEntityTagPrefixBytes> entity_tag_prefix(std::uint64_t id, EntityTag tag) {
  FIRN_ASSERT(tag != EntityTag{});
  KeyBytes<kEntityTagPrefixBytes> prefix;
  store_big_endian(prefix.bytes.data(), id);
  prefix.bytes[9] = static_cast<char>(tag);
  return prefix;
}

}  // namespace firn::codec
