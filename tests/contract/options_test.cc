// Options: which values are accepted, and what the refusal says.
#include "firn/options.h"

#include <gtest/gtest.h>

#include <string>

namespace firn {
namespace {

void expect_refused(const Options& options, const std::string& field, const std::string& value) {
  const Status status = options.validate();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(field), Slice::npos) << status.message();
  EXPECT_NE(status.message().find(value), Slice::npos) << status.message();
}

// Both sides of a field's range are accepted, the next value on either side is not.
template <class Field, class T>
void expect_range(Field field, const std::string& name, T min, T max, bool zero_derives = false) {
  Options options;
  for (const T good : {min, max}) {
    field(options) = good;
    EXPECT_TRUE(options.validate().ok()) << name << " = " << good << ": " << options.validate().to_string();
  }
  if (max != static_cast<T>(-1)) {
    field(options) = static_cast<T>(max + 1);
    expect_refused(options, name, std::to_string(max + 1));
  }
  if (min > (zero_derives ? 1 : 0)) {
    field(options) = static_cast<T>(min - 1);
    expect_refused(options, name, std::to_string(min - 1));
  }
  if (zero_derives) {
    field(options) = 0;
    EXPECT_TRUE(options.validate().ok());
  }
}

TEST(Options, DefaultsAreValid) { EXPECT_EQ(Options().validate().to_string(), "ok"); }

TEST(Options, RangesAreTheDocumentedOnes) {
  expect_range(
      [](Options & o) -> auto& { return o.memory_bytes; }, "memory_bytes", std::uint64_t{1} << 20, UINT64_MAX);
  expect_range(
      [](Options & o) -> auto& { return o.sync_period_ms; }, "sync_period_ms", 1U, 3'600'000U);
  expect_range(
      [](Options & o) -> auto& { return o.background_threads; }, "background_threads", 1U, 64U);
  expect_range(
      [](Options & o) -> auto& { return o.default_family.filter_bits_per_key; }, "filter_bits_per_key", 0U, 32U);
}

TEST(Options, SizesMayBeDerivedOrWithinTheirRange) {
  constexpr std::uint64_t kKiB = 1024;
  constexpr std::uint64_t kGiB = kKiB * kKiB * kKiB;
  expect_range(
      [](Options & o) -> auto& { return o.sizes.memtable_bytes; }, "memtable_bytes", 64 * kKiB, 4 * kGiB, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.cache_bytes; }, "cache_bytes", std::uint64_t{0}, kKiB* kGiB, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.block_bytes; }, "block_bytes", std::uint64_t{512}, kKiB* kKiB, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.table_bytes; }, "table_bytes", 64 * kKiB, 4 * kGiB, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.log_segment_bytes; }, "log_segment_bytes", 64 * kKiB, 4 * kGiB, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.level_ratio; }, "level_ratio", 2U, 100U, true);
  expect_range(
      [](Options & o) -> auto& { return o.sizes.l0_tables; }, "l0_tables", 1U, 64U, true);
}

TEST(Options, CompressionIsOneThatThisBuildHas) {
  Options options;
  options.compression[2] = static_cast<Compression>(77);
  expect_refused(options, "compression[2]", "77");
  options = Options();
  options.default_family.compression = LevelCompression{};
  (*options.default_family.compression)[6] = static_cast<Compression>(3);
  expect_refused(options, "default_family.compression[6]", "3");
  options = Options();
  options.compression[0] = Compression::kLz4;
  EXPECT_EQ(options.validate().ok(), compression_available(Compression::kLz4));
}

TEST(Options, ByDefaultOnlyTheLastLevelIsCompressed) {
  const LevelCompression levels = Options::default_compression();
  for (int level = 0; level + 1 < kLevelCount; ++level) {
    EXPECT_EQ(levels[static_cast<std::size_t>(level)], Compression::kNone);
  }
  EXPECT_EQ(levels.back(), compression_available(Compression::kLz4) ? Compression::kLz4 : Compression::kZstd);
}

TEST(Options, ReadingOnlyAndRequiringANewDatabaseExcludeEachOther) {
  Options options;
  options.read_only = true;
  EXPECT_TRUE(options.validate().ok());
  options.error_if_exists = true;
  expect_refused(options, "read_only", "error_if_exists");
}

TEST(Options, DurabilityIsOneOfTheFour) {
  Options options;
  options.durability = static_cast<Durability>(4);
  expect_refused(options, "durability", "4");
}

TEST(FamilyOptions, AreCheckedAlone) {
  FamilyOptions options;
  EXPECT_TRUE(options.validate().ok());
  options.filter_bits_per_key = 33;
  EXPECT_EQ(options.validate().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace firn
