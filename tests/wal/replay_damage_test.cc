// Every small harm to a small log: what is read back is a beginning of what was written, or corruption is named; and
// nothing that a later record or header proves durable is ever missed without a word (contract C3, C4).
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/wal/log_fixture.h"

namespace firn::wal {

namespace {

constexpr std::uint64_t kFirst = kSegmentHeaderBytes;

struct Written {
  std::uint64_t segment = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t stamp = 0;  // Durable bytes of the segment when it was written.
};

// A log of two segments with records of many sizes, synced now and then.
class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    log_.begin(1);
    write(1);
    write(20);
    ASSERT_TRUE(log_.sync().ok());
    write(7);
    write(130);
    write(8);
    ASSERT_TRUE(log_.sync().ok());
    write(600);
    write(1);
    first_durable_ = log_.writer().durable_offset();
    log_.begin(2);
    write(9);
    write(33);
    ASSERT_TRUE(log_.sync().ok());
    write(2);
    write(64);
    for (const std::uint64_t id : {1U, 2U}) whole_[id] = log_.bytes(id);
  }

  void write(std::size_t bytes) {
    const std::uint64_t begin = log_.writer().end_offset();
    const std::uint64_t stamp = log_.writer().durable_offset();
    payloads_.emplace_back(bytes, static_cast<char>('a' + payloads_.size()));
    ASSERT_TRUE(log_.append(payloads_.back()).ok());
    written_.push_back({log_.writer().id(), begin, log_.writer().end_offset(), stamp});
  }

  void restore(std::uint64_t id) {
    log_.truncate(id, 0);
    log_.overwrite(id, 0, whole_[id]);
  }

  // The bytes of segment `id` that anything but the records in [from, to) of it proves durable.
  std::uint64_t proven(std::uint64_t id, std::uint64_t from, std::uint64_t to, bool header_sound) const {
    std::uint64_t proven = id == 1 && header_sound ? first_durable_ : 0;
    for (const Written& record : written_) {
      if (record.segment == id && (record.end <= from || record.begin >= to)) proven = std::max(proven, record.stamp);
    }
    return proven;
  }

  // The harm spoilt the bytes [from, to) of segment `id`. What has to come of it?
  void expect_answer(std::uint64_t id, std::uint64_t from, std::uint64_t to, const std::string& harm) {
    const Replayed replayed = log_.replay();
    std::size_t kept = 0;
    while (kept < written_.size()) {
      const Written& record = written_[kept];
      if (record.segment == id && record.end > from) break;
      if (record.segment > id) break;
      ++kept;
    }
    std::uint64_t end = 0;  // Of what is still sound in the segment.
    if (from >= kSegmentSectorBytes)
      end = kept < written_.size() && written_[kept].segment == id ? written_[kept].begin : from;
    if (end < proven(id, from, to, true)) {
      ASSERT_EQ(replayed.status.code(), StatusCode::kCorruption) << harm << " " << replayed.status.to_string();
      EXPECT_EQ(replayed.status.file(), TestLog::path(id)) << harm;
      EXPECT_EQ(replayed.status.offset(), end) << harm;
      return;
    }
    ASSERT_TRUE(replayed.status.ok()) << harm << " " << replayed.status.to_string();
    EXPECT_EQ(replayed.payloads.size(), kept) << harm;
    EXPECT_TRUE(is_prefix(replayed.payloads, payloads_)) << harm;
  }

  TestLog log_{kFirst + 2048};
  std::vector<std::string> payloads_;
  std::vector<Written> written_;
  std::map<std::uint64_t, std::string> whole_;
  std::uint64_t first_durable_ = 0;
};

TEST_F(DamageTest, WholeLogIsReadBack) { EXPECT_EQ(log_.replay().payloads, payloads_); }

TEST_F(DamageTest, EveryFlippedBit) {
  for (const std::uint64_t id : {1U, 2U}) {
    const std::uint64_t used = id == 1 ? written_[6].end : written_.back().end;
    for (std::uint64_t offset = 0; offset < used; ++offset) {
      if (offset == kSegmentSectorBytes) offset = kFirst;  // Between them nothing is read.
      for (int bit = 0; bit < 8; ++bit) {
        log_.flip(id, offset, static_cast<char>(1 << bit));
        expect_answer(id, offset, offset + 1, "flip " + std::to_string(id) + ":" + std::to_string(offset));
        log_.overwrite(id, offset, whole_[id].substr(offset, 1));
      }
    }
  }
}

TEST_F(DamageTest, EveryTruncation) {
  for (const std::uint64_t id : {1U, 2U}) {
    for (std::uint64_t size = 0; size < whole_[id].size(); ++size) {
      log_.truncate(id, size);
      const std::uint64_t used = id == 1 ? written_[6].end : written_.back().end;
      if (size < used) {
        const bool header_only = size >= kSegmentSectorBytes && size < kFirst;
        expect_answer(id, header_only ? kFirst : size, UINT64_MAX, "truncate " + std::to_string(size));
      } else {
        EXPECT_EQ(log_.replay().payloads, payloads_);
      }
      restore(id);
    }
  }
}

TEST_F(DamageTest, EveryZeroedWord) {
  for (const std::uint64_t id : {1U, 2U}) {
    const std::uint64_t used = id == 1 ? written_[6].end : written_.back().end;
    for (std::uint64_t offset = 0; offset < used; offset += 8) {
      if (whole_[id].compare(offset, 8, std::string(8, '\0')) == 0) continue;
      log_.overwrite(id, offset, std::string(8, '\0'));
      expect_answer(id, offset, offset + 8, "zero " + std::to_string(id) + ":" + std::to_string(offset));
      log_.overwrite(id, offset, whole_[id].substr(offset, 8));
    }
  }
}

// Any two runs of bytes exchanged, any run copied to another place: no record may be believed where it was not written.
TEST_F(DamageTest, MisplacedBytesAreNeverBelieved) {
  EXPECT_TRUE(rc::check([this] {
    const std::uint64_t id = *rc::gen::inRange<std::uint64_t>(1, 3);
    const std::uint64_t other = *rc::gen::inRange<std::uint64_t>(1, 3);
    const std::uint64_t size = whole_[id].size();
    const std::uint64_t from = *rc::gen::inRange<std::uint64_t>(0, size / 8) * 8;
    const std::uint64_t to = *rc::gen::inRange<std::uint64_t>(0, size / 8) * 8;
    const std::uint64_t length = *rc::gen::inRange<std::uint64_t>(1, 1024);
    const std::string piece = whole_[other].substr(from, length);
    log_.overwrite(id, to, piece.substr(0, size - to));
    const Replayed replayed = log_.replay();
    restore(id);
    if (replayed.status.ok()) {
      RC_ASSERT(is_prefix(replayed.payloads, payloads_));
    } else {
      RC_ASSERT(replayed.status.code() == StatusCode::kCorruption);
    }
  }));
}

TEST_F(DamageTest, ArbitraryBytesAreSafe) {
  EXPECT_TRUE(rc::check([this](const std::string& noise) {
    const std::uint64_t id = *rc::gen::inRange<std::uint64_t>(1, 3);
    const std::uint64_t at = *rc::gen::inRange<std::uint64_t>(0, whole_[id].size());
    log_.overwrite(id, at, Slice(noise).substr(0, whole_[id].size() - at));
    const Replayed replayed = log_.replay();
    restore(id);
    RC_ASSERT(!replayed.status.ok() || is_prefix(replayed.payloads, payloads_));
  }));
}

// C10: bytes made to look like records everywhere cost a bounded number of passes over the file.
TEST(ReplayOfHostileBytes, EndsSoonAndDecides) {
  TestLog log(std::uint64_t{1} << 20);
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  std::string hostile((std::uint64_t{1} << 20) - 8192, '\0');
  for (std::size_t at = 0; at + kRecordHeaderBytesMax <= hostile.size();) {
    // Header after header of a long record that is none.
    RecordHeader header{at + 2, 1, static_cast<std::uint32_t>((hostile.size() - at) / 2), {}, 0};
    begin_record(hostile.data() + at, 8192 + at, header);
    seal_record(hostile.data() + at, {file_salt(kTestDatabase, 1), 8192 + at}, header);
    at += header.header_bytes;
  }
  log.overwrite(1, 8192, hostile);
  const Replayed replayed = log.replay();
  EXPECT_EQ(replayed.status.code(), StatusCode::kCorruption) << replayed.status.to_string();
}

}  // namespace

}  // namespace firn::wal
