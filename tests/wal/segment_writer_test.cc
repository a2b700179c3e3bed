#include "wal/segment_writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/wal/log_fixture.h"
#include "wal/segment_reader.h"

namespace firn::wal {

namespace {

constexpr std::uint64_t kFirst = kSegmentHeaderBytes;

// The stamp of the record at `offset`.
DurableStamp stamp_at(TestLog& log, std::uint64_t offset) {
  const std::string bytes = log.bytes(1);
  const auto header =
      decode_record_header(Slice(bytes).substr(offset), {file_salt(kTestDatabase, 1), offset}, bytes.size());
  EXPECT_TRUE(header.has_value());
  return header.has_value() ? header->durable : DurableStamp{};
}

// Fails the operations of one kind from the n-th on.
void fail(sim::SimFileSystem& files, sim::OperationKind kind, int error, std::uint64_t* calls = nullptr) {
  files.set_fault_hook([=](const auto& operation) -> std::optional<sim::Fault> {
    if (operation.kind != kind) return std::nullopt;
    if (calls != nullptr) ++*calls;
    return sim::Fault(error);
  });
}

TEST(SegmentWriter, BeginsBehindTheHeader) {
  TestLog log;
  log.begin(1);
  EXPECT_EQ(log.writer().end_offset(), kFirst);
  EXPECT_EQ(log.writer().durable_offset(), 0U);
  EXPECT_EQ(log.writer().last_sequence(), 0U);
}

TEST(SegmentWriter, RefusesASegmentTooSmallForARecord) {
  TestLog log(kSegmentHeaderBytes);
  log.prepare(1);
  auto file = log.files().create_log("/db/2.log", kSegmentHeaderBytes);
  SegmentHeader header;
  header.id = 2;
  EXPECT_EQ(SegmentWriter::create(*std::move(file), header).status().code(), StatusCode::kInvalidArgument);
}

TEST(SegmentWriter, ReservesNothingInAFullSegment) {
  TestLog log(kFirst + kShort + record_bytes_max(1));
  log.begin(1);
  EXPECT_TRUE(log.writer().fits(kShort + record_bytes_max(1)));
  EXPECT_FALSE(log.writer().fits(kShort + record_bytes_max(1) + 1));
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.append("b").ok());
  EXPECT_EQ(log.writer().reserve(3, 1, 1), nullptr);
  EXPECT_TRUE(log.writer().status().ok());
}

TEST(SegmentWriter, DiskWithoutSpaceEndsTheSegmentAndIsNoFailure) {
  TestLog log(1 << 20);
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  fail(log.files(), sim::OperationKind::kAllocate, ENOSPC);
  EXPECT_FALSE(log.writer().fits(512 << 10));
  EXPECT_EQ(log.writer().reserve(2, 1, 512 << 10), nullptr);
  EXPECT_TRUE(log.writer().status().ok());
  log.files().set_fault_hook(nullptr);
  EXPECT_TRUE(log.writer().fits(512 << 10));
  ASSERT_TRUE(log.append("b").ok());
  EXPECT_EQ(log.replay().payloads, (std::vector<std::string>{"a", "b"}));
}

TEST(SegmentWriter, ForgottenReservationLeavesNoTrace) {
  TestLog log;
  log.begin(1);
  ASSERT_NE(log.writer().reserve(1, 1, 100), nullptr);
  ASSERT_TRUE(log.append("a").ok());
  EXPECT_EQ(log.replay().payloads, std::vector<std::string>{"a"});
}

TEST(SegmentWriter, GroupGivesTheSameBytesAsSingleRecords) {
  TestLog single;
  TestLog group;
  single.begin(1);
  group.begin(1);
  const std::vector<std::string> payloads = {"a", "12345678", "123456789", std::string(300, 'x')};
  for (const std::string& payload : payloads) ASSERT_TRUE(single.append(payload).ok());
  ASSERT_TRUE(group.append_group(payloads).ok());
  EXPECT_EQ(single.bytes(1).substr(0, 6000), group.bytes(1).substr(0, 6000));
}

TEST(SegmentWriter, GroupTooLargeForStagingIsWrittenRecordByRecord) {
  TestLog log(std::uint64_t{2} << 20);
  log.begin(1);
  const std::vector<std::string> payloads = {std::string(400'000, 'x'), "y", std::string(500'000, 'z')};
  ASSERT_TRUE(log.append_group(payloads).ok());
  EXPECT_EQ(log.replay().payloads, payloads);
}

TEST(SegmentWriter, EmptyGroupIsNothing) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append_group({}).ok());
  EXPECT_EQ(log.writer().end_offset(), kFirst);
}

TEST(SegmentWriter, SyncMovesTheDurableMarks) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  EXPECT_EQ(log.writer().durable_sequence(), 0U);
  ASSERT_TRUE(log.sync().ok());
  EXPECT_EQ(log.writer().durable_offset(), kFirst + kShort);
  EXPECT_EQ(log.writer().durable_sequence(), 1U);
  EXPECT_TRUE(log.writer().all_durable());
  ASSERT_TRUE(log.append("b").ok());
  EXPECT_EQ(log.writer().last_sequence(), 2U);
  EXPECT_EQ(log.writer().durable_sequence(), 1U);
}

TEST(SegmentWriter, SyncOfNothingNewAsksNotTheDevice) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.sync().ok());
  fail(log.files(), sim::OperationKind::kSync, EIO);
  EXPECT_TRUE(log.sync().ok());
}

TEST(SegmentWriter, RecordsCarryWhatWasDurable) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.sync().ok());
  ASSERT_TRUE(log.append("b").ok());
  const std::uint64_t third = log.writer().end_offset();
  ASSERT_TRUE(log.append_group({"c"}).ok());
  EXPECT_EQ(stamp_at(log, kFirst).bytes, 0U);
  EXPECT_EQ(stamp_at(log, kFirst + kShort).bytes, kFirst + kShort);
  EXPECT_EQ(stamp_at(log, third).bytes, kFirst + kShort);
}

TEST(SegmentWriter, RecordsCarryWhetherEarlierSegmentsAreDurable) {
  TestLog log;
  log.prepare(1);
  PreviousSegment previous;
  previous.end = {0, 0, 0};
  previous.earlier_durable = true;
  EXPECT_TRUE(previous.all_durable());
  log.begin(3, {{2, 8192, 5}, 4096, true});
  EXPECT_FALSE(log.writer().earlier_durable());
  log.writer().mark_earlier_durable();
  EXPECT_TRUE(log.writer().earlier_durable());
}

TEST(SegmentWriter, SealSaysWhatTheSuccessorNeeds) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.sync().ok());
  ASSERT_TRUE(log.append("b").ok());
  const PreviousSegment sealed = log.writer().seal();
  EXPECT_EQ(sealed.end.id, 1U);
  EXPECT_EQ(sealed.end.length, kFirst + 2 * kShort + 1);  // The second one has a stamp.
  EXPECT_EQ(sealed.durable_bytes, kFirst + kShort);
  EXPECT_FALSE(sealed.all_durable());
  ASSERT_TRUE(log.sync().ok());
  EXPECT_TRUE(log.writer().seal().all_durable());
}

TEST(SegmentWriter, EndIsWhatAReaderFindsUpToHere) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.clean_close_ = std::vector<SegmentEnd>{log.writer().end()};
  ASSERT_TRUE(log.append("b").ok());
  EXPECT_EQ(log.replay().payloads, std::vector<std::string>{"a"});
}

TEST(SegmentWriter, FailedHeaderIsAnError) {
  TestLog log;
  log.prepare(1);
  auto file = log.files().create_log("/db/2.log", 16 << 10);
  fail(log.files(), sim::OperationKind::kWrite, ENOSPC);
  SegmentHeader header;
  header.id = 2;
  EXPECT_EQ(SegmentWriter::create(*std::move(file), header).status().code(), StatusCode::kNoSpace);
}

// LevelDB goes on after a failed append, and loses what it acknowledges after it.
TEST(SegmentWriter, NothingIsWrittenAfterTheFirstFailedWrite) {
  for (const sim::OperationKind kind :
       {sim::OperationKind::kWrite, sim::OperationKind::kPublish, sim::OperationKind::kSync}) {
    TestLog log(std::uint64_t{1} << 20);
    log.begin(1);
    ASSERT_TRUE(log.append("a").ok());
    fail(log.files(), kind, EIO);
    Status first;
    if (kind == sim::OperationKind::kWrite) first = log.append_group({"b"});
    if (kind == sim::OperationKind::kPublish) first = log.append_group({std::string(1 << 18, 'b')});
    if (kind == sim::OperationKind::kSync) first = log.sync();
    ASSERT_EQ(first.code(), StatusCode::kIo) << operation_kind_name(kind);
    log.files().set_fault_hook({});
    const std::uint64_t operations = log.files().operation_count();
    for (const Status& later : {log.append("c"), log.append_group({"d"}), log.sync(), log.writer().status()}) {
      EXPECT_EQ(later.to_string(), first.to_string()) << operation_kind_name(kind);
    }
    EXPECT_EQ(log.files().operation_count(), operations);
    EXPECT_EQ(log.writer().end_offset(), kFirst + kShort);
    EXPECT_EQ(log.writer().durable_sequence(), 0U);
    EXPECT_EQ(log.replay().payloads, std::vector<std::string>{"a"}) << operation_kind_name(kind);
  }
}

TEST(SegmentWriter, FailureBetweenReserveAndCommitIsAnswered) {
  TestLog log;
  log.begin(1);
  ASSERT_NE(log.writer().reserve(1, 1, 1), nullptr);
  fail(log.files(), sim::OperationKind::kSync, EIO);
  ASSERT_EQ(log.sync().code(), StatusCode::kIo);
  EXPECT_EQ(log.writer().commit().code(), StatusCode::kIo);
}

// A file that gives no room although there is: the device behind a mapping is gone.
TEST(SegmentWriter, RefusedReservationIsAnError) {
  TestLog log;
  log.prepare(1);
  Result<std::unique_ptr<LogFile>> file = log.files().create_log("/db/2.log", 16 << 10);
  LogFile& raw = **file;
  SegmentHeader header;
  header.id = 2;
  auto writer = SegmentWriter::create(*std::move(file), header);
  ASSERT_TRUE(writer.ok());
  fail(log.files(), sim::OperationKind::kSync, EIO);
  ASSERT_FALSE(raw.sync().ok());
  log.files().set_fault_hook({});
  EXPECT_EQ((*writer)->reserve(1, 1, 1), nullptr);
  EXPECT_EQ((*writer)->status().code(), StatusCode::kIo);
  const std::string payload = "x";
  EXPECT_EQ((*writer)->append_group(std::vector<Record>{{1, 1, payload}}).code(), StatusCode::kIo);
}

TEST(SegmentWriter, OneFailedSyncFailsEveryWaitingOne) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  std::atomic<int> asked{0};
  log.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
    if (operation.kind != sim::OperationKind::kSync) return std::nullopt;
    return asked++ == 0 ? std::optional<sim::Fault>(EIO) : std::nullopt;
  });
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { failed += log.sync().ok() ? 0 : 1; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(asked, 1);
}

TEST(SegmentWriter, SyncsBesideTheWriter) {
  constexpr int kRecords = 5000;
  TestLog log(std::uint64_t{1} << 20);
  log.begin(1);
  std::atomic<bool> done{false};
  std::thread syncer([&] {
    Sequence before = 0;
    while (!done) {
      EXPECT_TRUE(log.writer().sync().ok());
      const Sequence sequence = log.writer().durable_sequence();
      EXPECT_GE(sequence, before);
      EXPECT_GE(log.writer().durable_offset(), kFirst + sequence * kShort);
      before = sequence;
    }
  });
  for (int i = 0; i < kRecords; ++i) ASSERT_TRUE(log.append("a").ok());
  done = true;
  syncer.join();
  ASSERT_TRUE(log.sync().ok());
  EXPECT_EQ(log.writer().durable_sequence(), Sequence{kRecords});
  EXPECT_EQ(log.replay().payloads.size(), std::size_t{kRecords});
}

}  // namespace

}  // namespace firn::wal
