// families.

#include <fmt/core.h>

#include <memory>

#include "tools/firn/commands.h"

namespace firn::tools {

namespace {

struct FamilyArguments {
  std::string database;
  std::string create;
  std::string drop;
};

ExitCode list(Session& session) {
  Json document = Json::array();
  for (const FamilyInfo& info : session.db().families()) {
    const auto properties = session.db().properties(info.family);
    if (!properties.ok()) return session.fail(properties.status());
    std::uint64_t bytes = 0;
    for (const LevelInfo& level : properties->levels) bytes += level.bytes;
    if (session.structured()) {
      document.push_back(Json{{"id", info.family.id}, {"name", info.name}, {"table_bytes", bytes}});
    } else {
      fmt::print("{}\n", info.name);
    }
  }
  if (session.options().json) print_json(document);
  if (session.options().jsonl) {
    for (const Json& row : document) print_json(row);
  }
  return session.close();
}

ExitCode families(const GlobalOptions& options, const FamilyArguments& arguments) {
  Session session(options, "families");
  const bool changes = !arguments.create.empty() || !arguments.drop.empty();
  if (session.open(arguments.database, changes ? Access::kWrite : Access::kRead) == nullptr) {
    return session.exit_code();
  }
  if (!arguments.create.empty()) {
    if (Status status = session.db().create_family(arguments.create); !status.ok()) return session.fail(status);
  }
  if (!arguments.drop.empty()) {
    const auto family = session.db().family(arguments.drop);
    const Status status = family.ok() ? session.db().drop_family(*family) : family.status();
    if (!status.ok()) return session.fail(status);
  }
  return changes ? session.close() : list(session);
}

}  // namespace

void add_family_command(Tool tool) {
  auto arguments = std::make_shared<FamilyArguments>();
  CLI::App* command = tool.app.add_subcommand("families", "List, create or drop column families");
  command->add_option("DB", arguments->database, "Database directory")->required();
  command->add_option("--create", arguments->create, "Create this family");
  command->add_option("--drop", arguments->drop, "Drop this family and everything in it");
  command->callback([tool, arguments] { tool.exit_code = families(tool.options, *arguments); });
}

}  // namespace firn::tools
