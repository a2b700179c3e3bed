// Any bytes as the payload of a log record: malformed, or operations that a batch of them holds in the same order.
#include <string>
#include <vector>

#include "codec/batch_format.h"
#include "firn/write_batch.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

void run(Slice input) {
  // Of exactly its size, so that AddressSanitizer sees its ends.
  const std::vector<char> exact(input.begin(), input.end());
  BatchReader reader({exact.data(), exact.size()});
  WriteBatch batch;
  BatchOperation op;
  while (reader.next(op)) {
    if (op.kind == EntryKind::kPut) {
      batch.put(Family{op.family}, op.key, op.value);
    } else {
      batch.erase(Family{op.family}, op.key);
    }
  }
  FIRN_ASSERT(!reader.next(op) && batch.status().ok());
  FIRN_ASSERT(reader.malformed() || reader.remaining_bytes() == 0);
  // Numbers may be spelt longer than needed, so a batch of the same operations is no longer than what was read.
  FIRN_ASSERT(reader.malformed() || batch.bytes() <= input.size());
  BatchReader copy(batch.payload());
  for (std::uint32_t i = 0; i < batch.count(); ++i) FIRN_ASSERT(copy.next(op));
  FIRN_ASSERT(!copy.next(op) && !copy.malformed());
}

std::vector<std::string> seeds() {
  WriteBatch batch;
  batch.put("key", "value");
  batch.erase(Family{300}, std::string(200, 'k'));
  batch.put(Family{UINT32_MAX}, "", "");
  return {std::string(batch.payload())};
}

const Registration kRegistered({"batch", run, seeds, 100'000});

}  // namespace

}  // namespace firn::fuzz
