// What the demo prints: headings and aligned figures. Colour only on a terminal, and not where
// NO_COLOR is set.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "firn/status.h"

namespace firn::demo {

void heading(std::string_view text);
// "  name .......... value".
void figure(std::string_view name, std::string_view value);
void line(std::string_view text);
// Prints what failed and ends the demo.
[[noreturn]] void fail(std::string_view what, const Status& status);
void require(bool holds, std::string_view what);

std::string rate_text(std::uint64_t count, double seconds, std::string_view unit);  // "1,234,567 rows/s"

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace firn::demo
