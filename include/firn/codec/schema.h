// Keys as people read and write them, for tools: a schema knows one of the key codecs, shows its raw keys as text and
// as JSON, and reads the text back. The grammar of each: docs/codecs.md#readable-keys.
//
//   tuple    ["user" 42 -0.5 nil :order/placed @2015-03-24T02:00:00.000Z ["nested" 7] ~1]     (~ is descending)
//   entity   42/Rel/suffix
//   time     prefix @2015-03-24T02:00:00.000Z 01ARZ3NDEKTSV4RRFFQ69G5FAV
//   series   7 @2015-03-24T02:00:00.000Z
//
// Text is one line without tabs or control characters: bytes that do not print are \xNN. It is exact: parse_key gives
// back the bytes of the key it came from.
//
// Thread safety: schemas are constants; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

class FIRN_EXPORT KeySchema {
 public:
  virtual ~KeySchema() = default;

  // As given to find_key_schema.
  virtual std::string_view name() const = 0;

  // All of these append to `out`, and leave it as it was on failure.
  // Errors of both: kInvalidArgument where `key` does not fit the schema, saying which byte and why.
  virtual Status format_text(Slice key, std::string& out) const = 0;
  // One JSON object, no line breaks. Integers beyond 2^53 are strings; text that is not UTF-8 is hexadecimal.
  virtual Status format_json(Slice key, std::string& out) const = 0;
  // A whole key. Errors: kInvalidArgument, with the character at which `text` stops being one.
  virtual Status parse_key(std::string_view text, std::string& out) const = 0;
  // The beginning of keys: leading parts of the text form, or all of it. The bytes are what exactly the meant keys
  // begin with, and at the same time the least bound of these keys: fit for --prefix, --from and --to.
  virtual Status parse_prefix(std::string_view text, std::string& out) const = 0;
};

// The schema of that name; null where there is none. Never destroyed.
FIRN_EXPORT const KeySchema* find_key_schema(std::string_view name);

// All schemas, in the order of their names above.
FIRN_EXPORT std::span<const KeySchema* const> key_schemas();

}  // namespace firn::codec
