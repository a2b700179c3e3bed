#include "tools/text/escape.h"

#include <optional>

namespace firn::tools {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// The byte that two hexadecimal digits at `at` stand for.
std::optional<char> hex_byte(std::string_view text, std::size_t at) {
  if (at + 2 > text.size()) return std::nullopt;
  const auto high = digit(text[at]);
  const auto low = digit(text[at + 1]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

void append_hex_byte(std::string& out, char byte) {
  out.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
  out.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
}

Status bad_escape(std::size_t at) {
  return Status(StatusCode::kInvalidArgument,
                "character " + std::to_string(at + 1) + R"( begins no escape (use \\, \t, \n, \r or \xNN))");
}

}  // namespace

void append_escaped(std::string& out, Slice bytes) {
  for (const char c : bytes) {
    switch (c) {
      case '\\': out += R"(\\)"; break;
      case '\t': out += R"(\t)"; break;
      case '\n': out += R"(\n)"; break;
      case '\r': out += R"(\r)"; break;
      default:
        if (c >= ' ' && c <= '~') {
          out.push_back(c);
        } else {
          out += R"(\x)";
          append_hex_byte(out, c);
        }
    }
  }
}

std::string escape(Slice bytes) {
  std::string text;
  text.reserve(bytes.size());
  append_escaped(text, bytes);
  return text;
}

Result<std::string> unescape(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes.push_back(text[i]);
      continue;
    }
    const std::size_t at = i++;
    if (i == text.size()) return bad_escape(at);
    switch (text[i]) {
      case '\\': bytes.push_back('\\'); break;
      case 't': bytes.push_back('\t'); break;
      case 'n': bytes.push_back('\n'); break;
      case 'r': bytes.push_back('\r'); break;
      case 'x': {
        const auto byte = hex_byte(text, i + 1);
        if (!byte) return bad_escape(at);
        bytes.push_back(*byte);
        i += 2;
        break;
      }
      default: return bad_escape(at);
    }
  }
  return bytes;
}

std::string to_hex(Slice bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) append_hex_byte(text, byte);
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto byte = hex_byte(text, i);
    if (!byte) {
      return Status(StatusCode::kInvalidArgument,
                    "character " + std::to_string(i + 1) + " begins no pair of hexadecimal digits");
    }
    bytes.push_back(*byte);
  }
  return bytes;
}

}  // namespace firn::tools
