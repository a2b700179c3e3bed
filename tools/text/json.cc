#include "tools/text/json.h"

#include "tools/text/escape.h"

namespace firn::tools {

bool is_utf8(Slice bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + more >= bytes.size()) return false;
    std::uint32_t point = lead & (0x3FU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3FU);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

void put_bytes(Json& object, const std::string& name, Slice bytes, bool hex) {
  if (!hex && is_utf8(bytes)) {
    object[name] = std::string(bytes);
  } else {
    object[name + "_hex"] = to_hex(bytes);
  }
}

Result<std::string> get_bytes(const Json& object, const std::string& name) {
  const auto text = object.find(name);
  const auto digits = object.find(name + "_hex");
  if ((text == object.end()) == (digits == object.end())) {
    return Status(StatusCode::kInvalidArgument, "needs either \"" + name + "\" or \"" + name + "_hex\"");
  }
  const Json& member = text != object.end() ? *text : *digits;
  if (!member.is_string()) return Status(StatusCode::kInvalidArgument, "\"" + name + "\" is not a string");
  if (text != object.end()) return member.get<std::string>();
  return from_hex(member.get_ref<const std::string&>());
}

}  // namespace firn::tools
