// Reading a ULID where only one of its texts will do: within keys, where others would sort elsewhere.
#pragma once

#include "firn/codec/ulid.h"

namespace firn::codec {

// As the public one; sets `canonical` if that is ok: whether `text` is what Ulid::text() gives.
Result<Ulid> parse_ulid(Slice text, bool& canonical);

}  // namespace firn::codec
