// The commands of `firn`, a group a file: each function adds its group to the parser. A command's callback runs it and
// stores its exit code.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tools/cli/session.h"

namespace CLI {
class App;
}

namespace firn::tools {

struct Parser {
  CLI::App& app;
  Globals& globals;
  ExitCode& result;

  // A command that takes the database's directory first.
  CLI::App* add(const std::string& name, const std::string& description, std::string& path) const;
  CLI::App* add(const std::string& name, const std::string& description) const;
  // Runs `body` when `command` was given.
  void on(CLI::App* command, std::function<ExitCode()> body) const;
};

void add_point_commands(const Parser& parser);   // put, get, delete
void add_scan_commands(const Parser& parser);    // scan, export
void add_load_commands(const Parser& parser);    // batch, load
void add_family_commands(const Parser& parser);  // families
void add_upkeep_commands(const Parser& parser);  // flush, compact, verify, destroy
void add_shape_commands(const Parser& parser);   // stats, levels
void add_file_commands(const Parser& parser);    // dump, inspect

}  // namespace firn::tools
