// What the rest of the engine knows of a table without opening it. Kept in the manifest; the picker decides on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firn/slice.h"

namespace firn {

// What a table's entries refer to in one value file (sstable/value_format.h).
struct ValueUse {
  std::uint64_t file = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // Of the records.

  friend bool operator==(const ValueUse&, const ValueUse&) = default;
};

struct TableMeta {
  std::uint64_t id = 0;  // Names the file; never used twice in a database. Part of every block checksum.
  std::uint64_t file_bytes = 0;
  std::uint64_t digest = 0;  // Depends on every byte of the file: the footer's checksum (table_format.h).
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t key_bytes = 0;    // Sum over entries, before prefix stripping.
  std::uint64_t value_bytes = 0;  // Of separated values only the references.
  std::string smallest_key;       // User keys, both inclusive.
  std::string largest_key;
  Sequence smallest_sequence = 0;
  Sequence largest_sequence = 0;
  std::vector<ValueUse> values;  // By file id.

  friend bool operator==(const TableMeta&, const TableMeta&) = default;
};

}  // namespace firn
