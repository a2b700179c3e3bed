// levels, stats, inspect, dump.

#include <fmt/core.h>

#include <memory>

#include "tools/dump/dump.h"
#include "tools/firn/commands.h"
#include "tools/text/sizes.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

using Run = ExitCode (*)(const GlobalOptions&, const std::string&);

Json level_json(std::size_t level, const LevelInfo& info) {
  return Json{{"level", level},          {"tables", info.tables},         {"bytes", info.bytes},
              {"entries", info.entries}, {"tombstones", info.tombstones}, {"target_bytes", info.target_bytes}};
}

void print_levels(const FamilyProperties& properties) {
  fmt::print("{:>5} {:>8} {:>12} {:>14} {:>12} {:>12}\n", "level", "tables", "size", "entries", "tombstones", "target");
  for (std::size_t level = 0; level < properties.levels.size(); ++level) {
    const LevelInfo& info = properties.levels[level];
    if (info.tables == 0 && info.target_bytes == 0) continue;
    fmt::print("{:>5} {:>8} {:>12} {:>14} {:>12} {:>12}\n", "L" + std::to_string(level), info.tables,
               bytes_text(info.bytes), count_text(info.entries), count_text(info.tombstones),
               info.target_bytes == 0 ? "-" : bytes_text(info.target_bytes));
  }
}

void print_tables(const Session& session, const FamilyProperties& properties) {
  if (properties.tables.empty()) return;
  constexpr std::size_t kKeyWidth = 28;
  const auto shortened = [&session](const std::string& key) {
    const std::string text = session.text(key);
    return text.size() <= kKeyWidth ? text : text.substr(0, kKeyWidth - 2) + "..";
  };
  fmt::print("\n{:>5} {:>8} {:>12} {:>12}  {:<28}  {:<28}\n", "level", "table", "size", "entries", "first key",
             "last key");
  for (const TableInfo& table : properties.tables) {
    fmt::print("{:>5} {:>8} {:>12} {:>12}  {:<28}  {:<28}\n", "L" + std::to_string(table.level), table.id,
               bytes_text(table.bytes), count_text(table.entries), shortened(table.smallest_key),
               shortened(table.largest_key));
  }
}

void print_value_files(const FamilyProperties& properties) {
  if (properties.value_files.empty()) return;
  fmt::print("\n{:>14} {:>12} {:>12} {:>12}\n", "value file", "size", "referred to", "records");
  for (const ValueFileInfo& file : properties.value_files) {
    fmt::print("{:>14} {:>12} {:>12} {:>12}\n", file.id, bytes_text(file.bytes), bytes_text(file.live_bytes),
               count_text(file.records));
  }
}

ExitCode levels(const GlobalOptions& options, const std::string& database) {
  Session session(options, "levels");
  if (session.open(database, Access::kRead) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kRead);
  if (!family) return session.exit_code();
  const auto properties = session.db().properties(*family);
  if (!properties.ok()) return session.fail(properties.status());
  if (!session.structured()) {
    print_levels(*properties);
    print_tables(session, *properties);
    print_value_files(*properties);
    return session.close();
  }
  Json document{{"family", options.family}, {"levels", Json::array()}, {"tables", Json::array()}};
  for (std::size_t level = 0; level < properties->levels.size(); ++level) {
    document["levels"].push_back(level_json(level, properties->levels[level]));
  }
  for (const TableInfo& table : properties->tables) {
    Json row{{"level", table.level}, {"id", table.id},           {"path", table.path},
             {"bytes", table.bytes}, {"entries", table.entries}, {"tombstones", table.tombstones}};
    put_bytes(row, "smallest_key", table.smallest_key, options.hex);
    put_bytes(row, "largest_key", table.largest_key, options.hex);
    row["smallest_sequence"] = table.smallest_sequence;
    row["largest_sequence"] = table.largest_sequence;
    document["tables"].push_back(row);
  }
  document["value_files"] = Json::array();
  for (const ValueFileInfo& file : properties->value_files) {
    document["value_files"].push_back(Json{{"id", file.id},
                                           {"path", file.path},
                                           {"bytes", file.bytes},
                                           {"records", file.records},
                                           {"live_bytes", file.live_bytes}});
  }
  print_json(document);
  return session.close();
}

// The figures of `stats`, in the order they are printed.
Result<Json> statistics(DB& db) {
  Json document;
  std::uint64_t tables = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t value_files = 0;
  std::uint64_t value_bytes = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t memtable_entries = 0;
  std::uint64_t debt = 0;
  for (const FamilyInfo& info : db.families()) {
    const auto properties = db.properties(info.family);
    if (!properties.ok()) return properties.status();
    for (const LevelInfo& level : properties->levels) {
      tables += level.tables;
      bytes += level.bytes;
      entries += level.entries;
      tombstones += level.tombstones;
    }
    for (const ValueFileInfo& file : properties->value_files) {
      ++value_files;
      value_bytes += file.bytes;
      live_bytes += file.live_bytes;
    }
    memtable_entries += properties->memtable_entries;
    debt += properties->compaction_debt_bytes;
  }
  const RecoveryReport& recovery = db.recovery();
  document["families"] = db.families().size();
  document["tables"] = tables;
  document["table_bytes"] = bytes;
  document["table_entries"] = entries;
  document["tombstones"] = tombstones;
  document["value_files"] = value_files;
  document["value_file_bytes"] = value_bytes;
  document["value_live_bytes"] = live_bytes;
  document["compaction_debt_bytes"] = debt;
  document["last_sequence"] = db.visible_sequence();
  document["closed_cleanly"] = recovery.clean;
  document["log_entries_replayed"] = memtable_entries;
  document["log_bytes_read"] = recovery.bytes;
  document["log_bytes_dropped"] = recovery.dropped_bytes;
  document["open_microseconds"] = recovery.elapsed_ns / 1000;
  put_sizes(document, db.sizes());
  return document;
}

ExitCode stats(const GlobalOptions& options, const std::string& database) {
  Session session(options, "stats");
  if (session.open(database, Access::kRead) == nullptr) return session.exit_code();
  const auto document = statistics(session.db());
  if (!document.ok()) return session.fail(document.status());
  if (session.structured()) {
    print_json(*document);
    return session.close();
  }
  for (const auto& [name, value] : document->items()) {
    const bool size = name.size() > 6 && name.compare(name.size() - 6, 6, "_bytes") == 0;
    std::string words = name;
    for (char& c : words) c = c == '_' ? ' ' : c;
    if (value.is_boolean()) {
      fmt::print("{:<24} {}\n", words, value.get<bool>() ? "yes" : "no");
    } else {
      const auto number = value.get<std::uint64_t>();
      fmt::print("{:<24} {}\n", words, size ? bytes_text(number) : count_text(number));
    }
  }
  return session.close();
}

DumpOptions dump_options(const GlobalOptions& options) {
  DumpOptions result;
  result.json = options.json || options.jsonl;
  result.hex = options.hex;
  result.interrupted = interrupted;
  return result;
}

ExitCode inspect_path(const GlobalOptions& options, const std::string& path) {
  const Status status = inspect(path, dump_options(options));
  return status.ok() ? kExitDone : report("inspect", status);
}

ExitCode dump_path(const GlobalOptions& options, const std::string& path) {
  const Status status = dump_file(path, dump_options(options));
  if (interrupted()) return kExitInterrupted;
  return status.ok() ? kExitDone : report("dump", status);
}

void add(Tool tool, const char* name, const char* operand, const char* help, Run run) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = tool.app.add_subcommand(name, help);
  command->add_option(operand, *path, "Path")->required();
  command->callback([tool, path, run] { tool.exit_code = run(tool.options, *path); });
}

}  // namespace

void add_view_commands(Tool tool) {
  add(tool, "levels", "DB", "Show the family's levels and tables", levels);
  add(tool, "stats", "DB", "Show sizes, counts and the figures in force", stats);
  add(tool, "inspect", "PATH", "Describe a database, or one of its files, in a page", inspect_path);
  add(tool, "dump", "FILE", "Print everything in a log segment, table, value file or manifest", dump_path);
}

}  // namespace firn::tools
