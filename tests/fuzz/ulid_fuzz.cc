// Any text as a ULID: refused, or one whose canonical text reads back as the same.
#include <cstddef>
#include <cstdint>

#include "firn/codec/ulid.h"
#include "platform/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto ulid = firn::codec::parse_ulid(firn::Slice(reinterpret_cast<const char*>(data), size));
  if (!ulid.ok()) return 0;
  FIRN_ASSERT(ulid->time_ms() <= firn::codec::kUlidTimeMax);
  const auto again = firn::codec::parse_ulid(ulid->text());
  FIRN_ASSERT(again.ok() && *again == *ulid);
  return 0;
}
