// flush, compact, destroy.

#include <fmt/core.h>

#include <memory>

#include "tools/firn/commands.h"

namespace firn::tools {

namespace {

struct UpkeepArguments {
  std::string database;
  std::string from;
  std::string to;
  bool yes = false;
};

using Run = ExitCode (*)(const GlobalOptions&, const UpkeepArguments&);

ExitCode flush(const GlobalOptions& options, const UpkeepArguments& arguments) {
  Session session(options, "flush");
  if (session.open(arguments.database, Access::kWrite) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kWrite);
  if (!family) return session.exit_code();
  if (Status status = session.db().flush(*family); !status.ok()) return session.fail(status);
  return session.close();
}

ExitCode compact(const GlobalOptions& options, const UpkeepArguments& arguments) {
  Session session(options, "compact");
  const auto from = session.bytes(arguments.from);
  if (!from.ok()) return session.fail("--from", from.status());
  const auto to = session.bytes(arguments.to);
  if (!to.ok()) return session.fail("--to", to.status());
  if (session.open(arguments.database, Access::kWrite) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kWrite);
  if (!family) return session.exit_code();
  if (Status status = session.db().compact_range(*family, *from, *to); !status.ok()) return session.fail(status);
  return session.close();
}

ExitCode destroy(const GlobalOptions& options, const UpkeepArguments& arguments) {
  Session session(options, "destroy");
  if (!arguments.yes) {
    return session.fail(Status(StatusCode::kInvalidArgument, "removes the database for good: say --yes"));
  }
  if (Status status = DB::destroy(arguments.database); !status.ok()) return session.fail(status);
  return kExitDone;
}

CLI::App* add(Tool tool, const char* name, const char* help, const std::shared_ptr<UpkeepArguments>& arguments,
              Run run) {
  CLI::App* command = tool.app.add_subcommand(name, help);
  command->add_option("DB", arguments->database, "Database directory")->required();
  command->callback([tool, arguments, run] { tool.exit_code = run(tool.options, *arguments); });
  return command;
}

}  // namespace

void add_upkeep_commands(Tool tool) {
  add(tool, "flush", "Write the memtable of the family to a table", std::make_shared<UpkeepArguments>(), flush);

  auto compacted = std::make_shared<UpkeepArguments>();
  CLI::App* command = add(tool, "compact", "Rewrite the family's tables down to the last level", compacted, compact);
  command->add_option("--from", compacted->from, "First key");
  command->add_option("--to", compacted->to, "End, exclusive");

  auto destroyed = std::make_shared<UpkeepArguments>();
  command = add(tool, "destroy", "Remove the database", destroyed, destroy);
  command->add_flag("--yes", destroyed->yes, "Yes, for good");
}

}  // namespace firn::tools
