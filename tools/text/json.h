// Keys and values in JSON: text where they are UTF-8, else hexadecimal under a name that says so.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "firn/slice.h"
#include "firn/status.h"

namespace firn::tools {

using Json = nlohmann::ordered_json;

bool is_utf8(Slice bytes);
// Adds "name": text, or "name_hex": digits where `bytes` are not UTF-8 (or `hex` asks for it).
void put_bytes(Json& object, const std::string& name, Slice bytes, bool hex = false);
// What put_bytes wrote. Errors: kInvalidArgument when neither member, or both, are there, or the wrong type.
Result<std::string> get_bytes(const Json& object, const std::string& name);

}  // namespace firn::tools
