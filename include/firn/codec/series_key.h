// Keys of time series: [series id, 8 bytes big-endian][time, 8 bytes big-endian]. Byte order is the numeric order of
// ids, then of times; times are signed and their sign bit is stored flipped. Format: docs/codecs.md#series-keys.
// The value is usually a chunk of points (firn/codec/chunk.h) and the time that of its first point.
//
// Thread safety: pure functions. None allocates, but for errors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "firn/codec/key_bytes.h"
#include "firn/export.h"
#include "firn/slice.h"
#include "firn/status.h"

namespace firn::codec {

inline constexpr std::size_t kSeriesKeyBytes = 16;
inline constexpr std::size_t kSeriesPrefixBytes = 8;

struct SeriesKey {
  std::uint64_t series = 0;
  std::int64_t time = 0;  // In the unit of the series; tools show it as milliseconds since 1970.

  friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
};

// The encoded key; also the bound between the keys of the series before `time` and those at or after it.
FIRN_EXPORT KeyBytes<kSeriesKeyBytes> encode_series_key(const SeriesKey& key);

// Errors: kInvalidArgument where `key` has not kSeriesKeyBytes bytes.
FIRN_EXPORT Result<SeriesKey> parse_series_key(Slice key);

// What every key of the series begins with, and no other key.
FIRN_EXPORT KeyBytes<kSeriesPrefixBytes> series_prefix(std::uint64_t series);

}  // namespace firn::codec
