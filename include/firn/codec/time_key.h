// Keys in order of time under a prefix, readable as they are: {prefix}:{13-digit zero-padded milliseconds}:{ULID}.
// Format: docs/codecs.md#time-keys.
//
// A prefix is any bytes, but no ':' in it is followed by a digit: otherwise the keys of prefix "a:5" would lie among
// those of prefix "a". With that rule no key begins another, and a range of one prefix holds no key of another.
//
// Thread safety: pure functions. None allocates, but for growth of the caller's string and for errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "firn/codec/ulid.h"
#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

inline constexpr std::uint64_t kTimeKeyMsMax = 9'999'999'999'999;  // 13 digits: the year 2286.

struct TimeKey {
  Slice prefix;
  std::uint64_t time_ms = 0;  // Since 1970-01-01 UTC, at most kTimeKeyMsMax.
  Ulid ulid;                  // Makes the key unique; its own time may be another.
};

// Errors: kInvalidArgument for a prefix or a time that breaks the rules above; `out` is then as it was.
FIRN_EXPORT Status append_time_key(std::string& out, const TimeKey& key);

// `prefix` of the result borrows from `key`. Errors: kInvalidArgument where `key` is not of this form; the ULID has to
// be in canonical upper case, as others would sort elsewhere.
FIRN_EXPORT Result<TimeKey> parse_time_key(Slice key);

// Appends the bound between the keys of `prefix` before `time_ms` and those at or after it, so that [from, to) of time
// is the key range [bound(from), bound(to)). Any time above kTimeKeyMsMax bounds all keys of the prefix from above.
// Errors: as append_time_key, for the prefix.
FIRN_EXPORT Status append_time_bound(std::string& out, Slice prefix, std::uint64_t time_ms);

}  // namespace firn::codec
