// Tested by tests/codec/keys/schema_test.cc.
#include "codec/keys/key_text.h"

#include <charconv>
#include <chrono>
#include <cmath>

namespace firn::codec {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kDecimalDigits = "0123456789";
constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr std::uint64_t kExactMax = (std::uint64_t{1} << 53) - 1;  // Up to here a double holds every integer.

void append_hex_byte(std::string& out, unsigned char byte) {
  out.push_back(kHexDigits[byte >> 4]);
  out.push_back(kHexDigits[byte & 15]);
}

void append_padded(std::string& out, std::uint64_t value, std::size_t width) {
  const std::size_t start = out.size();
  append_decimal(out, value);
  const std::size_t size = out.size() - start;
  if (size < width) out.insert(start, width - size, '0');
}

// Bytes of the UTF-8 character at the beginning of `bytes`, 0 where there is none (overlong, surrogate, cut off).
std::size_t utf8_bytes(Slice bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto follows = [&](std::size_t i) { return i < bytes.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    return first == 0xED && byte(1) >= 0xA0 ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    return first == 0xF4 && byte(1) >= 0x90 ? 0 : 4;
  }
  return 0;
}

// Of the character of `size` bytes that `bytes` begins with: C0, DEL and C1 (U+0080 to U+009F), and the line and
// paragraph separators and direction overrides, with which text can pretend to be other text.
bool is_control(Slice bytes, std::size_t size) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (size == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (size == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (size != 3 || byte(0) != 0xE2) return false;
  const bool separator_or_override = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;  // U+2028 to U+202E.
  return separator_or_override || (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);   // U+2066 to U+2069.
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

bool is_utf8(Slice bytes) {
  while (!bytes.empty()) {
    const std::size_t size = utf8_bytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void append_escaped_text(std::string& out, Slice bytes, std::string_view special) {
  while (!bytes.empty()) {
    const char c = bytes[0];
    std::size_t size = utf8_bytes(bytes);
    if (c == '\t' || c == '\n' || c == '\r') {
      out.append(c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r");
    } else if (size == 0 || is_control(bytes, size)) {
      size = size == 0 ? 1 : size;
      for (const char byte : bytes.substr(0, size))
        append_hex_byte(out.append("\\x"), static_cast<unsigned char>(byte));
    } else {
      if (c == '\\' || special.find(c) != std::string_view::npos) out.push_back('\\');
      out.append(bytes.substr(0, size));
    }
    bytes.remove_prefix(size);
  }
}

void append_instant_text(std::string& out, std::int64_t ms) {
  using std::chrono::days, std::chrono::floor, std::chrono::milliseconds, std::chrono::sys_time;
  constexpr std::int64_t kFirst = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
  constexpr std::int64_t kLast = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z
  out.push_back('@');
  if (ms < kFirst || ms > kLast) return append_decimal(out, ms);
  const sys_time<milliseconds> time{milliseconds(ms)};
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = static_cast<std::uint64_t>((time - day).count());
  append_padded(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  append_padded(out.append("-"), static_cast<unsigned>(date.month()), 2);
  append_padded(out.append("-"), static_cast<unsigned>(date.day()), 2);
  append_padded(out.append("T"), of_day / 3'600'000, 2);
  append_padded(out.append(":"), of_day / 60'000 % 60, 2);
  append_padded(out.append(":"), of_day / 1000 % 60, 2);
  append_padded(out.append("."), of_day % 1000, 3);
  out.push_back('Z');
}

void append_decimal(std::string& out, std::uint64_t value) {
  char buffer[20];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_decimal(std::string& out, std::int64_t value) {
  char buffer[20];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_double_text(std::string& out, double value) {
  if (std::isinf(value)) {
    out.append(value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  char buffer[32];
  const std::string_view text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  out.append(text);
  if (text.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<unsigned char>(c) >= 0x20) {
      out.push_back(c);
    } else {
      append_hex_byte(out.append("\\u00"), static_cast<unsigned char>(c));
    }
  }
  out.push_back('"');
}

void append_json_bytes(std::string& out, std::string_view name, Slice bytes) {
  out.append("\"").append(name);
  if (is_utf8(bytes)) return append_json_string(out.append("\":"), bytes);
  out.append("_hex\":\"");
  for (const char byte : bytes) append_hex_byte(out, static_cast<unsigned char>(byte));
  out.push_back('"');
}

void append_json_integer(std::string& out, std::uint64_t value) {
  const std::string_view quote = value > kExactMax ? "\"" : "";
  append_decimal(out.append(quote), value);
  out.append(quote);
}

void append_json_integer(std::string& out, std::int64_t value) {
  const std::uint64_t magnitude = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const std::string_view quote = magnitude > kExactMax ? "\"" : "";
  append_decimal(out.append(quote), value);
  out.append(quote);
}

bool TextReader::fail_at(std::size_t offset, std::string_view why) {
  if (why_.empty()) {
    failed_at_ = offset;
    why_ = why;
  }
  return false;
}

Status TextReader::status(std::string_view what) const {
  if (why_.empty()) return {};
  std::string message(what);
  message.append(": character ").append(std::to_string(failed_at_ + 1)).append(": ").append(why_);
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

bool TextReader::take(char expected) {
  if (at_end() || text_[offset_] != expected) return false;
  ++offset_;
  return true;
}

bool TextReader::take(std::string_view expected) {
  if (!text_.substr(offset_).starts_with(expected)) return false;
  offset_ += expected.size();
  return true;
}

bool TextReader::take_blanks() { return !run(" ").empty(); }

std::string_view TextReader::run(std::string_view members) {
  const std::size_t start = offset_;
  offset_ = std::min(text_.find_first_not_of(members, start), text_.size());
  return text_.substr(start, offset_ - start);
}

bool TextReader::hex_byte(std::string& out) {
  if (text_.size() - offset_ < 2) return fail("\\x takes two hexadecimal digits");
  const int high = hex_value(text_[offset_]);
  const int low = hex_value(text_[offset_ + 1]);
  if (high < 0 || low < 0) return fail("\\x takes two hexadecimal digits");
  out.push_back(static_cast<char>(high << 4 | low));
  offset_ += 2;
  return true;
}

bool TextReader::escaped(std::string& out, std::string_view stops) {
  while (!at_end() && stops.find(text_[offset_]) == std::string_view::npos) {
    const char c = text_[offset_++];
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (at_end()) return fail("nothing follows the \\");
    const char code = text_[offset_++];
    switch (code) {
      case 't': out.push_back('\t'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 'x':
        if (!hex_byte(out)) return false;
        break;
      default:
        if (hex_value(code) >= 0 || (code >= 'g' && code <= 'z') || (code >= 'G' && code <= 'Z')) {
          return fail_at(offset_ - 1, "unknown escape: there are \\t, \\n, \\r, \\xNN, and \\ before punctuation");
        }
        out.push_back(code);
    }
  }
  return true;
}

bool TextReader::unsigned_decimal(std::uint64_t& value) {
  const std::size_t start = offset_;
  const std::string_view text = run(kDecimalDigits);
  if (text.empty()) return fail_at(start, "a number is expected");
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() || fail_at(start, "the number does not fit in 64 bits");
}

bool TextReader::signed_decimal(std::int64_t& value) {
  const std::size_t start = offset_;
  take('-');
  if (run(kDecimalDigits).empty()) return fail_at(start, "a number is expected");
  const auto result = std::from_chars(text_.data() + start, text_.data() + offset_, value);
  return result.ec == std::errc() || fail_at(start, "the number does not fit in 64 bits, signed");
}

bool TextReader::digits(std::size_t count, std::int64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = peek();
    if (c < '0' || c > '9') return fail("a date is written 2015-03-24T02:00:00.000Z");
    value = value * 10 + (c - '0');
    ++offset_;
  }
  return true;
}

bool TextReader::instant(std::int64_t& ms) {
  constexpr std::string_view kForm = "a date is written 2015-03-24T02:00:00.000Z";
  if (!take('@')) return fail("an instant begins with @");
  const std::size_t start = offset_;
  const bool is_date = text_.size() - offset_ > 4 && text_[offset_ + 4] == '-' && text_[offset_] != '-';
  if (!is_date) return signed_decimal(ms);

  std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0;
  if (!digits(4, year) || !take('-') || !digits(2, month) || !take('-') || !digits(2, day)) return fail(kForm);
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return fail_at(start, "there is no such day");
  if (take('T')) {
    if (!digits(2, hour) || !take(':') || !digits(2, minute)) return fail(kForm);
    if (take(':') && !digits(2, second)) return false;
    if (take('.')) {
      const std::string_view text = run(kDecimalDigits);
      if (text.empty() || text.size() > 3) return fail("seconds have up to three fractional digits");
      std::from_chars(text.data(), text.data() + text.size(), fraction);
      for (std::size_t i = text.size(); i < 3; ++i) fraction *= 10;
    }
    take('Z');
  }
  if (hour > 23 || minute > 59 || second > 59) return fail_at(start, "there is no such time of day");
  ms = std::chrono::sys_days(date).time_since_epoch().count() * kMsPerDay + hour * 3'600'000 + minute * 60'000 +
       second * 1000 + fraction;
  return true;
}

}  // namespace firn::codec
