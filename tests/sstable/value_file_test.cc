#include "sstable/value_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "firn/sim/file_system.h"
#include "platform/io.h"
#include "sstable/value_builder.h"
#include "tests/sstable/failing_mapping.h"
#include "tests/wal/documented_hex.h"

namespace firn {
namespace {

const std::string kPath = "000007.values";
constexpr std::uint64_t kId = 7;

struct Row {
  std::string key;
  std::string value;
};

std::string text(const Result<std::string>& read) { return read.ok() ? *read : read.status().to_string(); }

std::string noise(std::size_t bytes) {
  std::string value;
  for (std::uint64_t x = 1; value.size() < bytes;) value += static_cast<char>((x = x * 6364136223846793005U + 1) >> 56);
  return value;
}

class Values : public ::testing::Test {
 protected:
  void build(const std::vector<Row>& rows, Compression compression = Compression::kNone) {
    static_cast<void>(files_.remove(kPath));
    auto file = files_.open(kPath, OpenMode::kCreate, FileKind::kValues);
    ASSERT_TRUE(file.ok());
    ValueBuilder builder(**file, kId, compression);
    rows_ = rows;
    references_.clear();
    for (const Row& row : rows) {
      auto reference = builder.add(row.key, row.value);
      ASSERT_TRUE(reference.ok()) << reference.status().to_string();
      references_.push_back(*reference);
    }
    auto meta = builder.finish();
    ASSERT_TRUE(meta.ok()) << meta.status().to_string();
    meta_ = *meta;
  }
  std::string bytes() { return read_file(files_, kPath, FileKind::kValues).value(); }
  void corrupt(std::uint64_t offset) {
    auto file = files_.open(kPath, OpenMode::kReadWrite, FileKind::kValues).value();
    const std::byte changed = static_cast<std::byte>(bytes()[offset] ^ 0x10);
    ASSERT_TRUE(write_all(*file, offset, {&changed, 1}).ok());
  }
  std::unique_ptr<ValueFile> open(bool may_map = false) {
    auto values = ValueFile::open(mapped_files_, kPath, meta_, cache_, may_map);
    EXPECT_TRUE(values.ok()) << values.status().to_string();
    return values.ok() ? std::move(values).value() : nullptr;
  }
  Result<std::string> read(const ValueFile& values, std::size_t row) { return read(values, references_[row], row); }
  Result<std::string> read(const ValueFile& values, const ValueReference& at, std::size_t row) {
    const EpochGuard guard;
    ValueHit hit;
    if (Status s = values.read(guard, at, rows_[row].key, hit); !s.ok()) return s;
    return std::string(hit.value);
  }
  void expect_rows(const ValueFile& values) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      EXPECT_EQ(text(read(values, i)), rows_[i].value) << i;
    }
  }

  sim::SimFileSystem files_;
  testing::FailingMappings mapped_files_{files_};
  BlockCache cache_{std::uint64_t{8} << 20};
  std::vector<Row> rows_;
  std::vector<ValueReference> references_;
  ValueMeta meta_;
};

const std::vector<Row> kRows = {{"apple", "red"}, {"", ""}, {"banana", std::string(9000, 'y')}, {"fig", noise(5000)}};

TEST_F(Values, ExampleIsTheDocumentedOne) {
  build({{"apple", "red"}, {"banana", "yellow"}});
  EXPECT_EQ(testing::as_documented(bytes()),
            testing::as_documented(testing::documented_hex("value-file", bytes().size())));
  char reference[sstable::kReferenceBytesMax];
  const char* const end = sstable::encode_reference(references_[1], reference);
  const std::string encoded(static_cast<const char*>(reference), end);
  EXPECT_EQ(testing::as_documented(encoded),
            testing::as_documented(testing::documented_hex("value-reference", encoded.size())));
}

// The other way round: a value file made of the document alone.
TEST_F(Values, DocumentedExampleIsAValueFile) {
  build({{"apple", "red"}, {"banana", "yellow"}});
  const std::string documented = testing::documented_hex("value-file", bytes().size());
  auto file = files_.open(kPath, OpenMode::kReadWrite, FileKind::kValues).value();
  ASSERT_TRUE(write_all(*file, 0, std::as_bytes(std::span(documented))).ok());
  EXPECT_TRUE(verify_value_file(files_, kPath, meta_, nullptr).ok());
  expect_rows(*open());
}

TEST_F(Values, AreReadMappedAndThroughTheCache) {
  build(kRows);
  for (const bool may_map : {false, true}) {
    const auto values = open(may_map);
    EXPECT_EQ(values->mapped(), may_map);
    expect_rows(*values);
    expect_rows(*values);
  }
  EXPECT_GT(cache_.counts().hits, 0U);
}

TEST_F(Values, ThatShrinkAreCompressed) {
  for (const Compression codec : {Compression::kZstd, Compression::kLz4}) {
    if (!compression_available(codec)) continue;
    build(kRows, codec);
    EXPECT_LT(meta_.file_bytes, 7000U);
    for (const bool may_map : {false, true}) {
      const auto values = open(may_map);
      expect_rows(*values);
      expect_rows(*values);
    }
    EXPECT_TRUE(verify_value_file(files_, kPath, meta_, nullptr).ok());
  }
}

TEST_F(Values, AreReadWithoutTheFootersHelp) {
  build(kRows);
  corrupt(meta_.file_bytes - 1);
  EXPECT_EQ(ValueFile::open(files_, kPath, meta_, cache_, false).status().code(), StatusCode::kCorruption);
  auto file = files_.open(kPath, OpenMode::kRead, FileKind::kValues).value();
  std::string scratch;
  std::string value;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    ASSERT_TRUE(read_value_record(*file, references_[i], rows_[i].key, scratch, value).ok());
    EXPECT_EQ(value, rows_[i].value);
  }
}

TEST_F(Values, DamageFailsTheReadsThatNeedItAndNamesThePlace) {
  build(kRows);
  corrupt(references_[2].offset + 100);
  for (const bool may_map : {false, true}) {
    const auto values = open(may_map);
    const auto damaged = read(*values, 2);
    EXPECT_EQ(damaged.status().code(), StatusCode::kCorruption);
    EXPECT_EQ(damaged.status().file(), kPath);
    EXPECT_EQ(damaged.status().offset(), references_[2].offset);
    EXPECT_EQ(text(read(*values, 0)), rows_[0].value);
    EXPECT_EQ(text(read(*values, 3)), rows_[3].value);
  }
}

// Every byte is under a checksum.
TEST_F(Values, VerifyFindsAChangeOfAnyByte) {
  build({{"apple", "red"}, {"banana", "yellow"}});
  EXPECT_TRUE(verify_value_file(files_, kPath, meta_, nullptr).ok());
  for (std::uint64_t offset = 0; offset < meta_.file_bytes; ++offset) {
    corrupt(offset);
    int found = 0;
    const Status status = verify_value_file(files_, kPath, meta_, [&](const ValueDamage& damage) {
      ++found;
      EXPECT_LE(damage.offset, offset);
      EXPECT_GT(damage.offset + damage.bytes, offset);
    });
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << offset;
    EXPECT_EQ(found, 1) << offset;
    corrupt(offset);
  }
}

TEST_F(Values, AMisdirectedReadIsDamage) {
  build({{"a", "111"}, {"a", "222"}, {"b", "333"}});
  const auto values = open();
  EXPECT_EQ(read(*values, references_[2], 0).status().code(), StatusCode::kCorruption);  // Of another key.
  // What lies at the place of record 0 is record 1.
  const std::string content = bytes();
  auto file = files_.open(kPath, OpenMode::kReadWrite, FileKind::kValues).value();
  const std::string moved = content.substr(references_[1].offset, references_[1].bytes);
  ASSERT_TRUE(write_all(*file, references_[0].offset, std::as_bytes(std::span(moved))).ok());
  EXPECT_EQ(read(*values, 0).status().code(), StatusCode::kCorruption);
}

TEST_F(Values, AReferenceThatLeadsOutsideIsDamage) {
  build(kRows);
  const auto values = open(true);
  for (ValueReference at : {ValueReference{kId + 1, 0, 0, 32}, ValueReference{kId, 4, 0, 32},
                            ValueReference{kId, 0, meta_.record_bytes, 32}, ValueReference{kId, 0, 0, 1 << 30}}) {
    EXPECT_EQ(read(*values, at, 0).status().code(), StatusCode::kCorruption);
  }
}

TEST_F(Values, AFileOfAnotherLifeIsRefused) {
  build(kRows);
  const ValueMeta first = meta_;
  build({{"other", "value"}});
  EXPECT_EQ(ValueFile::open(files_, kPath, first, cache_, true).status().code(), StatusCode::kCorruption);
}

TEST_F(Values, ALostMappingIsLeftForTheFile) {
  build(kRows);
  const auto values = open(true);
  EXPECT_EQ(text(read(*values, 2)), rows_[2].value);
  mapped_files_.mapping().lose(0, meta_.file_bytes);
  expect_rows(*values);
}

TEST(ValueReferenceFormat, WhatIsNoReferenceIsRefused) {
  char bytes[sstable::kReferenceBytesMax];
  const ValueReference all{UINT64_MAX, UINT64_MAX, UINT64_MAX - sstable::kValueRecordBytesMax,
                           sstable::kValueRecordBytesMax};
  const Slice encoded(bytes, static_cast<std::size_t>(sstable::encode_reference(all, bytes) - bytes));
  ValueReference read;
  EXPECT_TRUE(sstable::decode_reference(encoded, read));
  EXPECT_EQ(read, all);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(sstable::decode_reference(encoded.substr(0, size), read)) << size;
  }
  EXPECT_FALSE(sstable::decode_reference(std::string(encoded) + '\0', read));
  EXPECT_FALSE(sstable::decode_reference(Slice("\1\1\1\1", 4), read));  // A record is longer than its header.
}

}  // namespace
}  // namespace firn
