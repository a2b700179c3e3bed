// put, get, delete.

#include <fmt/core.h>

#include <memory>

#include "tools/firn/commands.h"

namespace firn::tools {

namespace {

struct PointArguments {
  std::string database;
  std::string key;
  std::string value;
};

ExitCode put(const GlobalOptions& options, const PointArguments& arguments) {
  Session session(options, "put");
  const auto key = session.bytes(arguments.key);
  if (!key.ok()) return session.fail("key", key.status());
  const auto value = session.bytes(arguments.value);
  if (!value.ok()) return session.fail("value", value.status());
  if (session.open(arguments.database, Access::kCreate) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kCreate);
  if (!family) return session.exit_code();
  if (Status status = session.db().put(*family, *key, *value); !status.ok()) return session.fail(status);
  return session.close();
}

ExitCode get(const GlobalOptions& options, const PointArguments& arguments) {
  Session session(options, "get");
  const auto key = session.bytes(arguments.key);
  if (!key.ok()) return session.fail("key", key.status());
  if (session.open(arguments.database, Access::kRead) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kRead);
  if (!family) return session.exit_code();
  const auto value = session.db().get(*family, *key);
  if (value.status().is_not_found()) {
    return session.fail(Status(StatusCode::kNotFound, "there is no key " + session.text(*key)));
  }
  if (!value.ok()) return session.fail(value.status());
  if (session.structured()) {
    session.print_row(*key, *value);
  } else {
    fmt::print("{}\n", session.text(*value));
  }
  return session.close();
}

ExitCode erase(const GlobalOptions& options, const PointArguments& arguments) {
  Session session(options, "delete");
  const auto key = session.bytes(arguments.key);
  if (!key.ok()) return session.fail("key", key.status());
  if (session.open(arguments.database, Access::kWrite) == nullptr) return session.exit_code();
  const auto family = session.family(Access::kWrite);
  if (!family) return session.exit_code();
  if (Status status = session.db().erase(*family, *key); !status.ok()) return session.fail(status);
  return session.close();
}

void add(Tool tool, const char* name, const char* help, bool with_value,
         ExitCode (*run)(const GlobalOptions&, const PointArguments&)) {
  auto arguments = std::make_shared<PointArguments>();
  CLI::App* command = tool.app.add_subcommand(name, help);
  command->add_option("DB", arguments->database, "Database directory")->required();
  command->add_option("KEY", arguments->key, "Key, escaped")->required();
  if (with_value) command->add_option("VALUE", arguments->value, "Value, escaped")->required();
  command->callback([tool, arguments, run] { tool.exit_code = run(tool.options, *arguments); });
}

}  // namespace

void add_point_commands(Tool tool) {
  add(tool, "put", "Write one key (makes the database where there is none)", true, put);
  add(tool, "get", "Print the value of one key", false, get);
  add(tool, "delete", "Delete one key", false, erase);
}

}  // namespace firn::tools
