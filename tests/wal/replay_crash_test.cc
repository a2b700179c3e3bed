// Lives of a log under power failures: whatever is appended, synced and begun anew, and whichever unsynced sectors a
// crash keeps, a replay succeeds and gives a prefix that holds everything acknowledged as durable; at any depth.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/support/cases.h"
#include "tests/wal/log_fixture.h"

namespace firn::wal {

namespace {

enum class Step { kAppend, kGroup, kSyncAll, kSyncPresent, kRotate, kPrepareOnly };

std::string step_name(Step step) {
  static constexpr const char* kNames[] = {"append", "group", "sync_all", "sync_present", "rotate", "prepare_only"};
  return kNames[static_cast<int>(step)];
}

void showValue(Step step, std::ostream& out) { out << step_name(step); }

// The engine's part: keeps the old writers until they are synced, and the order in which that is done.
class CrashingLog {
 public:
  explicit CrashingLog(std::uint64_t seed) : seed_(seed) { begin(PreviousSegment{}); }

  void run(Step step, std::size_t payload_bytes) {
    switch (step) {
      case Step::kAppend: append({payload(payload_bytes)}, false); break;
      case Step::kGroup: append({payload(payload_bytes), payload(3), payload(payload_bytes / 2)}, true); break;
      case Step::kSyncAll: sync_all(); break;
      case Step::kSyncPresent: RC_ASSERT(writers_.back()->sync().ok()); break;
      case Step::kRotate: rotate(); break;
      case Step::kPrepareOnly: log_.prepare(next_id_++); break;
    }
  }

  // Power fails; what comes back is judged, and life goes on from there.
  void crash(std::uint32_t keep_percent) {
    log_.crash({sim::CrashMode::kRandom, seed_++, keep_percent});
    writers_.clear();
    const Replayed replayed = log_.replay();
    if (!replayed.status.ok()) RC_FAIL(replayed.status.to_string());
    RC_ASSERT(is_prefix(replayed.payloads, written_));
    RC_ASSERT(replayed.payloads.size() >= acknowledged_);
    // C2: reading it again gives the same.
    RC_ASSERT(log_.replay().payloads == replayed.payloads);
    written_ = replayed.payloads;
    acknowledged_ = written_.size();
    next_sequence_ = replayed.end.last_sequence + 1;
    log_.next_sequence_ = next_sequence_;
    for (const std::uint64_t id : replayed.end.obsolete) log_.forget(id);
    begin(replayed.end.previous);
  }

 private:
  std::string payload(std::size_t bytes) {
    ++counter_;
    return std::to_string(counter_) + std::string(bytes, static_cast<char>('a' + counter_ % 26));
  }

  void begin(const PreviousSegment& previous) {
    const std::uint64_t id = next_id_++;
    log_.prepare(id);
    writers_.push_back(log_.open_writer(id, previous));
  }

  void rotate() { begin(writers_.back()->seal()); }

  void append(const std::vector<std::string>& payloads, bool as_group) {
    std::uint64_t bytes = 0;
    std::vector<Record> records;
    for (const std::string& payload : payloads) {
      records.push_back({log_.next_sequence_ + records.size(), 1, payload});
      bytes += record_bytes_max(payload.size());
    }
    if (!writers_.back()->fits(bytes)) rotate();
    if (as_group) {
      RC_ASSERT(writers_.back()->append_group(records).ok());
    } else {
      char* const room = writers_.back()->reserve(records[0].first_sequence, 1, payloads[0].size());
      payloads[0].copy(room, payloads[0].size());
      RC_ASSERT(writers_.back()->commit().ok());
    }
    log_.next_sequence_ += records.size();
    written_.insert(written_.end(), payloads.begin(), payloads.end());
  }

  void sync_all() {
    for (const auto& writer : writers_) {
      writer->mark_earlier_durable();
      RC_ASSERT(writer->sync().ok());
    }
    writers_.erase(writers_.begin(), writers_.end() - 1);
    acknowledged_ = written_.size();
  }

  TestLog log_{kSegmentHeaderBytes + 4096};
  std::vector<std::unique_ptr<SegmentWriter>> writers_;  // Of unsynced segments, and the present one.
  std::vector<std::string> written_;
  std::size_t acknowledged_ = 0;  // As durable.
  std::uint64_t next_id_ = 1;
  Sequence next_sequence_ = 1;
  std::uint64_t seed_;
  int counter_ = 0;
};

TEST(LogUnderPowerFailures, KeepsAPrefixWithEverythingAcknowledged) {
  EXPECT_TRUE(rc::check([] {
    CrashingLog log(*rc::gen::arbitrary<std::uint64_t>());
    const int lives = *rc::gen::inRange(1, 5);
    for (int life = 0; life < lives; ++life) {
      const auto steps = *rc::gen::container<std::vector<std::pair<Step, int>>>(
          rc::gen::pair(rc::gen::weightedElement<Step>({{8, Step::kAppend},
                                                        {4, Step::kGroup},
                                                        {2, Step::kSyncAll},
                                                        {2, Step::kSyncPresent},
                                                        {2, Step::kRotate},
                                                        {1, Step::kPrepareOnly}}),
                        rc::gen::inRange(0, 1500)));
      for (const auto& [step, payload_bytes] : steps) log.run(step, static_cast<std::size_t>(payload_bytes));
      log.crash(*rc::gen::element<std::uint32_t>(0, 10, 50, 90, 100));
    }
  }));
}

}  // namespace

}  // namespace firn::wal
