// Any bytes as a tuple key: refused, or exactly what the writer makes of what was read.
#include <string>
#include <vector>

#include "firn/codec/tuple.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

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

void run(Slice key) {
  if (key.size() > kKeyBytesMax) return;
  std::string copy;
  TupleWriter writer(copy);
  if (copy_tuple(TupleReader(key), writer)) {
    FIRN_ASSERT(writer.finish().ok());
    FIRN_ASSERT(copy == key);
  }
}

std::vector<std::string> seeds() {
  std::string all;
  TupleWriter writer(all);
  writer.add(nullptr)
      .add(42)
      .add(-0.5)
      .add(Slice("a\0b", 3))
      .add(Keyword{"order", "placed"})
      .add(Instant{1427162400000});
  writer.begin_vector(Direction::kDescending).add(-1).add(1e300, Direction::kDescending).end_vector();
  FIRN_ASSERT(writer.finish().ok());
  return {all};
}

const Registration kRegistered({"tuple", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
