#include "tools/firn/session.h"

#include <fmt/core.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "tools/text/escape.h"

namespace firn::tools {

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

bool interrupted() { return stop_requested.load(std::memory_order_relaxed); }

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested.store(true, std::memory_order_relaxed); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // The second one ends the process at once.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void print_json(const Json& document) { fmt::print("{}\n", document.dump()); }

DB* Session::open(const std::string& path, Access access, std::optional<Durability> durability) {
  Options options;
  options.create_if_missing = access == Access::kCreate;
  options.read_only = access == Access::kRead;
  if (durability) options.durability = *durability;
  auto db = DB::open(path, options);
  if (!db.ok()) {
    fail(db.status());
    return nullptr;
  }
  db_ = std::move(db).value();
  return db_.get();
}

std::optional<Family> Session::family(Access access) {
  auto found = db_->family(options_.family);
  if (found.status().is_not_found() && access == Access::kCreate) found = db_->create_family(options_.family);
  if (found.ok()) return *found;
  fail(found.status());
  return std::nullopt;
}

ExitCode Session::close() {
  if (Status status = db_->close(); !status.ok()) return fail(status);
  return kExitDone;
}

Result<std::string> Session::bytes(const std::string& text) const {
  return options_.hex ? from_hex(text) : unescape(text);
}

std::string Session::text(Slice bytes) const { return options_.hex ? to_hex(bytes) : escape(bytes); }

void Session::print_row(Slice key, Slice value) {
  if (!structured()) {
    fmt::print("{}\t{}\n", text(key), text(value));
    return;
  }
  Json row;
  put_bytes(row, "key", key, options_.hex);
  put_bytes(row, "value", value, options_.hex);
  print_json(row);
}

ExitCode Session::fail(const Status& status) { return exit_code_ = report(command_, status); }

ExitCode Session::fail(const std::string& what, const Status& status) {
  return exit_code_ = report(command_ + ": " + what, status);
}

}  // namespace firn::tools
