// Keys of everything that belongs to one entity, side by side: [id, 8 bytes big-endian][0x00][tag][suffix].
// Byte order is the numeric order of ids, then of tags, then the bytes of the suffix. Format: docs/codecs.md#entities.
// Keys of one (id, tag) are as prefix-free as their suffixes are; across ids and tags no key begins another.
//
// Thread safety: pure functions. None allocates, but for growth of the caller's string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "firn/codec/key_bytes.h"
#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

// What a row of an entity is. Stored in keys: never renumber. 7..63 are kept for Firn; 64..255 are the user's own:
// static_cast<EntityTag>(64). 0 is never a tag.
enum class EntityTag : std::uint8_t {
  kEvt = 1,   // Event.
  kSig = 2,   // Signal.
  kMeta = 3,  // Description.
  kRel = 4,   // Relation to another entity.
  kMv = 5,    // Materialised view.
  kIdx = 6,   // Index row.
};
inline constexpr std::uint8_t kEntityUserTagMin = 64;

inline constexpr std::size_t kEntityPrefixBytes = 9;
inline constexpr std::size_t kEntityTagPrefixBytes = 10;

struct EntityKey {
  std::uint64_t id = 0;
  EntityTag tag{};
  Slice suffix;  // Any bytes, also none.
};

// Precondition: the tag is not 0.
FIRN_EXPORT void append_entity_key(std::string& out, const EntityKey& key);

// `suffix` of the result borrows from `key`. Errors: kInvalidArgument where `key` is not of this form.
FIRN_EXPORT Result<EntityKey> parse_entity_key(Slice key);

// What every key of the entity begins with, and no other key.
FIRN_EXPORT KeyBytes<kEntityPrefixBytes> entity_prefix(std::uint64_t id);

// What every key of the entity under `tag` begins with, and no other key.
FIRN_EXPORT KeyBytes<kEntityTagPrefixBytes> entity_tag_prefix(std::uint64_t id, EntityTag tag);

}  // namespace firn::codec
