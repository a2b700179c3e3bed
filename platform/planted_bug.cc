#include "platform/planted_bug.h"

#ifdef FIRN_HAVE_PLANTED_BUGS

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace firn {

namespace {

constexpr std::array kNames{
#define FIRN_PLANTED_BUG_NAME(name, what) std::string_view(#name),
    FIRN_PLANTED_BUGS(FIRN_PLANTED_BUG_NAME)
#undef FIRN_PLANTED_BUG_NAME
};

// The position of the one that is on; kNames.size() for none.
std::size_t chosen() {
  const char* const wanted = std::getenv("FIRN_PLANTED_BUG");
  if (wanted == nullptr || *wanted == '\0') return kNames.size();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == wanted) return i;
  }
  std::fprintf(stderr, "FIRN_PLANTED_BUG: there is no bug '%s'\n", wanted);
  std::abort();
}

}  // namespace

bool planted_bug(PlantedBug bug) {
  static const std::size_t on = chosen();
  return static_cast<std::size_t>(bug) == on;
}

}  // namespace firn

#endif
