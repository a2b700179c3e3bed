#include "firn/codec/series_key.h"

#include "codec/keys/big_endian.h"

namespace firn::codec {

KeyBytes<kSeriesKeyBytes> encode_series_key(const SeriesKey& key) {
  KeyBytes<kSeriesKeyBytes> out;
  store_big_endian(out.bytes.data(), key.series);
  store_big_endian(out.bytes.data() + 8, ordered_bits(key.time));
  return out;
}

Result<SeriesKey> parse_series_key(Slice key) {
  if (key.size() != kSeriesKeyBytes) {
    return Status(StatusCode::kInvalidArgument, "not a series key: not 16 bytes long");
  }
  return SeriesKey{load_big_endian(key.data()), signed_from_ordered(load_big_endian(key.data() + 8))};
}

KeyBytes<kSeriesPrefixBytes> series_prefix(std::uint64_t series) {
  KeyBytes<kSeriesPrefixBytes> out;
  store_big_endian(out.bytes.data(), series);
  return out;
}

}  // namespace firn::codec
