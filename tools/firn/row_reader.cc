#include "tools/firn/row_reader.h"

#include <string_view>

#include "tools/text/escape.h"
#include "tools/text/json.h"

namespace firn::tools {

namespace {

Result<Row> parse_tsv(std::string_view line, bool hex) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos || line.find('\t', tab + 1) != std::string_view::npos) {
    return Status(StatusCode::kInvalidArgument, R"(not "key TAB value" (a tab within one of them is \t))");
  }
  const auto bytes = [hex](std::string_view text) { return hex ? from_hex(text) : unescape(text); };
  auto key = bytes(line.substr(0, tab));
  if (!key.ok()) return Status(StatusCode::kInvalidArgument, "key: " + std::string(key.status().message()));
  auto value = bytes(line.substr(tab + 1));
  if (!value.ok()) return Status(StatusCode::kInvalidArgument, "value: " + std::string(value.status().message()));
  return Row{*std::move(key), *std::move(value)};
}

Result<Row> parse_json(const std::string& line) {
  const Json row = Json::parse(line, nullptr, false);
  if (!row.is_object()) return Status(StatusCode::kInvalidArgument, "not a JSON object");
  auto key = get_bytes(row, "key");
  if (!key.ok()) return key.status();
  auto value = get_bytes(row, "value");
  if (!value.ok()) return value.status();
  return Row{*std::move(key), *std::move(value)};
}

}  // namespace

Result<Row> parse_row(const std::string& line, RowFormat format, bool hex) {
  return format == RowFormat::kTsv ? parse_tsv(line, hex) : parse_json(line);
}

}  // namespace firn::tools
