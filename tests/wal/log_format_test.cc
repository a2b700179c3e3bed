#include "wal/log_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "codec/batch_format.h"
#include "firn/write_batch.h"
#include "tests/wal/documented_hex.h"

namespace firn::wal {

namespace {

constexpr DatabaseId kDatabase{0x1122334455667788, 0x99AABBCCDDEEFF00};

SegmentHeader example_header() {
  SegmentHeader header;
  header.id = 7;
  header.database = kDatabase;
  header.first_sequence = 1000;
  header.previous.end = {5, 8192, 0xCAFEF00D};
  header.previous.durable_bytes = 4160;
  header.previous.earlier_durable = true;
  header.manifest_edit = 42;
  return header;
}

std::string encoded(const SegmentHeader& header, std::uint32_t* chain = nullptr) {
  std::string sector(kSegmentSectorBytes, 'x');
  const std::uint32_t value = encode_segment_header(header, sector.data());
  if (chain != nullptr) *chain = value;
  return sector;
}

constexpr RecordPlace place_of(std::uint64_t salt) { return {salt, kSegmentHeaderBytes}; }

// The record that the document shows: put k = v in family 0, as the first behind the example header.
std::string example_record() {
  std::uint32_t chain = 0;
  encoded(example_header(), &chain);
  WriteBatch batch;
  batch.put(Family{0}, "k", "v");
  const Slice payload = batch.payload();
  std::string bytes(record_bytes_max(payload.size()), 'x');
  char* at = bytes.data();
  RecordPlace place = place_of(file_salt(kDatabase, 7));
  put_record(at, place, {1000, 1, payload}, {4090, true}, chain);
  bytes.resize(static_cast<std::size_t>(at - bytes.data()));
  return bytes;
}

// The record at the front of `bytes`, which are all that the file has from `place` on.
std::optional<DecodedRecord> decoded(const std::string& bytes, RecordPlace place) {
  const auto header = decode_record_header(bytes, place, place.offset + bytes.size());
  return header.has_value() ? decode_record(bytes.data(), place, *header) : std::nullopt;
}

TEST(LogFormat, HeaderIsTheDocumentedOne) {
  const std::string sector = encoded(example_header());
  EXPECT_EQ(testing::as_documented(sector),
            testing::as_documented(testing::documented_hex("log-header", kSegmentSectorBytes)));
  const auto decoded = decode_segment_header(sector.data());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->header, example_header());
}

TEST(LogFormat, RecordIsTheDocumentedOne) {
  const std::string bytes = example_record();
  EXPECT_EQ(testing::as_documented(bytes), testing::as_documented(testing::documented_hex("log-record", bytes.size())));
  const auto record = decoded(bytes, place_of(file_salt(kDatabase, 7)));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->record.first_sequence, 1000U);
  EXPECT_EQ(record->record.count, 1U);
  EXPECT_EQ(record->header.durable.bytes, 4090U);
  EXPECT_TRUE(record->header.durable.earlier_segments);
  EXPECT_EQ(record->header.unknown_flags, 0);
  BatchReader reader(record->record.payload);
  BatchOperation operation;
  ASSERT_TRUE(reader.next(operation));
  EXPECT_EQ(operation.key, "k");
  EXPECT_EQ(operation.value, "v");
}

TEST(LogFormat, HeaderWithAnyBitFlippedIsNone) {
  const std::string sector = encoded(example_header());
  for (std::size_t bit = 0; bit < 8 * sector.size(); ++bit) {
    std::string flipped = sector;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(decode_segment_header(flipped.data()).has_value()) << bit;
  }
}

TEST(LogFormat, RecordWithAnyBitFlippedIsNone) {
  const std::string bytes = example_record();
  const RecordPlace place = place_of(file_salt(kDatabase, 7));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(decoded(flipped, place).has_value()) << bit;
  }
}

TEST(LogFormat, RecordThatIsCutIsNone) {
  const std::string bytes = example_record();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decoded(bytes.substr(0, size), place_of(file_salt(kDatabase, 7))).has_value()) << size;
  }
}

TEST(LogFormat, RecordBelongsToItsPlace) {
  const std::string bytes = example_record();
  const std::uint64_t salt = file_salt(kDatabase, 7);
  EXPECT_TRUE(decoded(bytes, {salt, 4096}).has_value());
  EXPECT_FALSE(decoded(bytes, {salt, 4097}).has_value());
  EXPECT_FALSE(decoded(bytes, {file_salt(kDatabase, 8), 4096}).has_value());
  EXPECT_FALSE(decoded(bytes, {file_salt({1, 2}, 7), 4096}).has_value());
}

TEST(LogFormat, ZerosAreNeitherHeaderNorRecord) {
  const std::string zeros(kSegmentSectorBytes, '\0');
  EXPECT_FALSE(decode_segment_header(zeros.data()).has_value());
  for (std::uint64_t offset = 4096; offset < 8192; ++offset) {
    EXPECT_FALSE(decode_record_header(zeros, {file_salt(kDatabase, 7), offset}, 1 << 20).has_value());
  }
}

// A record may begin with zeros, so that a search must not pass over all that it sees.
TEST(LogFormat, SearchPassesOverNoRecordThatBeginsWithZeros) {
  const std::string record = example_record();
  for (std::size_t zeros = 0; zeros < 40; ++zeros) {
    const std::string bytes = std::string(zeros, '\0') + record;
    std::size_t at = 0;
    while (const std::size_t passed = bytes_without_record(Slice(bytes).substr(at))) at += passed;
    EXPECT_LE(at, zeros);
    EXPECT_GE(at + kPayloadBytesOffset, zeros);
  }
  EXPECT_EQ(bytes_without_record(std::string(100, '\0')), 100 - kPayloadBytesOffset);
  EXPECT_EQ(bytes_without_record(std::string(kPayloadBytesOffset, '\0')), 0U);
}

TEST(LogFormat, RecordLongerThanItsSegmentIsImpossible) {
  const std::string bytes = example_record();
  const RecordPlace place = place_of(file_salt(kDatabase, 7));
  EXPECT_TRUE(decode_record_header(bytes, place, 4096 + bytes.size()).has_value());
  EXPECT_FALSE(decode_record_header(bytes, place, 4095 + bytes.size()).has_value());
  EXPECT_FALSE(decode_record_header(bytes, place, 4095).has_value());
}

// Records whose check is right and whose fields cannot be.
TEST(LogFormat, ImpossibleFieldsAreNoRecord) {
  const auto possible = [](const RecordHeader& fields) {
    std::string bytes(record_bytes_max(fields.payload_bytes), 'x');
    RecordHeader header = fields;
    begin_record(bytes.data(), 4096, header);
    seal_record(bytes.data(), place_of(1), header);
    return decode_record_header(bytes, place_of(1), 8192).has_value();
  };
  EXPECT_TRUE(possible({1, 1, 20, {}, 0}));
  EXPECT_TRUE(possible({1, 20, 20, {4096, false}, 0}));
  EXPECT_FALSE(possible({1, 1, 0, {}, 0}));                   // No payload,
  EXPECT_FALSE(possible({1, 0, 20, {}, 0}));                  // no operation,
  EXPECT_FALSE(possible({1, 21, 20, {}, 0}));                 // more operations than bytes,
  EXPECT_FALSE(possible({Sequence{1} << 56, 1, 20, {}, 0}));  // a sequence of eight bytes,
  EXPECT_FALSE(possible({1, 1, 20, {4097, false}, 0}));       // and a stamp of what was not written.
}

RC_GTEST_PROP(LogFormat, RecordsSurviveTheRoundTrip, (const std::string& content, std::uint32_t chain)) {
  const std::string payload = "p" + content;
  const RecordPlace place{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::inRange<std::uint64_t>(4096, 1 << 30)};
  const auto count = *rc::gen::inRange<std::uint32_t>(1, static_cast<std::uint32_t>(payload.size()) + 1);
  const Sequence sequence =
      std::max<Sequence>(*rc::gen::inRange<Sequence>(1, kSequenceMax) >> 8 * *rc::gen::inRange(0, 7), 1);
  const DurableStamp durable{*rc::gen::element<std::uint64_t>(0, 4096, place.offset / 2, place.offset),
                             *rc::gen::arbitrary<bool>()};
  std::string bytes(record_bytes_max(payload.size()), 'x');
  char* at = bytes.data();
  RecordPlace behind = place;
  std::uint32_t next = chain;
  put_record(at, behind, {sequence, count, payload}, durable, next);
  bytes.resize(static_cast<std::size_t>(at - bytes.data()));
  RC_ASSERT(behind.offset == place.offset + bytes.size());
  const auto read = decoded(bytes, place);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->header.record_bytes() == bytes.size());
  RC_ASSERT(read->record.payload == payload);
  RC_ASSERT(read->record.first_sequence == sequence);
  RC_ASSERT(read->record.count == count);
  RC_ASSERT(read->header.durable.bytes == durable.bytes);
  RC_ASSERT(read->header.durable.earlier_segments == durable.earlier_segments);
  RC_ASSERT(read->header.chain == chain);
  RC_ASSERT(read->next_chain == next);
}

}  // namespace

}  // namespace firn::wal
