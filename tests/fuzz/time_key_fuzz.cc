// Any bytes as a time key: refused, or exactly what encoding the parts makes, within the bounds of its time.
#include <cstddef>
#include <cstdint>

#include "firn/codec/time_key.h"
#include "platform/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const firn::Slice key(reinterpret_cast<const char*>(data), size);
  const auto parsed = firn::codec::parse_time_key(key);
  if (!parsed.ok()) return 0;
  std::string copy, from, to;
  FIRN_ASSERT(firn::codec::append_time_key(copy, *parsed).ok());
  FIRN_ASSERT(copy == key);
  FIRN_ASSERT(firn::codec::append_time_bound(from, parsed->prefix, parsed->time_ms).ok());
  FIRN_ASSERT(firn::codec::append_time_bound(to, parsed->prefix, parsed->time_ms + 1).ok());
  FIRN_ASSERT(from <= key && key < to);
  return 0;
}
