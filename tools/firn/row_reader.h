// Rows of text input: what `export` and `scan` print, read back to the very same bytes.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

#include "firn/status.h"

namespace firn::tools {

enum class RowFormat : std::uint8_t {
  kTsv,    // key TAB value, escaped.
  kJsonl,  // {"key":..,"value":..}, key_hex and value_hex where they are not text.
};

struct Row {
  std::string key;
  std::string value;
};

// Errors: kInvalidArgument saying what is wrong with the line.
Result<Row> parse_row(const std::string& line, RowFormat format, bool hex);

}  // namespace firn::tools
