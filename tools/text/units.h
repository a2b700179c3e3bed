// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace firn::tools {

std::string count_text(std::uint64_t count);  // "1,234,567"
std::string bytes_text(std::uint64_t bytes);  // "12.3 MiB"
std::string seconds_text(double seconds);     // "12 s", "3:25", "1:02:03"

}  // namespace firn::tools
