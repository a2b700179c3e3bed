// Any bytes as a series key: refused, or exactly what encoding the parts makes.
#include <cstddef>
#include <cstdint>

#include "firn/codec/series_key.h"
#include "platform/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const firn::Slice key(reinterpret_cast<const char*>(data), size);
  const auto parsed = firn::codec::parse_series_key(key);
  if (parsed.ok()) FIRN_ASSERT(firn::codec::encode_series_key(*parsed).slice() == key);
  return 0;
}
