// firn: looks into Firn databases and changes them, from a shell.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "firn/version.h"
#include "tools/cli/commands.h"

namespace firn::tools {

CLI::App* Parser::add(const std::string& name, const std::string& description) const {
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();  // Global options may follow the command.
  return command;
}

CLI::App* Parser::add(const std::string& name, const std::string& description, std::string& path) const {
  CLI::App* command = add(name, description);
  command->add_option("DB", path, "directory of the database")->required();
  return command;
}

void Parser::on(CLI::App* command, std::function<ExitCode()> body) const {
  command->callback([&result = result, body = std::move(body)] { result = body(); });
}

namespace {

constexpr const char* kFooter =
    "Keys and values are escaped: printable ASCII as it is, \\\\ \\t \\n \\r, anything else \\xNN; or --hex.\n"
    "Reading commands change nothing and may run beside a program that has the database open.\n"
    "Examples:\n"
    "  firn load ./db data.tsv\n"
    "  firn scan ./db --prefix user: --limit 10\n"
    "  firn get ./db user:1 --json\n"
    "  firn export ./db --jsonl | gzip > backup.jsonl.gz\n\n";

int run(int argc, char** argv) {
  Globals globals;
  ExitCode result = ExitCode::kDone;
  CLI::App app("Looks into Firn databases and changes them.", "firn");
  app.footer(std::string(kFooter) + kExitCodeHelp);
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("firn {}", FIRN_VERSION));
  app.add_option("--family", globals.family, "column family")->type_name("NAME");
  app.add_flag("--hex", globals.hex, "keys and values are hexadecimal, in and out");
  auto* json = app.add_flag("--json", globals.json, "print one JSON document");
  app.add_flag("--jsonl", globals.json_lines, "print JSON, one document a line")->excludes(json);

  const Parser parser{app, globals, result};
  add_point_commands(parser);
  add_scan_commands(parser);
  add_load_commands(parser);
  add_family_commands(parser);
  add_upkeep_commands(parser);
  add_shape_commands(parser);
  add_file_commands(parser);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::string command;
    for (const CLI::App* given : app.get_subcommands()) command = given->get_name() + ": ";
    std::string hint = command.empty() ? "firn --help" : fmt::format("firn {} --help", command.substr(0, command.size() - 2));
    fmt::print(stderr, "firn: {}{} ('{}' explains)\n", command, error.what(), hint);
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(result);
}

}  // namespace
}  // namespace firn::tools

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // Output tells a reader that went away from a disk that is full.
  return firn::tools::run(argc, argv);
}
