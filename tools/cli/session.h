// What every command of `firn` shares: the global options, the open database, output, and how an error is said.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "firn/codec/schema.h"
#include "firn/db.h"
#include "tools/cli/exit_code.h"
#include "tools/text/bytes_text.h"
#include "tools/text/json.h"

namespace firn::tools {

enum class Form : std::uint8_t { kText, kJson, kJsonLines };

// As given before or after the command.
struct Globals {
  std::string family = "default";
  bool hex = false;
  bool json = false;
  bool json_lines = false;

  BytesText bytes_text() const { return hex ? BytesText::kHex : BytesText::kEscaped; }
  Form form() const { return json ? Form::kJson : json_lines ? Form::kJsonLines : Form::kText; }
};

// Standard output, in large pieces. A failed write ends the program: a reader who went away quietly (as `head` does),
// everything else with kIo.
class Output {
 public:
  Output() { buffer_.reserve(2 * kFlushBytes); }
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  std::string& buffer() { return buffer_; }
  // Call after each piece that was appended to buffer().
  void piece() {
    if (buffer_.size() >= kFlushBytes) flush();
  }
  void line(std::string_view text) {
    buffer_ += text;
    buffer_ += '\n';
    piece();
  }
  void flush();

 private:
  static constexpr std::size_t kFlushBytes = std::size_t{1} << 16;
  std::string buffer_;
};

// Prints "firn: what: why (what to do)" to standard error.
ExitCode fail(std::string_view what, const Status& status);
ExitCode fail(ExitCode code, std::string_view what, std::string_view why);

enum class Access : std::uint8_t {
  kRead,    // Changes nothing, needs no lock.
  kWrite,   // The database must exist.
  kCreate,  // It is made where the directory is missing or empty.
};

// A database open for one command.
class Session {
 public:
  // `command`: for error messages.
  Session(std::string command, const Globals& globals) : command_(std::move(command)), globals_(globals) {}

  // kDone, or the error that was printed.
  ExitCode open(const std::string& path, Access access, const Options& base = {});
  // The family of --family, likewise.
  ExitCode find_family(Family& family);
  // Writes need it, so that nothing that was reported as done is lost.
  ExitCode close();

  DB& db() { return *db_; }
  const Globals& globals() const { return globals_; }
  const std::string& path() const { return path_; }
  ExitCode fail(const Status& status) const { return tools::fail(command_, status); }
  ExitCode fail(ExitCode code, std::string_view why) const { return tools::fail(code, command_, why); }

  // An argument that is a key or a value. `what` names it in an error.
  ExitCode parse(std::string_view what, const std::string& text, std::string& out) const;

 private:
  const std::string command_;
  const Globals& globals_;
  std::string path_;
  std::unique_ptr<DB> db_;
};

// While it lives, SIGINT and SIGTERM only set a flag, the second one of them apart, which ends the program.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  static bool interrupted();
};

}  // namespace firn::tools
