// Any bytes as a tuple key: refused, or exactly what the writer makes of what was read.
#include <cstddef>
#include <cstdint>

#include "firn/codec/tuple.h"
#include "platform/assert.h"

namespace {

using namespace firn::codec;

// Writes everything that `reader` reads; true if all of it was a tuple.
bool copy_tuple(TupleReader reader, TupleWriter& writer) {
  std::string text, name_space;
  while (reader.next()) {
    const TuplePart& part = reader.part();
    switch (part.kind) {
      case TupleKind::kNil: writer.add(nullptr, part.direction); break;
      case TupleKind::kInteger: writer.add(part.integer, part.direction); break;
      case TupleKind::kDouble: writer.add(part.number, part.direction); break;
      case TupleKind::kString: writer.add(part.text.view(text), part.direction); break;
      case TupleKind::kKeyword:
        writer.add(Keyword{part.name_space.view(name_space), part.text.view(text)}, part.direction);
        break;
      case TupleKind::kInstant: writer.add(Instant{part.integer}, part.direction); break;
      case TupleKind::kVector:
        writer.begin_vector(part.direction);
        FIRN_ASSERT(copy_tuple(TupleReader(part), writer));  // It was checked when the reader came to it.
        writer.end_vector();
        break;
    }
  }
  return reader.status().ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const firn::Slice key(reinterpret_cast<const char*>(data), size);
  if (size > firn::kKeyBytesMax) return 0;
  std::string copy;
  TupleWriter writer(copy);
  if (copy_tuple(TupleReader(key), writer)) {
    FIRN_ASSERT(writer.finish().ok());
    FIRN_ASSERT(copy == key);
  }
  return 0;
}
