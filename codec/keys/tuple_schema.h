// The schema of typed tuples: see firn/codec/schema.h.
#pragma once

#include "firn/codec/schema.h"

namespace firn::codec {

const KeySchema& tuple_schema();

}  // namespace firn::codec
