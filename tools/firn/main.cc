// firn: the command-line tool. Its contract (commands, escaping, exit codes): docs/cli.md.

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "firn/version.h"
#include "tools/firn/commands.h"

namespace {

constexpr const char* kFooter =
    "\nKeys and values are written with escapes: printable ASCII as is, \\\\, \\t, \\n, \\r, \\xNN for any other "
    "byte.\n\n"
    "Examples:\n"
    "  firn put notes.firn greeting 'hello\\tworld'\n"
    "  firn scan notes.firn --prefix user/ --limit 10\n"
    "  firn export notes.firn | firn load copy.firn\n\n";

int usage(const CLI::App& app, int argc, char** argv, const std::string& why) {
  std::string what = why;
  if (app.get_subcommands().empty()) {
    const auto word = std::find_if(argv + 1, argv + argc, [](const char* text) { return *text != '-'; });
    what = word == argv + argc ? "no command given" : "there is no command '" + std::string(*word) + "'";
  }
  fmt::print(stderr, "firn: usage: {} (firn --help lists commands and options)\n", what);
  return firn::tools::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace firn::tools;
  CLI::App app{"firn: look into, fill and look after Firn databases", "firn"};
  app.footer(kFooter + std::string(kExitCodesHelp));
  app.set_version_flag("--version", FIRN_VERSION_STRING);
  app.require_subcommand(1);
  app.fallthrough();  // Global options may stand behind the command.

  GlobalOptions options;
  app.add_option("--family", options.family, "Column family")->capture_default_str();
  app.add_flag("--json", options.json, "Print one JSON document");
  app.add_flag("--jsonl", options.jsonl, "Print one JSON document a row");
  app.add_flag("--hex", options.hex, "Keys and values in plain hexadecimal");

  ExitCode exit_code = kExitDone;
  const Tool tool{app, options, exit_code};
  add_point_commands(tool);
  add_scan_command(tool);
  add_transfer_commands(tool);
  add_family_command(tool);
  add_upkeep_commands(tool);
  add_damage_commands(tool);
  add_view_commands(tool);
  add_crashtest_command(tool);

  catch_interrupts();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);  // --help, --version.
  } catch (const CLI::ParseError& error) {
    return usage(app, argc, argv, error.what());
  }
  if (std::fflush(stdout) != 0) return report("standard output", firn::Status(firn::StatusCode::kIo, "cannot write"));
  return exit_code;
}
