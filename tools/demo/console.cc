#include "tools/demo/console.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tools/text/units.h"

namespace firn::demo {

namespace {

bool coloured() {
  static const bool answer = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return answer;
}

}  // namespace

void heading(std::string_view text) {
  if (coloured()) {
    fmt::print("\n\033[1;36m{}\033[0m\n", text);
  } else {
    fmt::print("\n{}\n", text);
  }
}

void figure(std::string_view name, std::string_view value) {
  constexpr std::size_t kWidth = 34;
  const std::string dots(name.size() < kWidth ? kWidth - name.size() : 1, '.');
  fmt::print("  {} {} {}\n", name, dots, value);
}

void line(std::string_view text) { fmt::print("  {}\n", text); }

void fail(std::string_view what, const Status& status) {
  fmt::print(stderr, "firn demo: {}: {}\n", what, status.to_string());
  std::exit(1);
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "firn demo: {}\n", what);
  std::exit(1);
}

std::string rate_text(std::uint64_t count, double seconds, std::string_view unit) {
  const double rate = static_cast<double>(count) / std::max(seconds, 1e-9);
  return fmt::format("{} {}/s", tools::count_text(static_cast<std::uint64_t>(rate)), unit);
}

}  // namespace firn::demo
