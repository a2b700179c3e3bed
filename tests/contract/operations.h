// Random programs for a database: what a model test does, one operation at a time. An operation names families,
// snapshots and iterators by a number that is taken modulo how many there are, so that every list of operations, also
// one that RapidCheck has shortened, is a valid program.
//
// Thread safety: none.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace firn::testing {

enum class Action : std::uint8_t {
  kPut,
  kErase,
  kBatch,     // A few puts and erasures over families.
  kFill,      // Many puts of neighbouring keys: makes memtables and tables.
  kEraseRun,  // Many erasures of neighbouring keys.
  kGet,
  kMultiGet,
  kScan,  // From the first or the last within bounds.
  kScanPrefix,
  kWalk,  // An iterator moved about at random.
  kHold,  // Makes an iterator that later operations move.
  kMoveHeld,
  kSnapshot,
  kRelease,
  kGetAt,  // At a snapshot, of any family that ever was.
  kScanAt,
  kFlush,
  kCompact,
  kReopen,
  kCreateFamily,
  kDropFamily,
};

struct Operation {
  Action action = Action::kPut;
  std::uint32_t pick = 0;  // Family, and where it is needed snapshot or iterator.
  std::string key;
  std::string other;       // A second key: the other bound.
  std::uint32_t seed = 0;  // Everything else that is to be drawn.
};

std::ostream& operator<<(std::ostream& out, const Operation& operation);

// Programs of up to `count_max` operations.
rc::Gen<std::vector<Operation>> program_gen(std::size_t count_max);

// A key that is likely to be met again: few bytes of few values, a shared beginning, edges.
std::string key_from(std::uint32_t bits);
// A value of telling length (empty, either side of PinnedValue::kInlineBytes, larger than a block) that says `tag`.
std::string value_from(std::uint32_t bits, std::uint64_t tag);

}  // namespace firn::testing
