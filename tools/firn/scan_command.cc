// scan.

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "tools/firn/commands.h"

namespace firn::tools {

namespace {

struct ScanArguments {
  std::string database;
  std::optional<std::string> prefix;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string schema;
  std::uint64_t limit = UINT64_MAX;
  bool reverse = false;
  bool keys_only = false;
  bool count = false;
};

// The least string after all that begin with `prefix`; absent when there is none.
std::optional<std::string> after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

class Scan {
 public:
  Scan(const GlobalOptions& options, const ScanArguments& arguments)
      : session_(options, "scan"), arguments_(arguments), schema_(codec::find_key_schema(arguments.schema)) {}

  ExitCode run() {
    if (!arguments_.schema.empty() && schema_ == nullptr) {
      return session_.fail("--schema", Status(StatusCode::kInvalidArgument,
                                              "no schema '" + arguments_.schema + "' (tuple, entity, time, series)"));
    }
    IteratorOptions bounds;
    bounds.lazy_values = arguments_.keys_only || arguments_.count;
    if (Status status = read_bounds(bounds); !status.ok()) return session_.fail("bounds", status);
    if (session_.open(arguments_.database, Access::kRead) == nullptr) return session_.exit_code();
    const auto family = session_.family(Access::kRead);
    if (!family) return session_.exit_code();
    Iterator rows = session_.db().iterator(*family, bounds);
    return walk(rows);
  }

 private:
  Result<std::string> bound(const std::string& text) const {
    if (schema_ == nullptr) return session_.bytes(text);
    std::string bytes;
    if (Status status = schema_->parse_prefix(text, bytes); !status.ok()) return status;
    return bytes;
  }

  Status read_bounds(IteratorOptions& bounds) const {
    const auto read = [this](const std::optional<std::string>& text, std::optional<std::string>& into) {
      if (!text) return Status();
      auto bytes = bound(*text);
      if (!bytes.ok()) return bytes.status();
      into = *std::move(bytes);
      return Status();
    };
    std::optional<std::string> prefix;
    if (Status status = read(arguments_.from, bounds.lower); !status.ok()) return status;
    if (Status status = read(arguments_.to, bounds.upper); !status.ok()) return status;
    if (Status status = read(arguments_.prefix, prefix); !status.ok()) return status;
    if (!prefix) return {};
    bounds.lower = std::max(bounds.lower.value_or(""), *prefix);
    if (const auto end = after_prefix(*prefix)) bounds.upper = std::min(bounds.upper.value_or(*end), *end);
    return {};
  }

  ExitCode walk(Iterator& rows) {
    const auto move = [&] { return arguments_.reverse ? rows.prev() : rows.next(); };
    std::uint64_t count = 0;
    Json document = Json::array();
    Step step = Step::kEnd;
    while (count < arguments_.limit && !interrupted() && (step = move()) == Step::kEntry) {
      ++count;
      if (arguments_.count) continue;
      if (!arguments_.keys_only && (step = rows.copy_value(value_)) != Step::kEntry) break;
      if (session_.options().json) {
        document.push_back(row(rows));
      } else {
        print(rows);
      }
    }
    if (step == Step::kError) return session_.fail(rows.status());
    if (interrupted()) {
      fmt::print(stderr, "firn: scan: interrupted after {} rows\n", count);
      return kExitInterrupted;
    }
    if (arguments_.count) {
      if (session_.structured()) {
        print_json(Json{{"count", count}});
      } else {
        fmt::print("{}\n", count);
      }
    } else if (session_.options().json) {
      print_json(document);
    }
    return session_.close();
  }

  Json row(const Iterator& rows) const {
    Json row;
    std::string decoded;
    if (schema_ == nullptr) {
      put_bytes(row, "key", rows.key(), session_.options().hex);
    } else if (Status status = schema_->format_json(rows.key(), decoded); status.ok()) {
      row["key"] = Json::parse(decoded);
    } else {
      put_bytes(row, "key", rows.key(), true);
      row["schema_error"] = std::string(status.message());
    }
    if (!arguments_.keys_only) put_bytes(row, "value", value_, session_.options().hex);
    return row;
  }

  void print(const Iterator& rows) {
    if (session_.structured()) return print_json(row(rows));
    std::string line;
    if (schema_ == nullptr) {
      line = session_.text(rows.key());
    } else if (Status status = schema_->format_text(rows.key(), line); !status.ok()) {
      line = fmt::format("{} (not a {} key: {})", session_.text(rows.key()), schema_->name(), status.message());
    }
    if (!arguments_.keys_only) line.append("\t").append(session_.text(value_));
    fmt::print("{}\n", line);
  }

  Session session_;
  const ScanArguments& arguments_;
  const codec::KeySchema* schema_;
  std::string value_;  // Of the present row.
};

}  // namespace

void add_scan_command(Tool tool) {
  auto arguments = std::make_shared<ScanArguments>();
  CLI::App* command = tool.app.add_subcommand("scan", "Print rows in key order, key TAB value");
  command->add_option("DB", arguments->database, "Database directory")->required();
  command->add_option("--prefix", arguments->prefix, "Only keys that begin with this");
  command->add_option("--from", arguments->from, "First key");
  command->add_option("--to", arguments->to, "End, exclusive");
  command->add_option("--schema", arguments->schema,
                      "Read and print keys as tuple, entity, time or series keys (docs/codecs.md)");
  command->add_option("--limit", arguments->limit, "At most so many rows");
  command->add_flag("--reverse", arguments->reverse, "Last key first");
  command->add_flag("--keys-only", arguments->keys_only, "Without values");
  command->add_flag("--count", arguments->count, "Only their number");
  command->callback([tool, arguments] { tool.exit_code = Scan(tool.options, *arguments).run(); });
}

}  // namespace firn::tools
