#include "wal/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/wal/log_fixture.h"

namespace firn::wal {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr sim::CrashOptions kPowerLoss{sim::CrashMode::kDropUnsynced};
constexpr sim::CrashOptions kProcessKill{sim::CrashMode::kKeepAll};

void expect_corruption(const Replayed& replayed, std::string_view file, std::uint64_t offset) {
  EXPECT_EQ(replayed.status.code(), StatusCode::kCorruption) << replayed.status.to_string();
  EXPECT_EQ(replayed.status.file(), file) << replayed.status.to_string();
  EXPECT_EQ(replayed.status.offset(), offset) << replayed.status.to_string();
}

// Offset of the record that begins a segment.
constexpr std::uint64_t kFirst = kSegmentHeaderBytes;

TEST(Replay, EmptyLogHasNoRecordsAndNoPredecessor) {
  TestLog log;
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok());
  EXPECT_THAT(replayed.payloads, IsEmpty());
  EXPECT_EQ(replayed.end.previous, PreviousSegment{});
}

TEST(Replay, PreparedSegmentThatWasNeverUsedIsObsolete) {
  TestLog log;
  log.prepare(3);
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_EQ(replayed.end.previous, PreviousSegment{});
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(3));
  EXPECT_EQ(replayed.report.dropped_bytes, 0U);
}

TEST(Replay, GivesRecordsOfAllSegmentsInOrder) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.append_group({"b", "c"}).ok());
  log.begin(4);
  ASSERT_TRUE(log.append("d").ok());
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(replayed.sequences, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(replayed.report.segments, 2U);
  EXPECT_EQ(replayed.report.batches, 4U);
  EXPECT_EQ(replayed.report.dropped_bytes, 0U);
  EXPECT_EQ(replayed.report.dropped_reason, "");
  EXPECT_EQ(replayed.end.last_sequence, 4U);
  EXPECT_EQ(replayed.end.previous.end.id, 4U);
  EXPECT_EQ(replayed.end.previous.end.length, kFirst + kShort);
}

TEST(Replay, ProcessKillLosesNothing) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.crash(kProcessKill);
  EXPECT_THAT(log.replay().payloads, ElementsAre("a"));
}

TEST(Replay, PowerLossLosesOnlyWhatWasNotSynced) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.sync().ok());
  ASSERT_TRUE(log.append("b").ok());
  log.crash(kPowerLoss);
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
}

TEST(Replay, SyncsNothingAndClaimsNothing) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  const Replayed replayed = log.replay();
  EXPECT_FALSE(log.files().pending_operations().empty());
  EXPECT_FALSE(replayed.end.previous.all_durable());
}

// RocksDB #12489 and the holes measured in LevelDB: the older segment loses its tail, the newer one has all.
TEST(Replay, LostTailOfASegmentDropsTheSegmentsAfterIt) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.append("b").ok());
  log.begin(2);
  ASSERT_TRUE(log.append("c").ok());
  log.overwrite(1, kFirst + kShort, std::string(kShort, '\0'));
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(2));
  EXPECT_EQ(replayed.end.previous.end.length, kFirst + kShort);
  EXPECT_GT(replayed.report.dropped_bytes, 0U);
  EXPECT_THAT(replayed.report.dropped_reason, HasSubstr("/db/1.log: offset 4112"));
}

TEST(Replay, LaterValidRecordAloneProvesNothing) {
  TestLog log;
  log.begin(1);
  for (const char* payload : {"a", "b", "c"}) ASSERT_TRUE(log.append(payload).ok());
  log.flip(1, kFirst + kShort + 3);
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
  EXPECT_EQ(replayed.report.dropped_bytes, 2 * kShort);
  EXPECT_THAT(replayed.report.dropped_reason, HasSubstr("1 records"));
}

TEST(Replay, DamageBelowAStampOfALaterRecordIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.append("b").ok());
  ASSERT_TRUE(log.sync().ok());
  ASSERT_TRUE(log.append("c").ok());
  log.flip(1, kFirst + kShort + 3);
  expect_corruption(log.replay(), "/db/1.log", kFirst + kShort);
}

TEST(Replay, DamageBelowTheDurableLengthInTheNextHeaderIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.sync().ok());
  log.begin(2);
  log.flip(1, kFirst + 3);
  expect_corruption(log.replay(), "/db/1.log", kFirst);
}

TEST(Replay, DamageInASegmentThatALaterRecordCallsDurableIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);  // Its header does not know segment 1 to be durable.
  log.writer().mark_earlier_durable();
  ASSERT_TRUE(log.append("b").ok());
  log.flip(1, kFirst + 3);
  expect_corruption(log.replay(), "/db/1.log", kFirst);
}

TEST(Replay, DamageInASegmentThatALaterHeaderCallsDurableIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);  // Its header does not know segment 1 to be durable.
  log.writer().mark_earlier_durable();
  log.begin(3);  // But this one's does.
  log.flip(1, kFirst + 3);
  expect_corruption(log.replay(), "/db/1.log", kFirst);
}

TEST(Replay, DamagedHeaderOfADurableSegmentIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);
  ASSERT_TRUE(log.append("b").ok());
  ASSERT_TRUE(log.sync().ok());
  ASSERT_TRUE(log.append("c").ok());
  log.overwrite(2, 0, std::string(kSegmentSectorBytes, '\0'));
  expect_corruption(log.replay(), "/db/2.log", 0);
}

TEST(Replay, TornHeaderEndsTheLogBeforeIt) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);
  ASSERT_TRUE(log.append("b").ok());
  log.overwrite(2, 0, std::string(kSegmentSectorBytes, '\0'));
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
  EXPECT_EQ(replayed.end.previous.end.id, 1U);
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(2));
  EXPECT_GT(replayed.report.dropped_bytes, 0U);
}

// A synced predecessor, its successor's header lost, but a record of the successor on the device: no contradiction.
TEST(Replay, TornHeaderBehindADurableSegmentIsNoCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.sync().ok());
  log.begin(2);
  ASSERT_TRUE(log.append("b").ok());
  log.overwrite(2, 0, std::string(kSegmentSectorBytes, '\0'));
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
}

TEST(Replay, MissingSegmentIsCorruptionNamingIt) {
  for (const std::uint64_t missing : {1U, 2U, 3U}) {
    TestLog log;
    for (const std::uint64_t id : {1U, 2U, 3U}) {
      log.begin(id);
      ASSERT_TRUE(log.append("a").ok());
    }
    log.remove(missing);
    expect_corruption(log.replay(), TestLog::path(missing), 0);
  }
}

TEST(Replay, SegmentThatTheManifestForgotIsMissedByItsSuccessor) {
  TestLog log;
  for (const std::uint64_t id : {1U, 2U, 3U}) {
    log.begin(id);
    ASSERT_TRUE(log.append("a").ok());
  }
  log.forget(2);
  expect_corruption(log.replay(), "/db/3.log", 0);
}

TEST(Replay, SegmentMadeInAdvanceAndPassedOverIsSkipped) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.prepare(2);
  log.begin(3);
  ASSERT_TRUE(log.append("b").ok());
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a", "b"));
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(2));
}

// It was still being made when two others had been begun; the first of them left the log before it.
TEST(Replay, SegmentMadeInAdvanceThatItsSuccessorsOvertookIsSkipped) {
  TestLog log;
  log.prepare(1);
  log.begin(2);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(3);
  ASSERT_TRUE(log.append("b").ok());
  log.forget(2);
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("b"));
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(1));
}

// Its header reached the file although the write of it failed; the writer took another segment.
TEST(Replay, SegmentWithNothingButAHeaderIsPassedOver) {
  for (const bool first : {true, false}) {
    TestLog log;
    PreviousSegment previous;
    if (!first) {
      log.begin(1);
      ASSERT_TRUE(log.append("a").ok());
      previous = log.writer().seal();
    }
    log.begin(2, previous);
    log.begin(3, previous);
    ASSERT_TRUE(log.append("b").ok());
    const Replayed replayed = log.replay();
    ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
    EXPECT_EQ(replayed.payloads.back(), "b");
    EXPECT_THAT(replayed.end.obsolete, ElementsAre(2));
  }
}

TEST(Replay, SegmentWithRecordsIsNotPassedOver) {
  TestLog log;
  log.begin(1);
  const PreviousSegment previous = log.writer().seal();
  log.begin(2, previous);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(3, previous);
  expect_corruption(log.replay(), "/db/3.log", 0);
}

TEST(Replay, SegmentThatContinuesAnotherLogIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  PreviousSegment previous = log.writer().seal();
  previous.end.chain ^= 1;
  log.begin(2, previous);
  expect_corruption(log.replay(), "/db/1.log", kFirst + kShort);
}

TEST(Replay, SegmentWhoseSequencesDoNotGrowIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.next_sequence_ = 1;
  log.begin(2);
  expect_corruption(log.replay(), "/db/2.log", 0);
}

TEST(Replay, FirstLiveSegmentNeedsNoPredecessor) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);
  ASSERT_TRUE(log.append("b").ok());
  log.forget(1);
  log.remove(1);
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("b"));
}

TEST(Replay, ManifestOlderThanASegmentSaysIsCorruptionOfTheManifest) {
  TestLog log;
  log.begin(1);
  ReplayRequest request = log.request();
  request.manifest.edit = log.manifest_edit_ - 1;
  expect_corruption(log.replay(request), "/db/MANIFEST-000001", 4711);
}

// A truncated manifest may have lost the very edit that lists a segment.
TEST(Replay, SegmentThatTheManifestDoesNotListProvesTheManifestTooOld) {
  TestLog log;
  log.begin(1);
  log.manifest_edit_ = 9;
  log.begin(2);
  log.forget(2);
  ReplayRequest request = log.request();
  request.others.push_back({2, TestLog::path(2)});
  EXPECT_TRUE(log.replay(request).status.ok());
  request.manifest.edit = 8;
  expect_corruption(log.replay(request), "/db/MANIFEST-000001", 4711);
}

// A cut of the last record, which no later record proves.
TEST(Replay, WhatTheManifestSaysWasDurableMustBeThere) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  const std::uint64_t first = log.writer().end_offset();
  ASSERT_TRUE(log.append("b").ok());
  ReplayRequest request = log.request();
  request.durable = {1, log.writer().end_offset()};
  EXPECT_THAT(log.replay(request).payloads, ElementsAre("a", "b"));
  log.flip(1, first);
  expect_corruption(log.replay(request), "/db/1.log", first);
  request.durable = {1, first};
  EXPECT_THAT(log.replay(request).payloads, ElementsAre("a"));
  request.durable = {9, first};  // Of a segment that is not live: nothing.
  EXPECT_THAT(log.replay(request).payloads, ElementsAre("a"));
}

TEST(Replay, SegmentsBeforeTheOneThatTheManifestNamesWereDurable) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ASSERT_TRUE(log.append("b").ok());
  const std::uint64_t end = log.writer().end_offset();
  log.begin(2);
  log.flip(1, end - 8);
  ReplayRequest request = log.request();
  EXPECT_THAT(log.replay(request).payloads, ElementsAre("a"));
  request.durable = {2, kSegmentHeaderBytes};
  EXPECT_EQ(log.replay(request).status.code(), StatusCode::kCorruption);
}

TEST(Replay, ForeignLogFileAmongTheOthersIsIgnored) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  ReplayRequest request = log.request();
  request.others.push_back({9, TestLog::path(9)});  // Gone by now.
  EXPECT_THAT(log.replay(request).payloads, ElementsAre("a"));
}

TEST(Replay, SegmentOfAnotherDatabaseIsCorruption) {
  TestLog log;
  log.begin(1);
  ReplayRequest request = log.request();
  request.database.low ^= 1;
  expect_corruption(log.replay(request), "/db/1.log", 0);
}

TEST(Replay, RenamedSegmentIsCorruption) {
  TestLog log;
  log.begin(1);
  ReplayRequest request = log.request();
  request.live[0].id = 2;
  expect_corruption(log.replay(request), "/db/1.log", 0);
}

TEST(Replay, NewerFormatIsRefusedNamingTheVersion) {
  TestLog log;
  log.begin(1);
  SegmentHeader header;
  header.version = 42;
  header.id = 1;
  header.database = kTestDatabase;
  char sector[kSegmentSectorBytes];
  encode_segment_header(header, sector);
  log.overwrite(1, 0, {sector, sizeof sector});
  const Replayed replayed = log.replay();
  EXPECT_EQ(replayed.status.code(), StatusCode::kNewerFormat);
  EXPECT_THAT(replayed.status.to_string(), HasSubstr("version 42"));
}

// Records across the edges of what is read at once, and records longer than that.
TEST(Replay, RecordsOfAnyLength) {
  TestLog log(std::uint64_t{16} << 20);
  log.begin(1);
  std::vector<std::string> payloads;
  for (const std::size_t bytes : {1U, 700'000U, 400'000U, 3'000'000U, 1U, 1'048'576U, 1'048'544U, 12U}) {
    payloads.emplace_back(bytes, static_cast<char>('a' + payloads.size()));
    ASSERT_TRUE(log.append(payloads.back()).ok());
  }
  EXPECT_EQ(log.replay().payloads, payloads);
  log.flip(1, kFirst + kShort + 700'000);
  const Replayed replayed = log.replay();
  EXPECT_EQ(replayed.payloads.size(), 1U);
  EXPECT_THAT(replayed.report.dropped_reason, HasSubstr("6 records"));
}

TEST(Replay, VisitorsErrorEndsIt) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  RecoveryReport report;
  const Result<LogEnd> end = replay(
      log.files(), log.request(),
      [](const Record&, const RecordSource& source) { return Status::corruption(source.path, source.offset, "bad"); },
      report);
  EXPECT_EQ(end.status().offset(), kFirst);
}

TEST(Replay, ReadErrorIsNotTakenForDamage) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.begin(2);
  for (std::uint64_t failing = 0;; ++failing) {
    std::uint64_t reads = 0;
    log.files().set_fault_hook([&](const auto& operation) -> std::optional<sim::Fault> {
      if (operation.kind != sim::OperationKind::kRead) return std::nullopt;
      return reads++ >= failing ? std::optional<sim::Fault>(EIO) : std::nullopt;
    });
    ReplayRequest request = log.request();
    request.others.push_back(request.live.back());
    const Replayed replayed = log.replay(request);
    if (reads <= failing) break;
    EXPECT_EQ(replayed.status.code(), StatusCode::kIo) << "read " << failing;
  }
  log.files().set_fault_hook({});
}

TEST(ReplayAfterCleanClose, GivesEverything) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  const SegmentEnd first = log.writer().seal().end;
  log.begin(2);
  ASSERT_TRUE(log.append("b").ok());
  log.prepare(3);
  log.clean_close_ = std::vector<SegmentEnd>{first, log.writer().seal().end, {3, 0, 0}};
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a", "b"));
  EXPECT_EQ(replayed.end.previous.end.id, 2U);
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(3));
  EXPECT_TRUE(replayed.report.clean);
}

TEST(ReplayAfterCleanClose, SegmentWithOtherRecordsOfTheSameLengthIsCorruption) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.clean_close_ = std::vector<SegmentEnd>{log.writer().seal().end};
  log.clean_close_->front().chain ^= 1;
  expect_corruption(log.replay(), "/db/1.log", kFirst + kShort);
}

TEST(ReplayAfterCleanClose, SegmentThatTheCloseDoesNotNameWasNotUsed) {
  TestLog log;
  log.prepare(1);
  log.clean_close_.emplace();
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.end.obsolete, ElementsAre(1));
}

TEST(ReplayAfterCleanClose, EveryFlippedOrLostByteIsCorruption) {
  TestLog log(kSegmentHeaderBytes + 2 * kShort + record_bytes_max(1));
  log.begin(1);
  for (const char* payload : {"a", "b", "c"}) ASSERT_TRUE(log.append(payload).ok());
  log.clean_close_ = std::vector<SegmentEnd>{log.writer().seal().end};
  const std::string whole = log.bytes(1);
  const std::uint64_t used = kFirst + 3 * kShort;
  for (std::uint64_t offset = 0; offset < used; ++offset) {
    if (offset >= kSegmentSectorBytes && offset < kSegmentHeaderBytes) continue;  // Ignored.
    for (int bit = 0; bit < 8; ++bit) {
      log.flip(1, offset, static_cast<char>(1 << bit));
      EXPECT_EQ(log.replay().status.code(), StatusCode::kCorruption) << offset << " bit " << bit;
      log.overwrite(1, 0, whole);
    }
  }
  for (std::uint64_t size = 0; size < used; ++size) {
    log.truncate(1, size);
    EXPECT_EQ(log.replay().status.code(), StatusCode::kCorruption) << size;
    log.overwrite(1, 0, whole);
  }
}

TEST(ReplayAfterCleanClose, BytesBehindTheEndDoNotCount) {
  TestLog log;
  log.begin(1);
  ASSERT_TRUE(log.append("a").ok());
  log.clean_close_ = std::vector<SegmentEnd>{log.writer().seal().end};
  log.overwrite(1, kFirst + kShort, "stray");
  const Replayed replayed = log.replay();
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
  EXPECT_THAT(replayed.payloads, ElementsAre("a"));
}

// C2, and the tail that must not rise from the dead: cut, go on in a new segment, and crash again and again.
TEST(ReplayAfterRecovery, DroppedTailNeverComesBack) {
  TestLog log;
  log.begin(1);
  for (const char* payload : {"a", "b", "c"}) ASSERT_TRUE(log.append(payload).ok());
  const std::string whole = log.bytes(1);
  log.overwrite(1, kFirst + kShort, std::string(kShort, '\0'));  // "b" never reached the device.
  const Replayed first = log.replay();
  ASSERT_THAT(first.payloads, ElementsAre("a"));
  log.go_on(2, first.end);
  ASSERT_TRUE(log.append("d").ok());
  log.overwrite(1, 0, whole);  // What a read gave as zeros is there after all.
  const Replayed second = log.replay();
  ASSERT_TRUE(second.status.ok()) << second.status.to_string();
  EXPECT_THAT(second.payloads, ElementsAre("a", "d"));
}

TEST(ReplayAfterRecovery, CrashBeforeTheNewSegmentIsUsedChangesNothing) {
  TestLog log;
  log.begin(1);
  for (const char* payload : {"a", "b"}) ASSERT_TRUE(log.append(payload).ok());
  log.flip(1, kFirst + kShort + 3);
  ASSERT_TRUE(log.sync().ok());
  for (std::uint64_t depth = 2; depth < 6; ++depth) {
    const Replayed replayed = log.replay();
    ASSERT_TRUE(replayed.status.ok()) << replayed.status.to_string();
    EXPECT_THAT(replayed.payloads, ElementsAre("a"));
    log.go_on(depth, replayed.end);
    log.crash(kPowerLoss);
  }
}

TEST(ReplayAfterRecovery, DroppedSegmentsStayDropped) {
  TestLog log;
  log.begin(1);
  for (const char* payload : {"a", "b"}) ASSERT_TRUE(log.append(payload).ok());
  log.begin(2);
  ASSERT_TRUE(log.append("c").ok());
  log.flip(1, kFirst + kShort + 3);
  const Replayed first = log.replay();
  EXPECT_THAT(first.end.obsolete, ElementsAre(2));
  log.go_on(5, first.end);
  ASSERT_TRUE(log.append("d").ok());
  const Replayed second = log.replay();
  ASSERT_TRUE(second.status.ok()) << second.status.to_string();
  EXPECT_THAT(second.payloads, ElementsAre("a", "d"));
}

}  // namespace

}  // namespace firn::wal
