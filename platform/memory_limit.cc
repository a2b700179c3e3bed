#include "platform/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>

namespace firn {

namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// The number in a file; kNoLimit where there is no such file or it says "max".
std::uint64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : kNoLimit;
}

// The strictest limit of `group` and the groups around it, up to the root of its hierarchy.
std::uint64_t limit_along(const std::string& hierarchy, std::string group, const char* file) {
  std::uint64_t limit = kNoLimit;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    limit = std::min(limit, number_in(hierarchy + group + "/" + file));
    if (group.empty()) return limit;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

bool lists_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == "memory") return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::uint64_t cgroup_limit_bytes(const std::string& membership, const std::string& root) {
  std::uint64_t limit = kNoLimit;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    // number:controllers:group; version 2 has the number 0 and no controllers.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = std::min(
          {limit, limit_along(root, group, "memory.max"), limit_along(root + "/unified", group, "memory.max")});
    } else if (lists_memory(controllers)) {
      limit = std::min(limit, limit_along(root + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

std::uint64_t memory_limit_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  const std::uint64_t machine =
      pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
  std::ostringstream membership;
  membership << std::ifstream("/proc/self/cgroup").rdbuf();
  return std::min(machine, cgroup_limit_bytes(membership.str(), "/sys/fs/cgroup"));
}

}  // namespace firn
