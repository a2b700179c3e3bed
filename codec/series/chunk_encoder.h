// What makes the body of a chunk of one kind. Thread safety: one thread at a time.
#pragma once

#include <string>

#include "firn/codec/chunk.h"

namespace firn::codec {

class ChunkEncoder {
 public:
  virtual ~ChunkEncoder() = default;

  // Precondition: the time is not before that of the last point.
  virtual void append(Point point) = 0;
  // Appends the body of everything so far to `out`; appending may go on.
  virtual void append_body(std::string& out) = 0;
  virtual void clear() = 0;
};

}  // namespace firn::codec
