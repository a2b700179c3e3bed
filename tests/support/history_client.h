// A client of a database that records what it did: one for each thread.
//
// Thread safety: one thread at a time; the clock is shared. Lifetime: database and clock outlive the client.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "firn/db.h"
#include "tests/support/history.h"

namespace firn::testing {

// Gives out 1, 2, 3, ...
class HistoryClock {
 public:
  std::uint64_t tick() { return now_.fetch_add(1) + 1; }

 private:
  std::atomic<std::uint64_t> now_{0};
};

class HistoryClient {
 public:
  HistoryClient(DB& db, HistoryClock& clock, int number) : db_(db), clock_(clock), number_(number) {}

  // Writes `rows` as one batch. A refusal that leaves the outcome open (kIo) is recorded as that, another is not.
  Result<Sequence> write(std::vector<HistoryRow> rows, const WriteOptions& options = {});
  // One key; many at one moment; a range at one moment. Rows found are recorded; nothing is where the read failed.
  Status get(Family family, const std::string& key, const Snapshot* snapshot = nullptr);
  Status multi_get(Family family, const std::vector<std::string>& keys, const Snapshot* snapshot = nullptr);
  Status scan(const HistoryRange& range, bool forward, const Snapshot* snapshot = nullptr);
  Snapshot snapshot();

  const std::vector<HistoryEvent>& events() const { return events_; }

 private:
  // Starts an event now.
  HistoryEvent issue(HistoryEvent::Kind kind, const Snapshot* snapshot = nullptr) const;
  void record(HistoryEvent event);

  DB& db_;
  HistoryClock& clock_;
  const int number_;
  std::vector<HistoryEvent> events_;
};

// All rows of `families`, as an event of kind kRecovered without its times.
Result<HistoryEvent> read_recovered(DB& db, const std::vector<Family>& families);

}  // namespace firn::testing
