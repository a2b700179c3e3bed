// Segments whose every checksum is sound, and which Firn never writes: what contradicts itself is named, not believed.
#include "wal/segment_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/wal/log_fixture.h"

namespace firn::wal {

namespace {

using testing::HasSubstr;

constexpr std::uint64_t kFirst = kSegmentHeaderBytes;

// Puts records with sound checksums anywhere into segment 1.
class ForgedSegment {
 public:
  ForgedSegment() {
    log_.next_sequence_ = 10;
    log_.begin(1);
    chain_ = log_.writer().seal().end.chain;
  }

  // The next record in the chain, unless `chain` says otherwise; with more flags than Firn knows.
  void put(Sequence sequence, std::optional<std::uint32_t> chain = std::nullopt, unsigned flags = 0) {
    std::string bytes(record_bytes_max(1), '\0');
    RecordHeader header{sequence, 1, 1, {}, chain.value_or(chain_)};
    begin_record(bytes.data(), end_, header);
    bytes[header.header_bytes] = 'p';
    bytes[kFlagsOffset] = static_cast<char>(static_cast<unsigned char>(bytes[kFlagsOffset]) | flags);
    chain_ = seal_record(bytes.data(), {file_salt(kTestDatabase, 1), end_}, header);
    log_.overwrite(1, end_, bytes);
    end_ += header.record_bytes();
  }

  // Reads up to `limit`; how the reading ended.
  Status read(std::uint64_t limit = UINT64_MAX) {
    auto reader = SegmentReader::open(log_.files(), TestLog::path(1), 1, kTestDatabase);
    EXPECT_TRUE(reader.ok());
    for (;;) {
      const Result<bool> more = (*reader)->next(limit);
      if (!more.ok()) return more.status();
      if (!*more) return Status();
    }
  }
  void expect_corruption(std::uint64_t offset, const std::string& detail, std::uint64_t limit = UINT64_MAX) {
    const Status status = read(limit);
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << status.to_string();
    EXPECT_EQ(status.file(), TestLog::path(1));
    EXPECT_EQ(status.offset(), offset);
    EXPECT_THAT(status.to_string(), HasSubstr(detail));
  }

 private:
  TestLog log_;
  std::uint64_t end_ = kFirst;
  std::uint32_t chain_ = 0;
};

TEST(SegmentReader, ReadsAChain) {
  ForgedSegment segment;
  segment.put(10);
  segment.put(12);
  EXPECT_TRUE(segment.read().ok());
  EXPECT_TRUE(segment.read(kFirst + kShort).ok());
}

TEST(SegmentReader, RecordOfAnotherChainIsCorruption) {
  ForgedSegment segment;
  segment.put(10);
  segment.put(11, 12345);
  segment.expect_corruption(kFirst + kShort, "follows another one");
}

TEST(SegmentReader, SequenceThatDoesNotGrowIsCorruption) {
  ForgedSegment segment;
  segment.put(10);
  segment.put(10);
  segment.expect_corruption(kFirst + kShort, "sequence 10 after 10");
}

TEST(SegmentReader, SequenceBelowTheHeadersIsCorruption) {
  ForgedSegment segment;
  segment.put(9);
  segment.expect_corruption(kFirst, "sequence 9 after 9");
}

TEST(SegmentReader, RecordAcrossTheLimitIsCorruption) {
  ForgedSegment segment;
  segment.put(10);
  segment.expect_corruption(kFirst, "crosses byte 4104", kFirst + 8);
  segment.expect_corruption(kFirst, "crosses byte 100", 100);
}

TEST(SegmentReader, UnknownRecordFlagIsANewerFormat) {
  ForgedSegment segment;
  segment.put(10, std::nullopt, 0x80);
  const Status status = segment.read();
  EXPECT_EQ(status.code(), StatusCode::kNewerFormat);
  EXPECT_THAT(status.to_string(), HasSubstr("record flags 128 are unknown to log format version 1"));
}

TEST(SegmentReader, SaysWhyItStopped) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("abc").ok());
  const auto reason = [&] {
    auto reader = SegmentReader::open(log.files(), TestLog::path(1), 1, kTestDatabase);
    while (*(*reader)->next()) {
    }
    return std::string((*reader)->end_reason());
  };
  EXPECT_EQ(reason(), "end of the used part");
  log.overwrite(1, log.writer().end_offset(), "x");
  EXPECT_EQ(reason(), "no record header");
  log.flip(1, kFirst + kRecordHeaderBytesMin + 2);
  EXPECT_EQ(reason(), "checksum mismatch");
  log.flip(1, 0);
  EXPECT_EQ(reason(), "no header");
}

}  // namespace

}  // namespace firn::wal
