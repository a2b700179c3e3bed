// Where a dump goes: lines of text, or one JSON document, both written as they come, so that files of any size can be
// dumped in little memory. A fact is given once, by its name in JSON: text shows "first_sequence" as "first sequence".
//
// Thread safety: one thread. Lifetime: one Output per call; finish() ends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "firn/slice.h"
#include "firn/status.h"
#include "tools/dump/dump.h"
#include "tools/text/json.h"

namespace firn::tools {

inline constexpr std::size_t kTextColumns = 100;

class Output {
 public:
  explicit Output(const DumpOptions& options) : options_(options) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool json() const { return options_.json; }

  // --- Both forms.
  // A fact. `text`: how people read it; empty: as in JSON.
  void field(std::string_view name, const Json& value, std::string_view text = {});
  // The same of a key or value; in JSON as put() names it.
  void bytes_field(const std::string& name, Slice bytes, std::string_view text);
  // Rows follow, as element() or line(), until end_rows().
  void begin_rows(std::string_view name, std::string_view heading);
  void end_rows();
  // Shown at the end, and the first one the result of finish().
  void damage(Status status);
  // Whether the user wants no more of it: loops over rows end then.
  bool interrupted() const { return options_.interrupted != nullptr && options_.interrupted(); }
  bool damaged() const { return !damages_.empty(); }
  // Ends the output. The first damage; kIo when standard output took not everything.
  Status finish();

  // --- Text: ignored for JSON.
  void heading(std::string_view text);
  void line(std::string_view text);
  // `tokens` with spaces between, broken into lines of kTextColumns; `lead` begins the first line, and as many spaces
  // the others.
  void wrapped(std::string_view lead, const std::vector<std::string>& tokens);
  // A key or value as it is printed, cut to `columns` with a note of its size.
  std::string shortened(Slice bytes, std::size_t columns) const;
  // "key  value" in `columns`.
  std::string pair(Slice key, Slice value, std::size_t columns) const;

  // --- JSON: ignored for text.
  void element(const Json& value);
  // Adds a key or value, whole: "name", or "name_hex" where it is not UTF-8, as in all JSON of the tool.
  void put(Json& object, const std::string& name, Slice bytes) const { put_bytes(object, name, bytes, options_.hex); }

 private:
  enum class Colour { kHeading, kDamage };

  std::string coloured(Colour colour, std::string_view text) const;
  void write(std::string_view text);
  void flush();
  void begin_member(std::string_view name);

  const DumpOptions options_;
  std::string buffer_;
  std::vector<Status> damages_;
  bool any_member_ = false;   // JSON: of the document.
  bool any_element_ = false;  // JSON: of the open array.
  bool failed_ = false;       // Standard output refused something.
};

// Numbers that are names: 16 digits.
std::string hex64(std::uint64_t value);

}  // namespace firn::tools
