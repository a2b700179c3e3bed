// The built-in crash tests, by name. What a name means depends on the name and the seed alone.
//
// Thread safety: free functions without state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/crashtest/engine_workload.h"

namespace firn::crashtest {

struct CatalogEntry {
  std::string name;
  std::string help;
};

// "mixed-sync", "overwrite-buffered", ...: those that `firn crashtest` runs when no name is given.
std::vector<CatalogEntry> catalog();

// Every sequence of `length` steps, synced and buffered: "seq-sync+put+flush", ...
std::vector<std::string> sequence_names(std::size_t length);

// Null: there is no such test.
std::unique_ptr<EngineWorkload> make_workload(const std::string& name, std::uint64_t seed);

}  // namespace firn::crashtest
