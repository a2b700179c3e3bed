// The hot paths of the key and series codecs allocate nothing: counted.
#include <gtest/gtest.h>

#include <string>

#include "bench/codec/allocation_count.h"
#include "firn/codec/chunk.h"
#include "firn/codec/entity_key.h"
#include "firn/codec/key_bytes.h"
#include "firn/codec/series_key.h"
#include "firn/codec/time_key.h"
#include "firn/codec/tuple.h"
#include "firn/codec/ulid.h"
#include "firn/platform.h"

namespace firn::codec {
namespace {

// Allocations of `repeats` calls of `work`, after one that may let buffers grow.
template <class Work>
std::size_t allocations(Work work, int repeats = 1000) {
  work();
  const std::size_t before = allocation_count;
  for (int i = 0; i < repeats; ++i) work();
  return allocation_count - before;
}

class FixedClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() override { return 0; }
  std::uint64_t wall_ms() override { return 1427162400000; }
};

class FixedRandom final : public Random {
 public:
  std::uint64_t next() override { return 7; }
};

TEST(Allocations, TheCounterCounts) {
  const char* volatile kept = nullptr;  // Compilers leave out allocations that nobody can see.
  EXPECT_EQ(allocations([&] {
              const std::string text(100, 'x');
              kept = text.data();
            }),
            1000U);
}

TEST(Allocations, EncodingATupleMakesNone) {
  std::string key;
  EXPECT_EQ(allocations([&] {
              key.clear();
              TupleWriter writer(key);
              writer.add("user").add(Slice("\0\1", 2)).add(42).add(-2.5).add(Keyword{"order", "placed"});
              writer.add(Instant{7}, Direction::kDescending).begin_vector().add(nullptr).end_vector();
              EXPECT_TRUE(writer.finish().ok());
            }),
            0U);
}

TEST(Allocations, ReadingATupleMakesNone) {
  std::string key, scratch;
  ASSERT_TRUE(append_tuple(key, "user", Slice("\0\1", 2), descending("a longer text than fits in a string itself"), 42,
                           -2.5, Keyword{"order", "placed"})
                  .ok());
  EXPECT_EQ(allocations([&] {
              TupleReader reader(key);
              while (reader.next()) reader.part().text.view(scratch);
              EXPECT_TRUE(reader.status().ok());
            }),
            0U);
}

TEST(Allocations, EntitySeriesAndTimeKeysMakeNone) {
  std::string key, end;
  const Ulid ulid = *parse_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(allocations([&] {
              key.clear();
              append_entity_key(key, {42, EntityTag::kRel, "suffix"});
              EXPECT_TRUE(parse_entity_key(key).ok());
              EXPECT_TRUE(parse_series_key(encode_series_key({7, -1})).ok());
              key.clear();
              EXPECT_TRUE(append_time_key(key, {"evt", 1427162400000, ulid}).ok());
              EXPECT_TRUE(parse_time_key(key).ok());
              key.clear();
              EXPECT_TRUE(append_time_bound(key, "evt", 7).ok());
              end.clear();
              EXPECT_TRUE(append_prefix_end(end, entity_prefix(42)));
            }),
            0U);
}

TEST(Allocations, MakingUlidsMakesNone) {
  FixedClock clock;
  FixedRandom random;
  UlidGenerator generator(clock, random);
  EXPECT_EQ(allocations([&] { EXPECT_TRUE(parse_ulid(generator.next()->text()).ok()); }), 0U);
}

TEST(Allocations, FillingAChunkAgainAndReadingItMakeNone) {
  for (const ChunkKind kind : {ChunkKind::kGorilla, ChunkKind::kDecimal}) {
    ChunkBuilder builder(kind);
    double sum = 0;
    const auto fill_and_read = [&] {
      builder.clear();
      for (int i = 0; i < 5000; ++i) {
        // Decimals, some exceptions, some outliers.
        const double value = i % 100 == 0 ? 1.0 / (i + 3) : i % 77 / 100.0;
        EXPECT_TRUE(builder.append({i * std::int64_t{1000} + (i % 500 == 0 ? 7 : 0), value}).ok());
      }
      const Result<Chunk> chunk = Chunk::open(builder.finish());
      for (ChunkIterator it = chunk->points(); it.next();) sum += it.point().value;
      for (ChunkIterator it = chunk->range(1'000'000, 2'000'000); it.next();) sum += it.point().value;
    };
    EXPECT_EQ(allocations(fill_and_read, 3), 0U);
    EXPECT_GT(sum, 0);
  }
}

}  // namespace
}  // namespace firn::codec
