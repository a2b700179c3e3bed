// verify, repair.

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "firn/repair.h"
#include "tools/firn/commands.h"
#include "tools/text/units.h"

namespace firn::tools {

namespace {

Json damage_json(const Damage& damage, bool hex) {
  Json json{{"file", damage.file},
            {"offset", damage.offset},
            {"bytes", damage.bytes},
            {"code", status_code_name(damage.status.code())},
            {"message", damage.status.message()}};
  if (!damage.family.empty()) json["family"] = damage.family;
  if (!damage.loses_keys) return json;
  put_bytes(json, "first_key", damage.first_key, hex);
  if (!damage.last_key.empty()) put_bytes(json, "end_key", damage.last_key, hex);
  return json;
}

// One damage on two lines: where, and which keys.
void print_damage(const Session& session, const Damage& damage) {
  fmt::print("{}\n", damage.status.to_string());
  if (!damage.loses_keys) return;
  const std::string end = damage.last_key.empty() ? std::string("the end") : session.text(damage.last_key);
  fmt::print("  {}keys from {} up to {}\n", damage.family.empty() ? std::string() : damage.family + ": ",
             damage.first_key.empty() ? std::string("the first") : session.text(damage.first_key), end);
}

ExitCode verify(const GlobalOptions& options, const std::string& database) {
  Session session(options, "verify");
  Json found = Json::array();
  std::uint64_t count = 0;
  const Status status = verify_files(database, {}, [&](const Damage& damage) {
    ++count;
    if (options.jsonl) {
      print_json(damage_json(damage, options.hex));
    } else if (options.json) {
      found.push_back(damage_json(damage, options.hex));
    } else {
      print_damage(session, damage);
    }
  });
  if (status.ok() && !session.structured()) fmt::print("every checksum is right\n");
  if (options.json) print_json(Json{{"ok", status.ok()}, {"damage", std::move(found)}});
  if (count == 0) return status.ok() ? kExitDone : session.fail(status);
  const std::string what = fmt::format("{} damaged {}", count, count == 1 ? "part" : "parts");
  return session.fail(what, status);
}

void print_report(const Session& session, const RepairReport& report) {
  for (const Damage& damage : report.damage) print_damage(session, damage);
  if (!report.damage.empty()) fmt::print("\n");
  fmt::print("{:<16} {}\n", "rows kept", count_text(report.rows));
  fmt::print("{:<16} {} read, {} lost, {} guessed\n", "tables", report.tables_read, report.tables_lost,
             report.tables_guessed);
  fmt::print("{:<16} {}\n", "blocks lost", report.blocks_lost);
  fmt::print("{:<16} {}\n", "log records", count_text(report.log_records));
  if (!report.manifest_complete) {
    fmt::print(
        "\nThe manifest is not complete: rows of tables that it does not list are in the family default, and\n"
        "deleted rows may be back.\n");
  }
  const bool lost =
      std::any_of(report.damage.begin(), report.damage.end(), [](const Damage& damage) { return damage.loses_keys; });
  if (lost) {
    fmt::print("\nIn the ranges of keys above rows are missing, or have the value they had before.\n");
  }
}

ExitCode repair_into(const GlobalOptions& options, const std::string& source, const std::string& destination) {
  Session session(options, "repair");
  const auto report = repair(source, destination);
  if (!report.ok()) return session.fail(report.status());
  if (!session.structured()) {
    print_report(session, *report);
    return report->damage.empty() ? kExitDone : kExitDamage;
  }
  Json document{{"rows", report->rows},
                {"tables_read", report->tables_read},
                {"tables_lost", report->tables_lost},
                {"tables_guessed", report->tables_guessed},
                {"blocks_lost", report->blocks_lost},
                {"log_records", report->log_records},
                {"manifest_complete", report->manifest_complete},
                {"damage", Json::array()}};
  for (const Damage& damage : report->damage) document["damage"].push_back(damage_json(damage, options.hex));
  print_json(document);
  return report->damage.empty() ? kExitDone : kExitDamage;
}

}  // namespace

void add_damage_commands(Tool tool) {
  auto database = std::make_shared<std::string>();
  CLI::App* command = tool.app.add_subcommand("verify", "Read every file, check every checksum, name all damage");
  command->add_option("DB", *database, "Database directory")->required();
  command->callback([tool, database] { tool.exit_code = verify(tool.options, *database); });

  auto source = std::make_shared<std::string>();
  auto destination = std::make_shared<std::string>();
  command = tool.app.add_subcommand("repair", "Make a new database of all that is sound in a damaged one");
  command->add_option("SOURCE", *source, "Damaged database; nothing is written into it")->required();
  command->add_option("DESTINATION", *destination, "New directory")->required();
  command->callback([tool, source, destination] { tool.exit_code = repair_into(tool.options, *source, *destination); });
}

}  // namespace firn::tools
