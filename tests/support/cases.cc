#include "tests/support/cases.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace firn::testing {

namespace {

constexpr std::uint64_t kPercentMax = 10'000'000;

std::uint64_t percent() {
  const char* text = std::getenv("FIRN_TEST_CASES");
  if (text == nullptr) return 100;
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end != '\0' || value == 0 || value > kPercentMax) {
    std::fprintf(stderr, "FIRN_TEST_CASES=%s: not a percentage from 1 to %ju\n", text, std::uintmax_t{kPercentMax});
    std::exit(2);
  }
  return value;
}

}  // namespace

std::uint64_t cases(std::uint64_t count) { return std::max<std::uint64_t>(1, count * percent() / 100); }

}  // namespace firn::testing
