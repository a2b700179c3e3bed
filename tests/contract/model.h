// Runs random programs (operations.h) on a database and on MemoryDB beside it, and compares every answer.
//
// Thread safety: none. A difference throws, by way of RC_ASSERT: use it within a property.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "firn/db.h"
#include "firn/memory_db.h"
#include "tests/contract/backend.h"
#include "tests/contract/operations.h"

namespace firn::testing {

class Model {
 public:
  explicit Model(Backend& backend);

  void run(const Operation& operation);
  // Compares everything that can be read, both ways, now and at every snapshot; then again after another open.
  void finish();

 private:
  // The same thing on both sides.
  struct SnapshotPair {
    Snapshot actual;
    Snapshot expected;
  };
  struct IteratorPair {
    Iterator actual;
    Iterator expected;
  };

  void open();
  void reopen();
  void write_batch(const Operation& operation);
  void fill(const Operation& operation);
  void erase_run(const Operation& operation);
  void multi_get(const Operation& operation);
  void walk(IteratorPair& pair, std::uint32_t seed, int moves);
  void release(const Operation& operation);
  void get(Family family, Slice key, const SnapshotPair* at);
  void create_family(const Operation& operation);
  void drop_family(const Operation& operation);

  IteratorPair iterators(Family family, const IteratorOptions& bounds, const SnapshotPair* at);
  void compare_all(IteratorPair pair, bool forward);
  // Compares the outcome of a move; what it was.
  Step compare(IteratorPair& pair, Step actual, Step expected);
  Family live_family(std::uint32_t pick) const { return live_[pick % live_.size()]; }
  Family any_family(std::uint32_t pick) const { return ever_[pick % ever_.size()]; }
  const SnapshotPair* snapshot(std::uint32_t pick) const;
  IteratorOptions bounds(const Operation& operation) const;
  std::string next_value(std::uint32_t bits) { return value_from(bits, ++values_); }

  Backend& backend_;
  std::unique_ptr<DB> actual_;
  const std::unique_ptr<DB> expected_;
  std::vector<Family> live_{kDefaultFamily};
  std::vector<Family> ever_{kDefaultFamily};
  std::vector<SnapshotPair> snapshots_;
  std::vector<IteratorPair> held_;
  std::uint64_t values_ = 0;  // Given out so far.
};

}  // namespace firn::testing
