// Any bytes as a chunk, with the checksum put right so that the decoders see them: damage, or points in order.
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "codec/checksum.h"
#include "codec/series/chunk_format.h"
#include "codec/varint.h"
#include "firn/codec/chunk.h"
#include "platform/assert.h"
#include "tests/fuzz/target.h"

namespace firn::fuzz {

namespace {

using namespace firn::codec;

// Both give the same points; precondition: `b` is of points that were read from `a`.
void expect_same_points(ChunkIterator a, ChunkIterator b) {
  while (a.next()) {
    FIRN_ASSERT(b.next());
    FIRN_ASSERT(a.point().time == b.point().time);
    FIRN_ASSERT(std::bit_cast<std::uint64_t>(a.point().value) == std::bit_cast<std::uint64_t>(b.point().value));
  }
  FIRN_ASSERT(!b.next() && b.status().ok());
}

void run(Slice input) {
  std::string bytes(input);
  FIRN_ASSERT(bytes.size() < kChunkHeaderBytes || !Chunk::open(bytes.substr(0, kChunkHeaderBytes - 1)).ok());
  if (bytes.size() >= kChunkHeaderBytes) {
    const auto sum = checksum(Slice(bytes).substr(kKindAndCountOffset), kChunkSeed);
    store(bytes.data() + kChecksumOffset, static_cast<std::uint32_t>(sum));
  }
  const auto chunk = Chunk::open(bytes);
  if (!chunk.ok()) return;

  ChunkIterator range = chunk->range(chunk->first_time() / 2 + chunk->last_time() / 2, chunk->last_time());
  while (range.next()) FIRN_ASSERT(range.point().time < chunk->last_time());

  std::int64_t last_time = std::numeric_limits<std::int64_t>::min();
  std::uint32_t count = 0;
  ChunkIterator it = chunk->points();
  for (; it.next(); ++count) {
    FIRN_ASSERT(it.point().time >= last_time);
    last_time = it.point().time;
  }
  FIRN_ASSERT(count <= chunk->count());
  if (!it.status().ok()) return;
  FIRN_ASSERT(count == chunk->count());
  for (const ChunkKind kind : {ChunkKind::kGorilla, ChunkKind::kDecimal}) {
    ChunkBuilder builder(kind);
    FIRN_ASSERT(builder.append(*chunk).ok());
    const auto copy = Chunk::open(builder.finish());
    FIRN_ASSERT(copy.ok());
    expect_same_points(chunk->points(), copy->points());
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (const ChunkKind kind : {ChunkKind::kGorilla, ChunkKind::kDecimal}) {
    ChunkBuilder empty(kind);
    ChunkBuilder builder(kind);
    inputs.emplace_back(empty.finish());
    for (int i = 0; i < 40; ++i) {
      const double value = i % 16 == 7 ? 1.0 / (i + 2) : 73.96 + i % 5 / 100.0;
      FIRN_ASSERT(builder.append({1427162400000 + i * std::int64_t{300'000} + i % 9, value}).ok());
    }
    inputs.emplace_back(builder.finish());
  }
  return inputs;
}

const Registration kRegistered({"chunk", run, seeds, 50'000});

}  // namespace

}  // namespace firn::fuzz
