#include "tests/support/history_client.h"

#include <limits>
#include <utility>

namespace firn::testing {

namespace {

// Adds the row that `value` is; false on an error.
bool add_row(HistoryEvent& event, Family family, const std::string& key, const Result<PinnedValue>& value) {
  if (!value.ok() && !value.status().is_not_found()) return false;
  event.rows.push_back({family, key, value.ok() ? std::optional(value->to_string()) : std::nullopt});
  return true;
}

Status add_rows(HistoryEvent& event, Family family, Iterator it, bool forward) {
  Step step = forward ? it.next() : it.prev();
  for (; step == Step::kEntry; step = forward ? it.next() : it.prev()) {
    event.rows.push_back({family, std::string(it.key()), std::string(it.value())});
  }
  return it.status();
}

}  // namespace

HistoryEvent HistoryClient::issue(HistoryEvent::Kind kind, const Snapshot* snapshot) const {
  HistoryEvent event;
  event.kind = kind;
  event.client = number_;
  if (snapshot != nullptr) event.sequence = snapshot->sequence();
  event.issued = clock_.tick();
  return event;
}

void HistoryClient::record(HistoryEvent event) {
  event.returned = clock_.tick();
  events_.push_back(std::move(event));
}

Result<Sequence> HistoryClient::write(std::vector<HistoryRow> rows, const WriteOptions& options) {
  WriteBatch batch;
  for (const HistoryRow& row : rows) {
    if (row.value.has_value()) {
      batch.put(row.family, row.key, *row.value);
    } else {
      batch.erase(row.family, row.key);
    }
  }
  HistoryEvent event = issue(HistoryEvent::Kind::kWrite);
  event.rows = std::move(rows);
  auto sequence = db_.write(batch, options);
  if (sequence.ok()) {
    event.sequence = *sequence;
    record(std::move(event));
  } else if (sequence.status().code() == StatusCode::kIo) {
    event.returned = std::numeric_limits<std::uint64_t>::max();
    events_.push_back(std::move(event));
  }
  return sequence;
}

Status HistoryClient::get(Family family, const std::string& key, const Snapshot* snapshot) {
  HistoryEvent event = issue(HistoryEvent::Kind::kRead, snapshot);
  const auto value = db_.get_pinned(family, key, {snapshot});
  if (!add_row(event, family, key, value)) return value.status();
  record(std::move(event));
  return {};
}

Status HistoryClient::multi_get(Family family, const std::vector<std::string>& keys, const Snapshot* snapshot) {
  const std::vector<Slice> slices(keys.begin(), keys.end());
  HistoryEvent event = issue(HistoryEvent::Kind::kRead, snapshot);
  const auto values = db_.multi_get(family, slices, {snapshot});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!add_row(event, family, keys[i], values[i])) return values[i].status();
  }
  record(std::move(event));
  return {};
}

Status HistoryClient::scan(const HistoryRange& range, bool forward, const Snapshot* snapshot) {
  HistoryEvent event = issue(HistoryEvent::Kind::kRead, snapshot);
  event.ranges.push_back(range);
  Iterator it = db_.scan(range.family, range.from, range.to, {snapshot});
  if (Status status = add_rows(event, range.family, std::move(it), forward); !status.ok()) return status;
  record(std::move(event));
  return {};
}

Snapshot HistoryClient::snapshot() {
  HistoryEvent event = issue(HistoryEvent::Kind::kSnapshot);
  Snapshot made = db_.snapshot();
  event.sequence = made.sequence();
  record(std::move(event));
  return made;
}

Result<HistoryEvent> read_recovered(DB& db, const std::vector<Family>& families) {
  HistoryEvent event;
  event.kind = HistoryEvent::Kind::kRecovered;
  event.sequence = db.visible_sequence();
  for (const Family family : families) {
    event.ranges.push_back({family, {}, {}});
    if (Status status = add_rows(event, family, db.iterator(family), true); !status.ok()) return status;
  }
  return event;
}

}  // namespace firn::testing
