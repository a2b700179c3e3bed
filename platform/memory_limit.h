// How much memory this process can count on. Internal to platform.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <string>

namespace firn {

// The machine's memory, or what the strictest control group that this process is in leaves of it.
std::uint64_t memory_limit_bytes();

// The strictest limit among the control groups that `membership` (/proc/self/cgroup) names and those around them, both
// hierarchies, which are mounted in `root` (/sys/fs/cgroup); UINT64_MAX when there is none.
std::uint64_t cgroup_limit_bytes(const std::string& membership, const std::string& root);

}  // namespace firn
