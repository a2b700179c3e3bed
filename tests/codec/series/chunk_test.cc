#include "firn/codec/chunk.h"

#include "codec/checksum.h"
#include "codec/series/chunk_format.h"
#include "codec/varint.h"
#include "tests/codec/hex.h"
#include "tests/codec/series/series_values.h"

namespace firn::codec {
namespace {

constexpr ChunkKind kKinds[] = {ChunkKind::kGorilla, ChunkKind::kDecimal};
constexpr std::size_t kBlock = 1024;  // Points of a decimal block.

// With the checksum that its bytes should have: damage that only the decoder can find.
std::string sealed(std::string bytes) {
  const auto sum = static_cast<std::uint32_t>(checksum(Slice(bytes).substr(kKindAndCountOffset), kChunkSeed));
  store(bytes.data() + kChecksumOffset, sum);
  return bytes;
}

Points regular(std::size_t count) {
  Points points(count);
  for (std::size_t i = 0; i < count; ++i) points[i] = {static_cast<std::int64_t>(i) * 10, static_cast<double>(i) / 4};
  return points;
}

TEST(Chunk, BytesNeverChange) {
  const Points points = {{1427162400000, 73.96}, {1427162700000, 74.93}, {1427163000000, 76.12}, {1427163000000, 1e-9}};
  EXPECT_EQ(to_hex(build(ChunkKind::kGorilla, points)),
            "165efa6401040000000582494c010000c02c8b494c010000"
            "40527d70a3d70a3df000249f070c31bd6f5bd6f45befde1585615853efffb6c20c3ffe4229a5fc5c37dd");
  EXPECT_EQ(to_hex(build(ChunkKind::kDecimal, points)),
            "5615b57f02040000000582494c010000c02c8b494c010000"
            "260200c0cf240093000000009f24f8240100000008c8730061d8d80001030095d626e80b2e113e");
  EXPECT_EQ(to_hex(build(ChunkKind::kGorilla, {})), "175ccb210100000000000000000000000000000000000000");
  EXPECT_EQ(read(build(ChunkKind::kGorilla, points)), points);
  EXPECT_EQ(read(build(ChunkKind::kDecimal, points)), points);
}

TEST(Chunk, TheExamplesOfTheDocumentation) {
  const Points points = {{1427162400000, 73.96}, {1427162700000, 74.93}, {1427163000000, 76.12}};
  const std::string gorilla = from_hex(
      "d119939b 01 030000 000582494c010000 c02c8b494c010000"
      "40527d70a3d70a3d f000249f070c31bd6f5bd6f45befde1585615852");
  const std::string decimal = from_hex(
      "8ee804bd 02 030000 000582494c010000 c02c8b494c010000"
      "13 02 00 c0cf24 00"
      "80 c0cf24 00"
      "08 c873 00 61 d8 00"
      "00");
  EXPECT_EQ(build(ChunkKind::kGorilla, points), gorilla);
  EXPECT_EQ(build(ChunkKind::kDecimal, points), decimal);
  EXPECT_EQ(read(gorilla), points);
  EXPECT_EQ(read(decimal), points);
}

// Chunks as they were written once: with patches and exceptions, differences, and doubles that are no decimals.
TEST(Chunk, StoredBytesAreReadForever) {
  Points mixed, counter, thirds;
  for (int i = 0; i < 12; ++i) {
    mixed.push_back({i * 10 + (i > 6 ? 5'000'000'000 : 0), i / 4 * 0.25});
    counter.push_back({i * 10, 1000.0 + i * 7000});
    thirds.push_back({i * 10, (i + 1) / 3.0 * 1e100});
  }
  mixed[3].value = std::bit_cast<double>(std::uint64_t{0x7FF8000000000001});
  mixed[9].value = 123456789.5;
  EXPECT_EQ(
      read(from_hex("8d5cf70d010c000000000000000000006ef2052a01000000000000000000000085061ffffc000000000000a805000000"
                    "00000021f000000012a05f2007ffffffffb57e83803505b0cdf9f5bcd15afcfade68ac")),
      mixed);
  EXPECT_EQ(
      read(from_hex("20538fd7020c000000000000000000006ef2052a01000000360200eee497d0120080140107000af2052a010000000600"
                    "0000005996653220cb010900661cdcdf02000000010300010000000000f87f")),
      mixed);
  EXPECT_EQ(
      read(from_hex("5c1bf903010c000000000000000000006e00000000000000408f400000000000856a0b69379068c18d85c976a37dc6da"
                    "5d6b6c332551dfa4956b3bc2b425e8")),
      counter);
  EXPECT_EQ(read(from_hex("dede4f0b020c000000000000000000006e000000000000000d00006edf5d80140080b06d0000")), counter);
  EXPECT_EQ(
      read(from_hex("4de8b34a010c000000000000000000006e000000000000005498623c321baf51856a0b6bcf457222f1ed85a515c88bc7"
                    "b616db9e18f70cb9347769dfe19b30d9b2c2da0e38b31c99f42a869be44ce1cb1ca06197f148914da828a24437edf0d2"
                    "3d7284b9a3275c81451223f3e5fa80")),
      thirds);
  EXPECT_EQ(
      read(from_hex("8c133a94020c000000000000000000006e000000000000006bff006e8fdde0a0e4f3a3d2ad01801400b5d4d79be4f091"
                    "8603000000000000c04291370f779ebbc9ba82690a43df3065496b92041ca62c694d9288b5418ff822097bdd90e111c3"
                    "40af1b323c6218ec754386470c43bd6ec8f0886168937505d31406000000000000000000")),
      thirds);
}

TEST(Chunk, AnEmptyOneIsAChunk) {
  for (const ChunkKind kind : kKinds) {
    const std::string bytes = build(kind, {});
    const Result<Chunk> chunk = Chunk::open(bytes);
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->count(), 0U);
    EXPECT_EQ(chunk->kind(), kind);
    EXPECT_EQ(read(bytes), Points());
    EXPECT_FALSE(chunk->range(INT64_MIN, INT64_MAX).next());
  }
}

TEST(Chunk, TheHeaderTellsCountAndTimes) {
  for (const ChunkKind kind : kKinds) {
    const std::string bytes = build(kind, {{-5, 1}, {-5, 2}, {70, 3}});
    const Result<Chunk> chunk = Chunk::open(bytes);
    ASSERT_TRUE(chunk.ok());
    EXPECT_EQ(chunk->count(), 3U);
    EXPECT_EQ(chunk->first_time(), -5);
    EXPECT_EQ(chunk->last_time(), 70);
  }
}

TEST(Chunk, ATimeBeforeTheLastIsRefusedAndNothingChanges) {
  for (const ChunkKind kind : kKinds) {
    ChunkBuilder builder(kind);
    EXPECT_TRUE(builder.append({10, 1}).ok());
    EXPECT_EQ(builder.append({9, 2}).code(), StatusCode::kInvalidArgument);
    EXPECT_TRUE(builder.append({10, 3}).ok());
    EXPECT_EQ(read(builder.finish()), (Points{{10, 1}, {10, 3}}));
  }
}

TEST(Chunk, AFullOneRefusesAnotherPoint) {
  ChunkBuilder builder(ChunkKind::kGorilla);
  for (std::uint32_t i = 0; i < kChunkPointsMax; ++i) ASSERT_TRUE(builder.append({7, 1}).ok());
  EXPECT_EQ(builder.append({7, 1}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Chunk::open(builder.finish())->count(), kChunkPointsMax);
}

TEST(Chunk, AppendingGoesOnAfterFinish) {
  for (const ChunkKind kind : kKinds) {
    const Points points = regular(2 * kBlock + 70);
    ChunkBuilder builder(kind);
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_TRUE(builder.append(points[i]).ok());
      if (i % 97 != 0 && i % kBlock >= 2) continue;
      EXPECT_EQ(Chunk::open(builder.finish())->count(), i + 1);
    }
    EXPECT_EQ(read(builder.finish()), points);
    EXPECT_EQ(builder.finish(), build(kind, points));
    builder.clear();
    EXPECT_TRUE(builder.append({-7, 1}).ok());
    EXPECT_EQ(read(builder.finish()), (Points{{-7, 1}}));
  }
}

TEST(Chunk, AStoredOneIsAppendedToOfEitherKind) {
  for (const ChunkKind kind : kKinds) {
    const std::string stored = build(ChunkKind::kGorilla, regular(100));
    ChunkBuilder builder(kind);
    EXPECT_TRUE(builder.append(*Chunk::open(stored)).ok());
    EXPECT_TRUE(builder.append({5000, 7}).ok());
    Points expected = regular(100);
    expected.push_back({5000, 7});
    EXPECT_EQ(read(builder.finish()), expected);
  }
}

TEST(Chunk, EveryDoubleComesBackBitForBit) {
  for (const ChunkKind kind : kKinds) {
    Points points;
    for (const std::uint64_t bits :
         {0x0ULL, 0x8000000000000000ULL, 0x1ULL, 0x8000000000000001ULL, 0x000FFFFFFFFFFFFFULL, 0x7FEFFFFFFFFFFFFFULL,
          0x7FF0000000000000ULL, 0xFFF0000000000000ULL, 0x7FF0000000000001ULL, 0x7FF8000000000000ULL,
          0xFFFFFFFFFFFFFFFFULL, 0x3FB999999999999AULL}) {
      points.push_back({INT64_MIN, std::bit_cast<double>(bits)});
      points.push_back({INT64_MIN, std::bit_cast<double>(bits)});
    }
    points.push_back({INT64_MAX, 1});
    EXPECT_EQ(read(build(kind, points)), points);
  }
}

TEST(Chunk, ARangeIsTheTimesFromUpTo) {
  for (const ChunkKind kind : kKinds) {
    const std::string bytes = build(kind, regular(5000));
    const Result<Chunk> chunk = Chunk::open(bytes);
    Status status;
    const Points points = read(chunk->range(19995, 20021), status);
    EXPECT_EQ(points, (Points{{20000, 500.0}, {20010, 500.25}, {20020, 500.5}}));
    EXPECT_TRUE(status.ok());
    EXPECT_TRUE(read(chunk->range(50, 50), status).empty());
    EXPECT_TRUE(read(chunk->range(60, 50), status).empty());
    EXPECT_TRUE(read(chunk->range(49991, 60000), status).empty());
  }
}

TEST(Chunk, AnyChangedByteAndAnyLengthIsAnError) {
  for (const ChunkKind kind : kKinds) {
    const std::string bytes = build(kind, regular(200));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(Chunk::open(bytes.substr(0, size)).status().code(), StatusCode::kCorruption);
    }
    EXPECT_FALSE(Chunk::open(bytes + '\0').ok());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
      EXPECT_FALSE(Chunk::open(damaged).ok()) << i;
    }
  }
}

TEST(Chunk, DamageSaysWhere) {
  std::string bytes = build(ChunkKind::kGorilla, regular(3));
  EXPECT_EQ(Chunk::open("short").status().message(), "series chunk: byte 5: the header is cut off");
  bytes[kKindAndCountOffset] = 9;
  EXPECT_EQ(Chunk::open(bytes).status().message(), "series chunk: byte 0: the checksum does not match");
  EXPECT_EQ(Chunk::open(sealed(bytes)).status().message(), "series chunk: byte 4: unknown kind of chunk");
}

TEST(Chunk, ALongerOrShorterBodyIsFoundBeneathAMatchingChecksum) {
  for (const ChunkKind kind : kKinds) {
    const std::string bytes = build(kind, regular(1500));
    for (const std::string& damaged : {bytes + '\0', bytes.substr(0, bytes.size() - 1)}) {
      const std::string resealed = sealed(damaged);
      const Result<Chunk> chunk = Chunk::open(resealed);
      ASSERT_TRUE(chunk.ok());
      Status status;
      read(chunk->points(), status);
      EXPECT_EQ(status.code(), StatusCode::kCorruption);
    }
  }
}

TEST(Chunk, ASealedWrongHeaderIsFound) {
  for (const ChunkKind kind : kKinds) {
    for (const std::size_t offset : {kKindAndCountOffset + 1, kFirstTimeOffset, kLastTimeOffset}) {
      std::string bytes = build(kind, regular(1500));
      ++bytes[offset];
      bytes = sealed(bytes);
      const Result<Chunk> chunk = Chunk::open(bytes);
      Status status = chunk.status();
      if (chunk.ok()) read(chunk->points(), status);
      EXPECT_EQ(status.code(), StatusCode::kCorruption) << offset;
    }
  }
}

TEST(Chunk, PointsComeBack) {
  expect_property([] {
    const Points points = *points_gen(40);
    for (const ChunkKind kind : kKinds) RC_ASSERT(read(build(kind, points)) == points);
  });
}

TEST(Chunk, ManyPointsComeBack) {
  expect_fewer_cases(100, [] {
    const Points points = *points_gen(3 * kBlock);
    for (const ChunkKind kind : kKinds) RC_ASSERT(read(build(kind, points)) == points);
  });
}

TEST(Chunk, ARangeIsWhatAFilterLeaves) {
  expect_fewer_cases(100, [] {
    const Points points = *points_gen(3 * kBlock);
    const auto edge = rc::gen::exec([&points] {
      if (points.empty() || *range_gen(0, 4) == 0) return *integer_gen();
      const std::int64_t time = points[*range_gen<std::size_t>(0, points.size())].time;
      return *range_gen(0, 2) == 0 || time == INT64_MAX ? time : time + 1;
    });
    const std::int64_t from = *edge, to = *edge;
    Points expected;
    for (const Point& point : points) {
      if (from <= point.time && point.time < to) expected.push_back(point);
    }
    for (const ChunkKind kind : kKinds) {
      const std::string bytes = build(kind, points);
      Status status;
      RC_ASSERT(read(Chunk::open(bytes)->range(from, to), status) == expected);
      RC_ASSERT(status.ok());
    }
  });
}

TEST(Chunk, SealedDamageIsAnErrorOrOtherPointsInOrder) {
  expect_property([] {
    const Points points = *points_gen(200);
    std::string bytes = build(*kind_gen(), points);
    for (int changes = *range_gen(1, 4); changes > 0; --changes) {
      const auto at = *range_gen<std::size_t>(kKindAndCountOffset, bytes.size());
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << *range_gen(0, 8));
    }
    bytes = sealed(bytes);
    const Result<Chunk> chunk = Chunk::open(bytes);
    if (!chunk.ok()) return;
    Status status;
    const Points found = read(chunk->points(), status);
    RC_ASSERT(std::is_sorted(found.begin(), found.end(), [](auto& a, auto& b) { return a.time < b.time; }));
    RC_ASSERT(!status.ok() || found.size() == chunk->count());
  });
}

TEST(MergeChunks, KeepsOrderAndWhatIsAskedAtOneTime) {
  const std::string older = build(ChunkKind::kGorilla, {{1, 1}, {3, 3}, {3, 3.5}, {5, 5}});
  const std::string newer = build(ChunkKind::kDecimal, {{2, 20}, {3, 30}, {9, 90}});
  ChunkBuilder both(ChunkKind::kDecimal);
  EXPECT_TRUE(merge_chunks(*Chunk::open(older), *Chunk::open(newer), SameTime::kKeepBoth, both).ok());
  EXPECT_EQ(read(both.finish()), (Points{{1, 1}, {2, 20}, {3, 3}, {3, 3.5}, {3, 30}, {5, 5}, {9, 90}}));
  ChunkBuilder newest(ChunkKind::kGorilla);
  EXPECT_TRUE(merge_chunks(*Chunk::open(older), *Chunk::open(newer), SameTime::kKeepNewer, newest).ok());
  EXPECT_EQ(read(newest.finish()), (Points{{1, 1}, {2, 20}, {3, 30}, {5, 5}, {9, 90}}));
}

TEST(MergeChunks, IsAStableMergeOfTheLists) {
  expect_property([] {
    const Points older = *points_gen(30), newer = *points_gen(30);
    const auto before = [](const Point& a, const Point& b) { return a.time < b.time; };
    Points both, newest;
    std::merge(older.begin(), older.end(), newer.begin(), newer.end(), std::back_inserter(both), before);
    Points kept = older;
    std::erase_if(kept, [&](const Point& p) { return std::binary_search(newer.begin(), newer.end(), p, before); });
    std::merge(kept.begin(), kept.end(), newer.begin(), newer.end(), std::back_inserter(newest), before);
    const std::string a = build(*kind_gen(), older), b = build(*kind_gen(), newer);
    for (const bool keep_both : {true, false}) {
      ChunkBuilder out(*kind_gen());
      const SameTime same_time = keep_both ? SameTime::kKeepBoth : SameTime::kKeepNewer;
      RC_ASSERT(merge_chunks(*Chunk::open(a), *Chunk::open(b), same_time, out).ok());
      RC_ASSERT(read(out.finish()) == (keep_both ? both : newest));
    }
  });
}

TEST(MergeChunks, TheSamePointsTwiceAreThePointsOnce) {
  expect_property([] {
    const Points points = *points_gen(30);
    const std::string bytes = build(*kind_gen(), points);
    ChunkBuilder out(*kind_gen());
    RC_ASSERT(merge_chunks(*Chunk::open(bytes), *Chunk::open(bytes), SameTime::kKeepNewer, out).ok());
    RC_ASSERT(read(out.finish()) == points);
  });
}

}  // namespace
}  // namespace firn::codec
