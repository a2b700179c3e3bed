// ULIDs by the public specification (github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, 26 characters of
// Crockford's base 32. The order of the bytes is the order of the text is the order of creation.
//
// Thread safety: values and pure functions; a UlidGenerator is used by one thread at a time.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "firn/codec/key_bytes.h"
#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn {
class Clock;
class Random;
}  // namespace firn

namespace firn::codec {

inline constexpr std::size_t kUlidBytes = 16;
inline constexpr std::size_t kUlidTextBytes = 26;
inline constexpr std::uint64_t kUlidTimeMax = (std::uint64_t{1} << 48) - 1;  // Milliseconds: the year 10889.

struct FIRN_EXPORT Ulid {
  std::array<unsigned char, kUlidBytes> bytes{};  // Big-endian, as the specification lays them out.

  // Milliseconds since 1970-01-01 UTC.
  std::uint64_t time_ms() const;
  // Canonical: upper case.
  KeyBytes<kUlidTextBytes> text() const;

  friend auto operator<=>(const Ulid&, const Ulid&) = default;
};

// Reads 26 characters of either case; as Crockford's base 32 has it, I and L are read as 1 and O as 0; U is no digit.
// Errors: kInvalidArgument, also above 7ZZZZZZZZZZZZZZZZZZZZZZZZZ (more than 128 bits).
FIRN_EXPORT Result<Ulid> parse_ulid(Slice text);

// Makes ULIDs, each greater than the one before. Within a millisecond, and while the clock stands still or runs
// backwards, the 80 random bits of the last one are incremented; a new millisecond draws new ones.
// Lifetime: clock and random outlive the generator.
class FIRN_EXPORT UlidGenerator {
 public:
  UlidGenerator(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  // Errors: kBusy when the random bits would overflow: as the specification says, the call fails rather than borrow
  // from the time; the next millisecond succeeds. kInvalidArgument when the clock is beyond kUlidTimeMax.
  Result<Ulid> next();

 private:
  Clock& clock_;
  Random& random_;
  bool started_ = false;
  Ulid last_;
};

}  // namespace firn::codec
