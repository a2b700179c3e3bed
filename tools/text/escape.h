// Bytes as text, both ways: the one escaping of command lines and text output. Printable ASCII as is, except \\; \t, \n
// and \r; anything else \xNN. Or plain hexadecimal.
#pragma once

#include <string>
#include <string_view>

#include "firn/slice.h"
#include "firn/status.h"

namespace firn::tools {

std::string escape(Slice bytes);
void append_escaped(std::string& out, Slice bytes);
// Errors: kInvalidArgument naming the position of what is no escape.
Result<std::string> unescape(std::string_view text);

std::string to_hex(Slice bytes);
// Errors: kInvalidArgument naming what is not a pair of hexadecimal digits.
Result<std::string> from_hex(std::string_view text);

}  // namespace firn::tools
