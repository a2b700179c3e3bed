#include "tools/dump/output.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "tools/text/escape.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
constexpr std::size_t kNameColumns = 22;

// Characters of the escape sequence, or of the one character, that begins at `at` of an escaped text.
std::size_t unit_length(std::string_view text, std::size_t at) {
  if (text[at] != '\\') return 1;
  return text[at + 1] == 'x' ? 4 : 2;
}

Json damage_json(const Status& status) {
  Json json;
  json["code"] = status_code_name(status.code());
  if (!status.file().empty()) json["file"] = status.file();
  if (status.offset().has_value()) json["offset"] = *status.offset();
  json["message"] = status.message();
  return json;
}

}  // namespace

std::string hex64(std::uint64_t value) { return fmt::format("{:016x}", value); }

void Output::flush() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), stdout) != buffer_.size()) failed_ = true;
  buffer_.clear();
}

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

std::string Output::coloured(Colour colour, std::string_view text) const {
  if (!options_.colour || options_.json) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", colour == Colour::kHeading ? "1;36" : "1;31", text);
}

void Output::begin_member(std::string_view name) {
  write(any_member_ ? ",\n" : "{\n");
  any_member_ = true;
  write(fmt::format("  {}: ", Json(name).dump()));
}

void Output::field(std::string_view name, const Json& value, std::string_view text) {
  if (json()) {
    begin_member(name);
    write(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  std::string label(name);
  std::replace(label.begin(), label.end(), '_', ' ');
  const std::string plain = value.is_string() ? value.get<std::string>() : value.dump();
  write(fmt::format("  {:<{}} {}\n", label, kNameColumns, text.empty() ? plain : text));
}

void Output::begin_rows(std::string_view name, std::string_view heading) {
  if (json()) {
    begin_member(name);
    write("[");
    any_element_ = false;
  } else {
    write(fmt::format("\n{}\n", coloured(Colour::kHeading, heading)));
  }
}

void Output::end_rows() {
  if (json()) write(any_element_ ? "\n  ]" : "]");
}

void Output::element(const Json& value) {
  if (!json()) return;
  write(any_element_ ? ",\n    " : "\n    ");
  any_element_ = true;
  write(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Output::heading(std::string_view text) {
  if (json()) return;
  write(fmt::format("{}\n", coloured(Colour::kHeading, text)));
}

void Output::line(std::string_view text) {
  if (json()) return;
  write(text);
  write("\n");
}

void Output::wrapped(std::string_view lead, const std::vector<std::string>& tokens) {
  std::string text(lead);
  for (const std::string& token : tokens) {
    if (text.size() > lead.size() && text.size() + 1 + token.size() > kTextColumns) {
      line(text);
      text.assign(lead.size(), ' ');
    }
    text.append(1, ' ').append(token);
  }
  line(text);
}

void Output::bytes_field(const std::string& name, Slice bytes, std::string_view text) {
  Json object;
  put(object, name, bytes);
  const auto member = object.begin();
  field(json() ? member.key() : name, member.value(), text);
}

std::string Output::shortened(Slice bytes, std::size_t columns) const {
  // Every byte takes a column at least: no more of a long value needs to be looked at.
  const Slice start = bytes.substr(0, columns + 1);
  const std::string text = options_.hex ? to_hex(start) : escape(start);
  if (text.size() <= columns) return text;
  const std::string note = fmt::format("... ({} B)", count_text(bytes.size()));
  const std::size_t room = columns > note.size() ? columns - note.size() : 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t length = options_.hex ? 2 : unit_length(text, end);
    if (end + length > room) break;
    end += length;
  }
  return text.substr(0, end) + note;
}

std::string Output::pair(Slice key, Slice value, std::size_t columns) const {
  const std::size_t value_columns = std::min(shortened(value, columns).size(), columns / 2);
  const std::string key_text = shortened(key, columns - value_columns - 2);
  return fmt::format("{}  {}", key_text, shortened(value, columns - key_text.size() - 2));
}

void Output::damage(Status status) { damages_.push_back(std::move(status)); }

Status Output::finish() {
  if (json()) {
    begin_rows("damage", "");
    for (const Status& status : damages_) element(damage_json(status));
    end_rows();
    write("\n}\n");
  } else {
    if (damaged()) write("\n");
    for (const Status& status : damages_) line(coloured(Colour::kDamage, status.to_string()));
  }
  flush();
  if (std::fflush(stdout) != 0) failed_ = true;
  if (failed_) return Status(StatusCode::kIo, "standard output: cannot write all of it");
  return damages_.empty() ? Status() : damages_.front();
}

}  // namespace firn::tools
