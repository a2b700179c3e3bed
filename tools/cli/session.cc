#include "tools/cli/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "firn/file_system.h"
#include "firn/platform.h"

namespace firn::tools {

namespace {

// What to do about an error of this kind.
std::string_view advice(StatusCode code) {
  switch (code) {
    case StatusCode::kCorruption: return "nothing was changed; 'firn verify DB' checks every file";
    case StatusCode::kBusy: return "another process has it open: end that one, or wait";
    case StatusCode::kNewerFormat: return "use a newer firn";
    case StatusCode::kNoSpace: return "free some space and try again";
    default: return "";
  }
}

std::atomic<bool> interrupt_seen{false};

void on_interrupt(int signal_number) {
  if (interrupt_seen.exchange(true)) {
    // Whoever asks twice does not want to wait.
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
  }
}

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      buffer_.clear();
      if (error != EPIPE) tools::fail(ExitCode::kIo, "standard output", std::strerror(error));
      std::_Exit(static_cast<int>(error == EPIPE ? ExitCode::kDone : ExitCode::kIo));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

ExitCode fail(ExitCode code, std::string_view what, std::string_view why) {
  fmt::print(stderr, "firn: {}: {}\n", what, why);
  return code;
}

ExitCode fail(std::string_view what, const Status& status) {
  const std::string_view todo = advice(status.code());
  std::string why(status.message());
  if (why.empty()) why = status_code_name(status.code());
  if (!todo.empty() && why.find('(') == std::string::npos) why += fmt::format(" ({})", todo);
  return fail(exit_code_of(status.code()), what, why);
}

ExitCode Session::open(const std::string& path, Access access, const Options& base) {
  path_ = path;
  Options options = base;
  options.read_only = access == Access::kRead;
  options.create_if_missing = access == Access::kCreate;
  if (access != Access::kCreate && real_platform().files->list(path).status().is_not_found()) {
    return fail(ExitCode::kNotADatabase, fmt::format("{}: no such directory ('firn put' and 'firn load' make one)", path));
  }
  auto opened = DB::open(path, options);
  if (!opened.ok()) return fail(opened.status());
  db_ = std::move(opened).value();
  return ExitCode::kDone;
}

ExitCode Session::find_family(Family& family) {
  auto found = db_->family(globals_.family);
  if (!found.ok() && found.status().is_not_found()) {
    const std::string name = format_bytes(globals_.family, BytesText::kEscaped);
    return fail(ExitCode::kUsage, fmt::format("there is no family '{}' ('firn families {}' lists them)", name, path_));
  }
  if (!found.ok()) return fail(found.status());
  family = *found;
  return ExitCode::kDone;
}

ExitCode Session::close() {
  const Status status = db_->close();
  return status.ok() ? ExitCode::kDone : fail(status);
}

ExitCode Session::parse(std::string_view what, const std::string& text, std::string& out) const {
  const Status status = parse_bytes(text, globals_.bytes_text(), out);
  if (status.ok()) return ExitCode::kDone;
  return fail(ExitCode::kUsage, fmt::format("{} '{}': {}", what, text, status.message()));
}

InterruptGuard::InterruptGuard() { set_handler(on_interrupt); }
InterruptGuard::~InterruptGuard() { set_handler(SIG_DFL); }
bool InterruptGuard::interrupted() { return interrupt_seen.load(std::memory_order_relaxed); }

}  // namespace firn::tools
