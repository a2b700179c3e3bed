#include "tests/support/history.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace firn::testing {

namespace {

using Kind = HistoryEvent::Kind;
using Value = std::optional<std::string>;

constexpr Sequence kNever = std::numeric_limits<Sequence>::max();

std::string value_text(const Value& value) {
  return value.has_value() ? "\"" + value->substr(0, 40) + "\"" : "nothing";
}

std::string event_text(const HistoryEvent& event) {
  static constexpr const char* kNames[] = {"write", "read", "snapshot", "recovery"};
  std::string text = "client " + std::to_string(event.client) + ": " + kNames[static_cast<int>(event.kind)];
  if (event.sequence.has_value()) text += " at sequence " + std::to_string(*event.sequence);
  return text + ", issued " + std::to_string(event.issued) + ", returned " + std::to_string(event.returned);
}

// The values that one key had, each from the sequence of its batch on.
class KeyLife {
 public:
  void add(Sequence sequence, const Value& value) {
    if (!steps_.empty() && steps_.back().first == sequence) {
      steps_.back().second = value;  // A later operation of the same batch wins.
    } else {
      steps_.emplace_back(sequence, value);
    }
  }
  void add_unknown() { unknown_ = true; }
  // A write of unknown outcome touched it: any value that was written may be there at any time.
  bool unknown() const { return unknown_; }

  // The least place at or after `from` at which the key had `value`; kNever if there is none.
  Sequence first_with(const Value& value, Sequence from) const {
    auto next = std::upper_bound(steps_.begin(), steps_.end(), from,
                                 [](Sequence place, const auto& step) { return place < step.first; });
    const bool now = next == steps_.begin() ? !value.has_value() : std::prev(next)->second == value;
    if (now) return from;
    while (next != steps_.end() && next->second != value) ++next;
    return next == steps_.end() ? kNever : next->first;
  }

 private:
  std::vector<std::pair<Sequence, Value>> steps_;  // Ascending.
  bool unknown_ = false;
};

using Keys = std::map<std::string, KeyLife>;

class Checker {
 public:
  explicit Checker(const std::vector<HistoryEvent>& events) {
    for (const HistoryEvent& event : events) {
      (event.kind == Kind::kWrite ? writes_ : reads_).push_back(&event);
    }
  }

  std::vector<Anomaly> run() {
    order_writes();
    check_commit_order();
    collect_lives();
    place_reads();
    return std::move(anomalies_);
  }

 private:
  void report(AnomalyKind kind, const HistoryEvent& event, const std::string& text) {
    anomalies_.push_back({kind, std::string(anomaly_name(kind)) + ": " + event_text(event) + ": " + text});
  }

  static Sequence first_sequence(const HistoryEvent& write) { return *write.sequence + 1 - write.rows.size(); }

  // Those of known outcome first, by sequence.
  void order_writes() {
    std::sort(writes_.begin(), writes_.end(), [](const HistoryEvent* a, const HistoryEvent* b) {
      return a->sequence.value_or(kNever) < b->sequence.value_or(kNever);
    });
    known_ = std::find_if(writes_.begin(), writes_.end(), [](const HistoryEvent* w) { return !w->sequence; }) -
             writes_.begin();
  }

  void check_commit_order() {
    const HistoryEvent* latest = nullptr;  // Issued last, of those with smaller sequences.
    for (std::ptrdiff_t i = 0; i < known_; ++i) {
      const HistoryEvent& write = *writes_[static_cast<std::size_t>(i)];
      if (i > 0 && first_sequence(write) <= *writes_[static_cast<std::size_t>(i) - 1]->sequence) {
        report(AnomalyKind::kCommitOrder, write, "another write has the same sequence");
      }
      if (latest != nullptr && write.returned < latest->issued) {
        report(AnomalyKind::kCommitOrder, write, "before " + event_text(*latest) + ", which has a smaller sequence");
      }
      if (latest == nullptr || write.issued > latest->issued) latest = &write;
    }
  }

  void collect_lives() {
    for (const HistoryEvent* write : writes_) {
      for (const HistoryRow& row : write->rows) {
        KeyLife& life = families_[row.family.id][row.key];
        if (write->sequence.has_value()) {
          life.add(*write->sequence, row.value);
        } else {
          life.add_unknown();
        }
        written_[row.family.id][row.key].insert(row.value);
      }
    }
  }

  // Gives each read, in the order of their issue, the least place that it can have.
  void place_reads() {
    std::vector<const HistoryEvent*> by_issue = reads_;
    std::sort(by_issue.begin(), by_issue.end(),
              [](const HistoryEvent* a, const HistoryEvent* b) { return a->issued < b->issued; });
    for (std::ptrdiff_t i = 0; i < known_; ++i) {
      const HistoryEvent& write = *writes_[static_cast<std::size_t>(i)];
      seen_by_.emplace(write.returned, *write.sequence);
      issued_.emplace(write.issued, first_sequence(write));
    }
    // From the last to the first: the smallest sequence of any write issued from then on.
    Sequence smallest = kNever;
    for (auto write = issued_.rbegin(); write != issued_.rend(); ++write) {
      smallest = std::min(smallest, write->second);
      write->second = smallest;
    }
    for (const HistoryEvent* read : by_issue) {
      // What returned before counts; its place is known, as it was issued before.
      while (!seen_by_.empty() && seen_by_.begin()->first < read->issued) {
        least_ = std::max(least_, seen_by_.begin()->second);
        seen_by_.erase(seen_by_.begin());
      }
      const auto later = issued_.upper_bound(read->returned);
      place(*read, later == issued_.end() ? kNever - 1 : later->second - 1);
    }
  }

  // `most`: the last place that is not in the future of `read`.
  void place(const HistoryEvent& read, Sequence most) {
    switch (read.kind) {
      case Kind::kSnapshot:
        check_moment(read, most);
        seen_by_.emplace(read.returned, *read.sequence);
        return;
      case Kind::kRecovered:
        if (*read.sequence < read.durable) {
          report(AnomalyKind::kLostWrite, read, "sequence " + std::to_string(read.durable) + " was durable");
        }
        check_whole_batches(read);
        return check_rows(read, *read.sequence, *read.sequence);
      default: break;
    }
    if (read.sequence.has_value()) return check_rows(read, *read.sequence, *read.sequence);
    check_rows(read, least_, most);
  }

  void check_moment(const HistoryEvent& snapshot, Sequence most) {
    if (*snapshot.sequence < least_) {
      report(AnomalyKind::kSnapshotOrder, snapshot, "sequence " + std::to_string(least_) + " had been seen before");
    } else if (*snapshot.sequence > most) {
      report(AnomalyKind::kSnapshotOrder, snapshot, "only " + std::to_string(most) + " had been issued");
    }
    check_whole_batches(snapshot);
  }

  void check_whole_batches(const HistoryEvent& read) {
    const auto known_end = writes_.begin() + known_;
    const auto write = std::upper_bound(writes_.begin(), known_end, *read.sequence,
                                        [](Sequence place, const HistoryEvent* w) { return place < *w->sequence; });
    if (write != known_end && first_sequence(**write) <= *read.sequence) {
      report(AnomalyKind::kSnapshotOrder, read, "within the batch of " + event_text(**write));
    }
  }

  // A value that must have been there.
  struct Claim {
    const KeyLife* life;
    const HistoryRow* row;
  };

  // What `read` says of each key, absent ones too. Reports what nobody wrote, and leaves out what cannot be judged.
  std::vector<Claim> claims_of(const HistoryEvent& read, std::vector<HistoryRow>& absent) {
    std::vector<Claim> claims;
    std::set<std::pair<std::uint32_t, std::string>> named;
    for (const HistoryRow& row : read.rows) {
      named.emplace(row.family.id, row.key);
      const KeyLife& life = families_[row.family.id][row.key];
      if (row.value.has_value() && !written_[row.family.id][row.key].contains(row.value)) {
        report(AnomalyKind::kUnwrittenValue, read, value_text(row.value) + " of key " + row.key);
      } else if (!life.unknown()) {
        claims.push_back({&life, &row});
      }
    }
    for (const HistoryRange& range : read.ranges) {
      const Keys& keys = families_[range.family.id];
      for (auto key = keys.lower_bound(range.from); key != keys.end(); ++key) {
        if (!range.to.empty() && key->first >= range.to) break;
        if (!key->second.unknown() && !named.contains({range.family.id, key->first})) {
          absent.push_back({range.family, key->first, std::nullopt});
        }
      }
    }
    for (const HistoryRow& row : absent) claims.push_back({&families_[row.family.id][row.key], &row});
    return claims;
  }

  void check_rows(const HistoryEvent& read, Sequence least, Sequence most) {
    std::vector<HistoryRow> absent;
    const std::vector<Claim> claims = claims_of(read, absent);
    Sequence at = least;
    for (bool moved = true; moved;) {
      moved = false;
      for (const Claim& claim : claims) {
        const Sequence first = claim.life->first_with(claim.row->value, at);
        if (first > most) return explain(read, claims, least, most);
        moved = moved || first != at;
        at = first;
      }
    }
    if (read.kind == Kind::kRead && !read.sequence.has_value()) seen_by_.emplace(read.returned, at);
  }

  // There is no place for `read` from `least` to `most`.
  void explain(const HistoryEvent& read, const std::vector<Claim>& claims, Sequence least, Sequence most) {
    for (const Claim& claim : claims) {
      const HistoryRow& row = *claim.row;
      if (claim.life->first_with(row.value, least) <= most) continue;
      const Sequence first = claim.life->first_with(row.value, 0);
      if (first == kNever) {
        return report(AnomalyKind::kMixedMoments, read,
                      value_text(row.value) + " of key " + row.key + ", which its own batch overwrote");
      }
      const bool future = first > most;
      return report(future ? AnomalyKind::kFutureRead : AnomalyKind::kStaleRead, read,
                    value_text(row.value) + " of key " + row.key + ", not so at " + std::to_string(least) +
                        (least == most ? std::string() : " nor later"));
    }
    report(AnomalyKind::kMixedMoments, read, "its rows were never there together");
  }

  std::vector<const HistoryEvent*> writes_;
  std::ptrdiff_t known_ = 0;  // Of writes_, those with a sequence.
  std::vector<const HistoryEvent*> reads_;
  std::map<std::uint32_t, Keys> families_;
  std::map<std::uint32_t, std::map<std::string, std::set<Value>>> written_;
  std::multimap<std::uint64_t, Sequence> seen_by_;  // By the time of return: later reads see at least this.
  std::map<std::uint64_t, Sequence> issued_;        // By the time of issue: the smallest sequence issued from then on.
  Sequence least_ = 0;
  std::vector<Anomaly> anomalies_;
};

}  // namespace

const char* anomaly_name(AnomalyKind kind) {
  switch (kind) {
    case AnomalyKind::kCommitOrder: return "commit order";
    case AnomalyKind::kUnwrittenValue: return "unwritten value";
    case AnomalyKind::kFutureRead: return "future read";
    case AnomalyKind::kStaleRead: return "stale read";
    case AnomalyKind::kMixedMoments: return "mixed moments";
    case AnomalyKind::kSnapshotOrder: return "snapshot order";
    case AnomalyKind::kLostWrite: return "lost write";
  }
  return "unknown";
}

std::vector<Anomaly> check_history(const std::vector<HistoryEvent>& events) { return Checker(events).run(); }

}  // namespace firn::testing
