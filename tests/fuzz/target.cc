#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

std::vector<Target>& registry() {
  static std::vector<Target> all;
  return all;
}

}  // namespace

Registration::Registration(const Target& target) { registry().push_back(target); }

std::span<const Target> targets() { return registry(); }

}  // namespace firn::fuzz
