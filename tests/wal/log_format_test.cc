#include "wal/log_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
  std::string bytes(record_bytes(payload.size()), 'x');
  payload.copy(bytes.data() + kRecordHeaderBytes, payload.size());
  const Record record{1000, 1, Slice(bytes).substr(kRecordHeaderBytes, payload.size())};
  seal_record(bytes.data(), place_of(file_salt(kDatabase, 7)), record, {4096, true}, chain);
  return bytes;
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
  const auto decoded = decode_record(bytes.data(), place_of(file_salt(kDatabase, 7)), bytes.size());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->record.first_sequence, 1000U);
  EXPECT_EQ(decoded->record.count, 1U);
  EXPECT_EQ(decoded->durable.bytes, 4096U);
  EXPECT_TRUE(decoded->durable.earlier_segments);
  EXPECT_EQ(decoded->unknown_flags, 0);
  BatchReader reader(decoded->record.payload);
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
    const RecordShape shape = record_shape(flipped.data(), place.offset, place.offset + flipped.size());
    if (!shape.possible) continue;
    EXPECT_FALSE(decode_record(flipped.data(), place, shape.bytes).has_value()) << bit;
  }
}

TEST(LogFormat, RecordBelongsToItsPlace) {
  const std::string bytes = example_record();
  const std::uint64_t salt = file_salt(kDatabase, 7);
  EXPECT_TRUE(decode_record(bytes.data(), {salt, 4096}, bytes.size()).has_value());
  EXPECT_FALSE(decode_record(bytes.data(), {salt, 4104}, bytes.size()).has_value());
  EXPECT_FALSE(decode_record(bytes.data(), {file_salt(kDatabase, 8), 4096}, bytes.size()).has_value());
  EXPECT_FALSE(decode_record(bytes.data(), {file_salt({1, 2}, 7), 4096}, bytes.size()).has_value());
}

TEST(LogFormat, ZerosAreNeitherHeaderNorRecord) {
  const std::string zeros(kSegmentSectorBytes, '\0');
  EXPECT_FALSE(decode_segment_header(zeros.data()).has_value());
  EXPECT_FALSE(record_shape(zeros.data(), kSegmentHeaderBytes, 1 << 20).possible);
}

TEST(LogFormat, RecordLongerThanItsSegmentIsImpossible) {
  const std::string bytes = example_record();
  EXPECT_TRUE(record_shape(bytes.data(), 4096, 4096 + bytes.size()).possible);
  EXPECT_FALSE(record_shape(bytes.data(), 4096, 4095 + bytes.size()).possible);
  EXPECT_FALSE(record_shape(bytes.data(), 4096, 4095).possible);
}

TEST(LogFormat, StampOfWhatWasNotWrittenIsImpossible) {
  std::string bytes = example_record();
  store(bytes.data() + kDurableOffset, std::uint32_t{4104 / kRecordAlignment});
  EXPECT_FALSE(record_shape(bytes.data(), 4096, 1 << 20).possible);
}

RC_GTEST_PROP(LogFormat, RecordsSurviveTheRoundTrip, (const std::string& content, std::uint32_t chain)) {
  const std::string payload = "p" + content;
  const RecordPlace place{*rc::gen::arbitrary<std::uint64_t>(), 8 * *rc::gen::inRange<std::uint64_t>(1000, 1 << 20)};
  const auto count = *rc::gen::inRange<std::uint32_t>(1, static_cast<std::uint32_t>(payload.size()) + 1);
  const Sequence sequence = *rc::gen::inRange<Sequence>(1, kSequenceMax);
  const DurableStamp durable{place.offset / 16 * 8, *rc::gen::arbitrary<bool>()};
  std::string bytes(record_bytes(payload.size()), 'x');
  payload.copy(bytes.data() + kRecordHeaderBytes, payload.size());
  const std::uint32_t next = seal_record(
      bytes.data(), place, {sequence, count, Slice(bytes).substr(kRecordHeaderBytes, payload.size())}, durable, chain);
  const RecordShape shape = record_shape(bytes.data(), place.offset, place.offset + bytes.size());
  RC_ASSERT(shape.possible);
  RC_ASSERT(shape.bytes == bytes.size());
  const auto decoded = decode_record(bytes.data(), place, bytes.size());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->record.payload == payload);
  RC_ASSERT(decoded->record.first_sequence == sequence);
  RC_ASSERT(decoded->record.count == count);
  RC_ASSERT(decoded->durable.bytes == durable.bytes);
  RC_ASSERT(decoded->durable.earlier_segments == durable.earlier_segments);
  RC_ASSERT(decoded->chain == chain);
  RC_ASSERT(decoded->next_chain == next);
}

}  // namespace

}  // namespace firn::wal
