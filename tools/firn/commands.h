// The commands of `firn`, in groups. Each adds its subcommands to `app`; the one that was called sets `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/firn/session.h"

namespace firn::tools {

struct Tool {
  CLI::App& app;
  const GlobalOptions& options;
  ExitCode& exit_code;
};

void add_point_commands(Tool tool);     // put, get, delete
void add_scan_command(Tool tool);       // scan
void add_transfer_commands(Tool tool);  // batch, load, export
void add_family_command(Tool tool);     // families
void add_upkeep_commands(Tool tool);    // flush, compact, destroy
void add_damage_commands(Tool tool);    // verify, repair
void add_crashtest_command(Tool tool);  // crashtest
void add_view_commands(Tool tool);      // levels, stats, inspect, dump

}  // namespace firn::tools
