// A column family: a named key space with its own tables and settings, sharing log, sequence, cache, memory budget and
// background threads with the others of its database.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace firn {

// Names a family of one open database; a plain number, free to copy. An id is never used twice: calls with the id of
// a dropped family answer kNotFound.
struct Family {
  std::uint32_t id = 0;
  friend auto operator<=>(Family, Family) = default;
};

// The family "default", which every database has and which cannot be dropped.
inline constexpr Family kDefaultFamily{0};

struct FamilyInfo {
  Family family;
  std::string name;
};

}  // namespace firn
