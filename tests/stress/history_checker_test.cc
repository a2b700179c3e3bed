// The judge of histories (tests/support/history.h) on histories made by hand: it finds each kind of anomaly where one
// was planted, and none in the same history put right. Times are written as [issued, returned].
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/history.h"

namespace firn::testing {
namespace {

using Kind = HistoryEvent::Kind;
using Rows = std::vector<std::pair<std::string, std::string>>;  // "" for nothing.

constexpr Family kOther{1};

class History {
 public:
  History& write(std::uint64_t issued, std::uint64_t returned, Sequence last, const Rows& rows) {
    return add(Kind::kWrite, issued, returned, rows, last);
  }
  History& unknown_write(std::uint64_t issued, const Rows& rows) {
    return add(Kind::kWrite, issued, UINT64_MAX, rows, std::nullopt);
  }
  History& read(std::uint64_t issued, std::uint64_t returned, const Rows& rows) {
    return add(Kind::kRead, issued, returned, rows, std::nullopt);
  }
  History& read_at(Sequence snapshot, std::uint64_t issued, std::uint64_t returned, const Rows& rows) {
    return add(Kind::kRead, issued, returned, rows, snapshot);
  }
  History& scan(std::uint64_t issued, std::uint64_t returned, const Rows& rows) {
    add(Kind::kRead, issued, returned, rows, std::nullopt);
    events_.back().ranges = {{kDefaultFamily, "", ""}, {kOther, "", ""}};
    return *this;
  }
  History& snapshot(std::uint64_t issued, std::uint64_t returned, Sequence sequence) {
    return add(Kind::kSnapshot, issued, returned, {}, sequence);
  }
  History& recovered(std::uint64_t at, Sequence sequence, Sequence durable, const Rows& rows) {
    add(Kind::kRecovered, at, at, rows, sequence);
    events_.back().ranges = {{kDefaultFamily, "", ""}, {kOther, "", ""}};
    events_.back().durable = durable;
    return *this;
  }

  // The kinds found, with blanks between.
  std::string anomalies() const {
    std::string found;
    for (const Anomaly& anomaly : check_history(events_)) {
      if (!found.empty()) found += ", ";
      found += anomaly_name(anomaly.kind);
    }
    return found;
  }

 private:
  // A key that begins with '/' is of the other family.
  History& add(Kind kind, std::uint64_t issued, std::uint64_t returned, const Rows& rows,
               std::optional<Sequence> sequence) {
    HistoryEvent event;
    event.kind = kind;
    event.issued = issued;
    event.returned = returned;
    event.sequence = sequence;
    for (const auto& [key, value] : rows) {
      event.rows.push_back({key[0] == '/' ? kOther : kDefaultFamily, key,
                            value.empty() ? std::nullopt : std::optional<std::string>(value)});
    }
    events_.push_back(std::move(event));
    return *this;
  }

  std::vector<HistoryEvent> events_;
};

TEST(HistoryChecker, AnEmptyHistoryIsRight) { EXPECT_EQ(History().anomalies(), ""); }

TEST(HistoryChecker, FindsALostUpdate) {
  const auto history = [] { return History().write(1, 2, 1, {{"a", "1"}}).write(3, 4, 2, {{"a", "2"}}); };
  EXPECT_EQ(history().read(5, 6, {{"a", "1"}}).anomalies(), "stale read");
  EXPECT_EQ(history().read(5, 6, {{"a", "2"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAnAcknowledgedWriteThatIsNotThere) {
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).read(3, 4, {{"a", ""}}).anomalies(), "stale read");
  // While it is being written both answers are right.
  EXPECT_EQ(History().write(1, 9, 1, {{"a", "1"}}).read(3, 4, {{"a", ""}}).anomalies(), "");
  EXPECT_EQ(History().write(1, 9, 1, {{"a", "1"}}).read(3, 4, {{"a", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAKeyThatRisesFromTheDead) {
  const auto history = [] { return History().write(1, 2, 1, {{"a", "1"}}).write(3, 4, 2, {{"a", ""}}); };
  EXPECT_EQ(history().read(5, 6, {{"a", "1"}}).anomalies(), "stale read");
  EXPECT_EQ(history().scan(5, 6, {{"a", "1"}}).anomalies(), "stale read");
  EXPECT_EQ(history().scan(5, 6, {}).anomalies(), "");
}

TEST(HistoryChecker, FindsATornBatch) {
  const auto history = [] { return History().write(1, 9, 2, {{"a", "1"}, {"/b", "1"}}); };
  EXPECT_EQ(history().read(3, 4, {{"a", "1"}, {"/b", ""}}).anomalies(), "mixed moments");
  EXPECT_EQ(history().scan(3, 4, {{"a", "1"}}).anomalies(), "mixed moments");
  EXPECT_EQ(history().read(3, 4, {{"a", "1"}, {"/b", "1"}}).anomalies(), "");
  EXPECT_EQ(history().read(3, 4, {{"a", ""}, {"/b", ""}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAReadOfTwoMoments) {
  const auto history = [] { return History().write(1, 90, 1, {{"a", "1"}}).write(2, 90, 2, {{"b", "1"}}); };
  EXPECT_EQ(history().read(3, 4, {{"a", ""}, {"b", "1"}}).anomalies(), "mixed moments");
  EXPECT_EQ(history().read(3, 4, {{"a", "1"}, {"b", ""}}).anomalies(), "");
}

TEST(HistoryChecker, FindsALongFork) {
  // Two readers that see two writes in different orders: one of them has seen what never was.
  const auto history = [] { return History().write(1, 90, 1, {{"a", "1"}}).write(2, 90, 2, {{"b", "1"}}); };
  EXPECT_EQ(history().read(3, 6, {{"a", "1"}, {"b", ""}}).read(4, 7, {{"a", ""}, {"b", "1"}}).anomalies(),
            "mixed moments");
}

TEST(HistoryChecker, FindsAReaderThatGoesBack) {
  const auto history = [] { return History().write(1, 90, 1, {{"a", "1"}}).read(2, 3, {{"a", "1"}}); };
  EXPECT_EQ(history().read(4, 5, {{"a", ""}}).anomalies(), "stale read");
  EXPECT_EQ(history().read(2, 5, {{"a", ""}}).anomalies(), "");  // At the same time as the other read.
}

TEST(HistoryChecker, FindsAReaderThatGoesBackOverAnotherKey) {
  // Whoever has seen the second write sees the first one from then on, also through other keys.
  const auto history = [] { return History().write(1, 90, 1, {{"a", "1"}}).write(2, 90, 2, {{"b", "1"}}); };
  EXPECT_EQ(history().read(3, 4, {{"b", "1"}}).read(5, 6, {{"a", ""}}).anomalies(), "stale read");
  EXPECT_EQ(history().read(3, 4, {{"b", "1"}}).read(5, 6, {{"a", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAReadOfTheFuture) {
  EXPECT_EQ(History().read(1, 2, {{"a", "1"}}).write(3, 4, 1, {{"a", "1"}}).anomalies(), "future read");
  EXPECT_EQ(History().read(1, 4, {{"a", "1"}}).write(3, 5, 1, {{"a", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAValueThatNobodyWroteThere) {
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).read(3, 4, {{"a", "7"}}).anomalies(), "unwritten value");
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).read(3, 4, {{"b", "1"}}).anomalies(), "unwritten value");
}

TEST(HistoryChecker, FindsACommitOrderAgainstTime) {
  EXPECT_EQ(History().write(1, 2, 2, {{"a", "1"}}).write(3, 4, 1, {{"b", "1"}}).anomalies(), "commit order");
  EXPECT_EQ(History().write(1, 4, 2, {{"a", "1"}}).write(2, 3, 1, {{"b", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsASequenceThatWasGivenTwice) {
  EXPECT_EQ(History().write(1, 9, 2, {{"a", "1"}, {"b", "1"}}).write(2, 8, 1, {{"c", "1"}}).anomalies(),
            "commit order");
}

TEST(HistoryChecker, FindsSnapshotsThatGoBack) {
  const auto history = [] { return History().write(1, 90, 1, {{"a", "1"}}).write(2, 90, 2, {{"b", "1"}}); };
  EXPECT_EQ(history().snapshot(3, 4, 2).snapshot(5, 6, 1).anomalies(), "snapshot order");
  EXPECT_EQ(history().snapshot(3, 4, 1).snapshot(5, 6, 2).anomalies(), "");
}

TEST(HistoryChecker, FindsASnapshotThatMissesAWrite) {
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).snapshot(3, 4, 0).anomalies(), "snapshot order");
}

TEST(HistoryChecker, FindsASnapshotOfTheFuture) {
  EXPECT_EQ(History().snapshot(1, 2, 1).write(3, 4, 1, {{"a", "1"}}).anomalies(), "snapshot order");
}

TEST(HistoryChecker, FindsASnapshotWithinABatch) {
  EXPECT_EQ(History().write(1, 9, 2, {{"a", "1"}, {"b", "1"}}).snapshot(2, 3, 1).anomalies(), "snapshot order");
}

TEST(HistoryChecker, FindsASnapshotThatChanges) {
  const auto history = [] {
    return History().write(1, 2, 1, {{"a", "1"}}).snapshot(3, 4, 1).write(5, 6, 2, {{"a", "2"}});
  };
  EXPECT_EQ(history().read_at(1, 7, 8, {{"a", "2"}}).anomalies(), "future read");
  EXPECT_EQ(history().read_at(1, 7, 8, {{"a", ""}}).anomalies(), "stale read");
  EXPECT_EQ(history().read_at(1, 7, 8, {{"a", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsAHoleBehindACrash) {
  const auto history = [] { return History().write(1, 2, 1, {{"a", "1"}}).write(3, 4, 2, {{"b", "1"}}); };
  EXPECT_EQ(history().recovered(5, 2, 0, {{"b", "1"}}).anomalies(), "stale read");
  EXPECT_EQ(history().recovered(5, 2, 0, {{"a", "1"}, {"b", "1"}}).anomalies(), "");
  EXPECT_EQ(history().recovered(5, 1, 0, {{"a", "1"}}).anomalies(), "");
}

TEST(HistoryChecker, FindsHalfABatchBehindACrash) {
  const auto history = [] { return History().write(1, 2, 2, {{"a", "1"}, {"/b", "1"}}); };
  EXPECT_EQ(history().recovered(5, 2, 0, {{"a", "1"}}).anomalies(), "stale read");
  EXPECT_EQ(history().recovered(5, 1, 0, {}).anomalies(), "snapshot order");
}

TEST(HistoryChecker, FindsALostDurableWrite) {
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).recovered(3, 0, 1, {}).anomalies(), "lost write");
  EXPECT_EQ(History().write(1, 2, 1, {{"a", "1"}}).recovered(3, 0, 0, {}).anomalies(), "");
}

TEST(HistoryChecker, AWriteOfUnknownOutcomeMayBeThereOrNot) {
  const auto history = [] { return History().write(1, 2, 1, {{"a", "1"}}).unknown_write(3, {{"a", "2"}}); };
  EXPECT_EQ(history().read(4, 5, {{"a", "1"}}).anomalies(), "");
  EXPECT_EQ(history().read(4, 5, {{"a", "2"}}).anomalies(), "");
  EXPECT_EQ(history().read(4, 5, {{"a", "3"}}).anomalies(), "unwritten value");
}

TEST(HistoryChecker, LaterOperationsOfABatchWin) {
  const auto history = [] { return History().write(1, 2, 2, {{"a", "1"}, {"a", "2"}}); };
  EXPECT_EQ(history().read(3, 4, {{"a", "2"}}).anomalies(), "");
  EXPECT_EQ(history().read(3, 4, {{"a", "1"}}).anomalies(), "mixed moments");
}

}  // namespace
}  // namespace firn::testing
