#include "firn/codec/ulid.h"

#include <cctype>
#include <vector>

#include "firn/platform.h"
#include "tests/codec/hex.h"
#include "tests/codec/property.h"

namespace firn::codec {
namespace {

class ManualClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() override { return 0; }
  std::uint64_t wall_ms() override { return ms; }
  std::uint64_t ms = 0;
};

class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  std::uint64_t next() override { return numbers_[used_++ % numbers_.size()]; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t used_ = 0;
};

std::string text(const Ulid& ulid) { return std::string(ulid.text().slice()); }

Ulid parse(Slice bytes) {
  Result<Ulid> ulid = parse_ulid(bytes);
  EXPECT_TRUE(ulid.ok()) << ulid.status().to_string();
  return *ulid;
}

// From the specification: 01ARZ3NDEK is the time 1469922850259, and 7ZZZ... is 2^48 - 1.
TEST(Ulid, TimesOfTheSpecificationAreRecovered) {
  EXPECT_EQ(parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").time_ms(), 1469922850259U);
  EXPECT_EQ(parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ").time_ms(), 281474976710655U);
  EXPECT_EQ(parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ").time_ms(), kUlidTimeMax);
  EXPECT_EQ(parse("00000000000000000000000000").time_ms(), 0U);
}

TEST(Ulid, TheBinaryLayoutIsBigEndian) {
  const Ulid ulid = parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(to_hex(Slice(reinterpret_cast<const char*>(ulid.bytes.data()), kUlidBytes)),
            "01563e3ab5d3d6764c61efb99302bd5b");
}

TEST(Ulid, CaseAndAmbiguousLettersAreReadAsCrockfordSays) {
  EXPECT_EQ(parse("01arz3ndektsv4rrffq69g5fav"), parse("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  EXPECT_EQ(parse("OoIiLl00000000000000000000"), parse("00111100000000000000000000"));
}

TEST(Ulid, OtherTextsAreRefused) {
  EXPECT_FALSE(parse_ulid("").ok());
  EXPECT_FALSE(parse_ulid("01ARZ3NDEKTSV4RRFFQ69G5FA").ok());
  EXPECT_FALSE(parse_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV0").ok());
  EXPECT_FALSE(parse_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAU").ok());
  EXPECT_FALSE(parse_ulid("01ARZ3NDEKTSV4RRFFQ69G5FA-").ok());
  EXPECT_FALSE(parse_ulid(Slice("01ARZ3NDEKTSV4RRFFQ69G5FA\0", 26)).ok());
  EXPECT_EQ(parse_ulid("80000000000000000000000000").status().message(),
            "not a ULID: above 7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, TextComesBackAndOrdersAsBytes) {
  expect_property([] {
    const auto ulid = [] {
      Ulid made;
      const std::uint64_t halves[] = {*bits_gen(), *bits_gen()};
      for (std::size_t i = 0; i < kUlidBytes; ++i) {
        made.bytes[i] = static_cast<unsigned char>(halves[i / 8] >> (8 * (7 - i % 8)));
      }
      return made;
    };
    const Ulid a = ulid(), b = ulid();
    RC_ASSERT(*parse_ulid(text(a)) == a);
    RC_ASSERT((text(a) < text(b)) == (a < b));
    std::string lower = text(a);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    RC_ASSERT(*parse_ulid(lower) == a);
  });
}

// The specification's example of monotonicity.
TEST(UlidGenerator, IncrementsWithinAMillisecond) {
  const Ulid first = parse("01BX5ZZKBKACTAV9WEVGEMMVRY");
  ManualClock clock;
  clock.ms = first.time_ms();
  std::uint64_t high = 0, low = 0;
  for (std::size_t i = 6; i < 8; ++i) high = high << 8 | first.bytes[i];
  for (std::size_t i = 8; i < 16; ++i) low = low << 8 | first.bytes[i];
  ScriptedRandom random({high << 48, low});
  UlidGenerator generator(clock, random);
  EXPECT_EQ(text(*generator.next()), "01BX5ZZKBKACTAV9WEVGEMMVRY");
  EXPECT_EQ(text(*generator.next()), "01BX5ZZKBKACTAV9WEVGEMMVRZ");
  EXPECT_EQ(text(*generator.next()), "01BX5ZZKBKACTAV9WEVGEMMVS0");
  EXPECT_EQ(text(*generator.next()), "01BX5ZZKBKACTAV9WEVGEMMVS1");
}

TEST(UlidGenerator, OverflowFailsUntilTheNextMillisecond) {
  ManualClock clock;
  clock.ms = 1000;
  ScriptedRandom random({UINT64_MAX, UINT64_MAX - 1});
  UlidGenerator generator(clock, random);
  EXPECT_TRUE(generator.next().ok());
  EXPECT_EQ(text(*generator.next()).substr(10), "ZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(generator.next().status().code(), StatusCode::kBusy);
  EXPECT_EQ(generator.next().status().code(), StatusCode::kBusy);
  ++clock.ms;
  EXPECT_EQ(generator.next()->time_ms(), 1001U);
}

TEST(UlidGenerator, CarriesIntoTheUpperRandomBits) {
  ManualClock clock;
  clock.ms = 1;
  ScriptedRandom random({0, UINT64_MAX});
  UlidGenerator generator(clock, random);
  EXPECT_EQ(text(*generator.next()), "0000000001000FZZZZZZZZZZZZ");
  EXPECT_EQ(text(*generator.next()), "0000000001000G000000000000");
}

TEST(UlidGenerator, KeepsTheOrderWhenTheClockRunsBackwards) {
  ManualClock clock;
  clock.ms = 2000;
  ScriptedRandom random({7});
  UlidGenerator generator(clock, random);
  const Ulid first = *generator.next();
  clock.ms = 1000;
  const Ulid second = *generator.next();
  EXPECT_LT(first, second);
  EXPECT_EQ(second.time_ms(), 2000U);
}

TEST(UlidGenerator, RefusesAClockBeyond48Bits) {
  ManualClock clock;
  clock.ms = kUlidTimeMax + 1;
  ScriptedRandom random({7});
  EXPECT_EQ(UlidGenerator(clock, random).next().status().code(), StatusCode::kInvalidArgument);
}

TEST(UlidGenerator, EachIsGreaterThanTheOneBefore) {
  expect_property([] {
    ManualClock clock;
    ScriptedRandom random(*rc::gen::container<std::vector<std::uint64_t>>(4, bits_gen()));
    UlidGenerator generator(clock, random);
    Ulid last{};
    bool started = false;
    for (const std::uint64_t ms : *list_gen<std::vector<std::uint64_t>>(12, range_gen<std::uint64_t>(0, 6))) {
      clock.ms = ms;
      const Result<Ulid> ulid = generator.next();
      if (!ulid.ok()) continue;
      RC_ASSERT(!started || *ulid > last);
      RC_ASSERT(ulid->time_ms() >= ms);
      last = *ulid;
      started = true;
    }
  });
}

}  // namespace
}  // namespace firn::codec
