// The databases that the contract is tested on: both implementations, the engine with its data in various places.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "firn/db.h"

namespace firn::testing {

class Backend {
 public:
  virtual ~Backend() = default;
  // Opens the database; again, after the one given out before was closed or destroyed.
  virtual Result<std::unique_ptr<DB>> open() = 0;
  // What was written is there after the next open().
  virtual bool persistent() const = 0;
  // Moves everything written so far to where this backend wants it to be read from.
  virtual Status settle(DB& db) = 0;
};

struct BackendKind {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
  friend void PrintTo(const BackendKind& kind, std::ostream* out) { *out << kind.name; }
};

// MemoryDB; the engine in a directory with default settings; and tiny ones on a file system in memory, so that little
// data makes many tables: read from wherever it happens to be, from L0, and from the last level.
std::vector<BackendKind> all_backends();
// Those that keep their data.
std::vector<BackendKind> persistent_backends();
// Those that random programs run on: tiny ones, in memory and in a directory.
std::vector<BackendKind> model_backends();

// Those that many threads work on: MemoryDB and a tiny engine.
std::vector<BackendKind> concurrency_backends();

// Settings under which a few hundred entries fill a memtable and a few tables fill a level.
Options tiny_options();

}  // namespace firn::testing
