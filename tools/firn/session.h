// What all commands share: the global options, the open database, how keys are written and rows printed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "firn/codec/schema.h"
#include "firn/db.h"
#include "tools/firn/exit_code.h"
#include "tools/text/json.h"

namespace firn::tools {

struct GlobalOptions {
  std::string family = "default";
  bool json = false;   // One document.
  bool jsonl = false;  // One a row.
  bool hex = false;    // Keys and values as hexadecimal.
};

enum class Access : std::uint8_t {
  kRead,    // Never creates or changes anything, needs no lock.
  kWrite,   // Must exist.
  kCreate,  // Made where it is missing.
};

// One command's work on one database. A failing step reports itself, and the rest of the command is skipped.
class Session {
 public:
  Session(const GlobalOptions& options, std::string command) : options_(options), command_(std::move(command)) {}

  // The database, open; null after the report of why not.
  DB* open(const std::string& path, Access access, std::optional<Durability> durability = std::nullopt);
  // The family of --family; kCreate makes it where it is missing.
  std::optional<Family> family(Access access);
  // Closes, and ends the command with that outcome.
  ExitCode close();

  // A key or value from the command line.
  Result<std::string> bytes(const std::string& text) const;
  // As it is printed.
  std::string text(Slice bytes) const;
  void print_row(Slice key, Slice value);
  // "firn: <command>: why". The answer is also exit_code() from then on.
  ExitCode fail(const Status& status);
  ExitCode fail(const std::string& what, const Status& status);
  ExitCode exit_code() const { return exit_code_; }

  const GlobalOptions& options() const { return options_; }
  DB& db() { return *db_; }
  bool structured() const { return options_.json || options_.jsonl; }

 private:
  const GlobalOptions& options_;
  const std::string command_;
  std::unique_ptr<DB> db_;
  ExitCode exit_code_ = kExitDone;
};

// Prints a JSON document and a newline.
void print_json(const Json& document);

// Set by SIGINT and SIGTERM: commands that run long stop at the next row.
bool interrupted();
void catch_interrupts();

}  // namespace firn::tools
