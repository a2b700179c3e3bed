#include "tools/demo/console.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

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

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string rate_text(std::uint64_t count, double seconds, std::string_view unit) {
  const double rate = static_cast<double>(count) / std::max(seconds, 1e-9);
  return fmt::format("{} {}/s", count_text(static_cast<std::uint64_t>(rate)), unit);
}

}  // namespace firn::demo
