// firn put, get, delete.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tools/cli/commands.h"

namespace firn::tools {

namespace {

struct PointArguments {
  std::string path;
  std::string key;
  std::string value;
};

ExitCode put(const Globals& globals, const PointArguments& arguments) {
  Session session("put", globals);
  std::string key;
  std::string value;
  Family family;
  ExitCode code = session.parse("key", arguments.key, key);
  if (code == ExitCode::kDone) code = session.parse("value", arguments.value, value);
  if (code == ExitCode::kDone) code = session.open(arguments.path, Access::kCreate);
  if (code == ExitCode::kDone) code = session.find_family(family);
  if (code != ExitCode::kDone) return code;
  const auto written = session.db().put(family, key, value, WriteOptions{Durability::kSync});
  return written.ok() ? session.close() : session.fail(written.status());
}

ExitCode erase(const Globals& globals, const PointArguments& arguments) {
  Session session("delete", globals);
  std::string key;
  Family family;
  ExitCode code = session.parse("key", arguments.key, key);
  if (code == ExitCode::kDone) code = session.open(arguments.path, Access::kWrite);
  if (code == ExitCode::kDone) code = session.find_family(family);
  if (code != ExitCode::kDone) return code;
  const auto written = session.db().erase(family, key, WriteOptions{Durability::kSync});
  return written.ok() ? session.close() : session.fail(written.status());
}

ExitCode get(const Globals& globals, const PointArguments& arguments) {
  Session session("get", globals);
  std::string key;
  Family family;
  ExitCode code = session.parse("key", arguments.key, key);
  if (code == ExitCode::kDone) code = session.open(arguments.path, Access::kRead);
  if (code == ExitCode::kDone) code = session.find_family(family);
  if (code != ExitCode::kDone) return code;
  const auto value = session.db().get_pinned(family, key);
  if (value.status().is_not_found()) {
    return session.fail(ExitCode::kNo, fmt::format("no such key: {}", arguments.key));
  }
  if (!value.ok()) return session.fail(value.status());
  Output output;
  if (globals.form() == Form::kText) {
    append_bytes(output.buffer(), value->slice(), globals.bytes_text());
  } else {
    JsonWriter json(output.buffer());
    json.begin_object().bytes("key", key, globals.hex).bytes("value", value->slice(), globals.hex).end_object();
  }
  output.line("");
  return ExitCode::kDone;
}

}  // namespace

void add_point_commands(const Parser& parser) {
  auto arguments = std::make_shared<PointArguments>();
  const Globals& globals = parser.globals;
  CLI::App* command = parser.add("put", "Write one entry; it is on the device when the command ends.", arguments->path);
  command->add_option("KEY", arguments->key)->required();
  command->add_option("VALUE", arguments->value)->required();
  parser.on(command, [&globals, arguments] { return put(globals, *arguments); });

  command = parser.add("get", "Print the value of a key.", arguments->path);
  command->add_option("KEY", arguments->key)->required();
  parser.on(command, [&globals, arguments] { return get(globals, *arguments); });

  command = parser.add("delete", "Erase a key, whether it is there or not.", arguments->path);
  command->add_option("KEY", arguments->key)->required();
  parser.on(command, [&globals, arguments] { return erase(globals, *arguments); });
}

}  // namespace firn::tools
