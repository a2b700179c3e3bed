// Any bytes as a raw key and as a readable one, by each schema: refused, or the two forms lead to each other.
#include <string>
#include <vector>

#include "firn/codec/schema.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice input) {
  if (input.size() > kKeyBytesMax) return;
  for (const codec::KeySchema* schema : codec::key_schemas()) {
    std::string text, json, key;
    const bool shown = schema->format_text(input, text).ok();
    FIRN_ASSERT(shown == schema->format_json(input, json).ok());
    if (shown) {
      FIRN_ASSERT(schema->parse_key(text, key).ok());
      FIRN_ASSERT(key == input);
    }
    std::string parsed, prefix;
    if (schema->parse_key(input, parsed).ok()) {
      std::string again;
      text.clear();
      FIRN_ASSERT(schema->format_text(parsed, text).ok());
      FIRN_ASSERT(schema->parse_key(text, again).ok());
      FIRN_ASSERT(again == parsed);
      FIRN_ASSERT(schema->parse_prefix(input, prefix).ok());
      FIRN_ASSERT(parsed.starts_with(prefix));
    }
  }
}

std::vector<std::string> seeds() {
  return {R"([nil 1 -2.5 "a\x00" :n/k @2015-03-24T02:00:00.000Z [~1 []]])", "42/Rel/x",
          "evt @2015-03-24 01ARZ3NDEKTSV4RRFFQ69G5FAV", "7 @-5"};
}

const Registration kRegistered({"schema", run, seeds, 50'000});

}  // namespace

}  // namespace firn::fuzz
