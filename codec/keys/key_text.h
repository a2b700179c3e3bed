// What the readable forms of keys have in common: escaped text, instants, JSON strings, and a reader of such text.
// Grammar: docs/codecs.md#readable-keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

// Appends `bytes` with every byte that does not print as \xNN (or \t, \n, \r), and `\` and the characters of `special`
// behind a `\`. Valid UTF-8 stays as it is, except for control characters.
void append_escaped_text(std::string& out, Slice bytes, std::string_view special);

// Appends @2015-03-24T02:00:00.000Z, or @ and the milliseconds outside of the years 0000 to 9999.
void append_instant_text(std::string& out, std::int64_t ms);

void append_decimal(std::string& out, std::uint64_t value);
void append_decimal(std::string& out, std::int64_t value);
// The shortest text that reads back as `value`; always with a point, an exponent, or as Infinity or -Infinity.
void append_double_text(std::string& out, double value);

// Appends a quoted JSON string; precondition: `text` is UTF-8.
void append_json_string(std::string& out, std::string_view text);
// Appends `"name":"text"`, or `"name_hex":"..."` where `bytes` are not UTF-8.
void append_json_bytes(std::string& out, std::string_view name, Slice bytes);
// A number, or a string beyond what a double holds exactly.
void append_json_integer(std::string& out, std::uint64_t value);
void append_json_integer(std::string& out, std::int64_t value);

bool is_utf8(Slice bytes);

// Reads text from left to right. A failure is remembered with the place; the first one counts.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  bool at_end() const { return offset_ == text_.size(); }
  // The next character; '\0' at the end.
  char peek() const { return at_end() ? '\0' : text_[offset_]; }
  // Consumes `expected` if it is next.
  bool take(char expected);
  bool take(std::string_view expected);
  // Consumes blanks; true if there was one.
  bool take_blanks();
  // Consumes up to the first character of `stops` that no `\` precedes, or the end; appends what it stands for to
  // `out`.
  bool escaped(std::string& out, std::string_view stops);
  // Consumes the longest run of characters that are in `members`.
  std::string_view run(std::string_view members);
  bool unsigned_decimal(std::uint64_t& value);
  bool signed_decimal(std::int64_t& value);
  // Consumes @ and an instant: milliseconds, a date (2015-03-24), or a date, T or blank, a time with up to three
  // fractional digits of the second, and an optional Z.
  bool instant(std::int64_t& ms);

  // Remembers the failure at the present place; always false.
  bool fail(std::string_view why) { return fail_at(offset_, why); }
  bool fail_at(std::size_t offset, std::string_view why);
  std::size_t offset() const { return offset_; }
  // Ok, or kInvalidArgument: `what`, the character (from 1), and why.
  Status status(std::string_view what) const;

 private:
  bool hex_byte(std::string& out);
  bool digits(std::size_t count, std::int64_t& value);

  std::string_view text_;
  std::size_t offset_ = 0;
  std::size_t failed_at_ = 0;
  std::string_view why_;  // Empty: no failure.
};

}  // namespace firn::codec
