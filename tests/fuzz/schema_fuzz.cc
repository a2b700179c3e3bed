// Any bytes as a raw key and as a readable one, by each schema: refused, or the two forms lead to each other.
#include <cstddef>
#include <cstdint>

#include "firn/codec/schema.h"
#include "platform/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const firn::Slice bytes(reinterpret_cast<const char*>(data), size);
  if (size > firn::kKeyBytesMax) return 0;
  for (const firn::codec::KeySchema* schema : firn::codec::key_schemas()) {
    std::string text, json, key;
    const bool shown = schema->format_text(bytes, text).ok();
    FIRN_ASSERT(shown == schema->format_json(bytes, json).ok());
    if (shown) {
      FIRN_ASSERT(schema->parse_key(text, key).ok());
      FIRN_ASSERT(key == bytes);
    }
    std::string parsed, prefix;
    if (schema->parse_key(bytes, parsed).ok()) {
      std::string again;
      text.clear();
      FIRN_ASSERT(schema->format_text(parsed, text).ok());
      FIRN_ASSERT(schema->parse_key(text, again).ok());
      FIRN_ASSERT(again == parsed);
      FIRN_ASSERT(schema->parse_prefix(bytes, prefix).ok());
      FIRN_ASSERT(parsed.starts_with(prefix));
    }
  }
  return 0;
}
