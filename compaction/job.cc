#include "compaction/job.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/entry.h"
#include "codec/key_head.h"
#include "compaction/merge_cursor.h"
#include "compaction/output_cutter.h"
#include "platform/assert.h"

namespace firn::compaction {

namespace {

constexpr std::uint64_t kEntriesPerStopCheck = 256;

// What the user wrote, wherever it is.
std::uint64_t value_bytes(const Entry& entry) {
  ValueReference at;
  const bool separated = entry.kind == EntryKind::kReference && sstable::decode_reference(entry.value, at);
  return separated ? at.bytes : entry.value.size();
}

// Decides, entry by entry in internal order, what stays.
class Retention {
 public:
  enum class Verdict : std::uint8_t { kKeep, kKeepZeroed, kShadowed, kTombstoneDropped };

  Retention(const std::vector<Sequence>& snapshots, bool bottommost)
      : snapshots_(snapshots),
        oldest_snapshot_(snapshots.empty() ? kSequenceMax : snapshots.front()),
        bottommost_(bottommost) {}

  // `previous`: sequence of the version before this one, if that has the same key.
  Verdict judge(const Entry& entry, std::optional<Sequence> previous) const {
    if (previous && same_stripe(*previous, entry.sequence)) return Verdict::kShadowed;
    if (!bottommost_ || entry.sequence > oldest_snapshot_) return Verdict::kKeep;
    return entry.kind == EntryKind::kTombstone ? Verdict::kTombstoneDropped : Verdict::kKeepZeroed;
  }

 private:
  // No snapshot sees the older one but not the newer.
  bool same_stripe(Sequence newer, Sequence older) const {
    const auto first = std::lower_bound(snapshots_.begin(), snapshots_.end(), older);
    return first == snapshots_.end() || *first >= newer;
  }

  const std::vector<Sequence>& snapshots_;
  const Sequence oldest_snapshot_;
  const bool bottommost_;
};

// Writes the output tables.
class Writer {
 public:
  Writer(const CompactionTask& task, CompactionOutcome& outcome)
      : task_(task),
        outcome_(outcome),
        separator_(task.values, outcome.values),
        cutter_(task.table_bytes, task.grandparents, task.grandparent_overlap_bytes_max) {}

  // The next key begins: a table may end here, and only here, since the versions of a key stay together.
  Status begin_key(Slice key) {
    const std::uint64_t file_bytes = output_.builder == nullptr ? 0 : output_.builder->file_bytes();
    if (!cutter_.cut_before(key, file_bytes) || output_.builder == nullptr) return Status();
    return finish_table();
  }

  Status add(const Entry& entry) {
    if (!separator_.concerns(entry)) [[likely]]
      return put(entry);
    Entry placed = entry;
    if (Status status = separator_.place(placed); !status.ok()) return status;
    return put(placed);
  }

  Status finish() {
    if (Status status = output_.builder == nullptr ? Status() : finish_table(); !status.ok()) return status;
    Status status = separator_.finish();
    outcome_.counts.bytes_written += outcome_.values.bytes_written;
    return status;
  }

 private:
  Status begin_table() {
    Result<OutputTable> made = task_.create_table();
    if (!made.ok()) return made.status();
    output_ = std::move(made).value();
    outcome_.created.push_back(output_.id);
    cutter_.begin_table();
    return Status();
  }

  Status put(const Entry& entry) {
    if (output_.builder == nullptr) {
      if (Status status = begin_table(); !status.ok()) return status;
    }
    ++outcome_.counts.entries_written;
    return output_.builder->add(entry);
  }

  Status finish_table() {
    Result<TableMeta> meta = output_.builder->finish();
    if (!meta.ok()) return meta.status();
    outcome_.counts.bytes_written += meta->file_bytes;
    outcome_.tables.push_back(std::move(meta).value());
    output_.builder.reset();
    output_.file.reset();
    return Status();
  }

  const CompactionTask& task_;
  CompactionOutcome& outcome_;
  ValueSeparator separator_;
  OutputTable output_;
  OutputCutter cutter_;
};

class Job {
 public:
  explicit Job(CompactionTask task)
      : task_(std::move(task)),
        retention_(task_.snapshots, task_.bottommost),
        writer_(task_, outcome_),
        merge_(std::move(task_.inputs), task_.head_offset) {}

  CompactionOutcome run() {
    outcome_.status = merge();
    if (outcome_.status.ok()) outcome_.status = writer_.finish();
    if (outcome_.status.ok()) outcome_.status = balance();
    return std::move(outcome_);
  }

 private:
  Status merge() {
    if (task_.after) {
      merge_.seek(*task_.after + '\0', kSequenceMax);
    } else {
      merge_.seek_to_first();
    }
    for (; merge_.valid(); merge_.next()) {
      const Entry& entry = merge_.entry();
      if (task_.up_to && entry.key > *task_.up_to) return Status();
      if (outcome_.counts.entries_read % kEntriesPerStopCheck == 0 && task_.should_stop && task_.should_stop()) {
        return Status(StatusCode::kClosed, "compaction stopped before its end: the database is closing");
      }
      if (Status status = take(entry); !status.ok()) return status;
    }
    return merge_.status();
  }

  Status take(const Entry& entry) {
    CompactionCounts& counts = outcome_.counts;
    ++counts.entries_read;
    counts.bytes_read += entry.key.size() + value_bytes(entry);
    const bool first = counts.entries_read == 1;
    const std::size_t shared = common_prefix_bytes(key_, entry.key);
    const bool same_key = !first && shared == key_.size() && shared == entry.key.size();
    if (same_key) {
      if (entry.sequence >= sequence_) return out_of_order();
    } else {
      if (!first && !follows(entry.key, shared)) return out_of_order();
      key_.resize(entry.key.size());
      if (!entry.key.empty()) std::memcpy(key_.data(), entry.key.data(), entry.key.size());
      if (Status status = writer_.begin_key(entry.key); !status.ok()) return status;
    }
    const auto verdict = retention_.judge(entry, same_key ? std::optional(sequence_) : std::nullopt);
    sequence_ = entry.sequence;
    switch (verdict) {
      case Retention::Verdict::kKeep: return writer_.add(entry);
      case Retention::Verdict::kKeepZeroed: return add_zeroed(entry);
      case Retention::Verdict::kShadowed: ++counts.entries_shadowed; return Status();
      case Retention::Verdict::kTombstoneDropped: ++counts.tombstones_dropped; return Status();
    }
    return Status();
  }

  // Whether `key` comes after key_, with which it has its first `shared` bytes in common and no more.
  bool follows(Slice key, std::size_t shared) const {
    if (shared == key.size()) return false;
    return shared == key_.size() || static_cast<unsigned char>(key_[shared]) < static_cast<unsigned char>(key[shared]);
  }

  Status add_zeroed(Entry entry) {
    if (entry.sequence != 0) ++outcome_.counts.sequences_zeroed;
    entry.sequence = 0;
    return writer_.add(entry);
  }

  // Tables are checked block by block, so this is a bug or a table that lies; either way nothing may be built on it.
  Status out_of_order() const {
    return Status(StatusCode::kCorruption, "compaction inputs are out of order at entry " +
                                               std::to_string(outcome_.counts.entries_read) +
                                               ": they are left as they are");
  }

  // Invariant COMPACTION-1: entries in = entries out + entries left out for a reason that was counted.
  Status balance() const {
    const CompactionCounts& counts = outcome_.counts;
    std::uint64_t in_tables = 0;
    for (const TableMeta& table : outcome_.tables) in_tables += table.entries;
    const std::uint64_t accounted = in_tables + counts.entries_shadowed + counts.tombstones_dropped;
    if (accounted == counts.entries_read && task_.expected_entries.value_or(accounted) == accounted) return Status();
    return Status(StatusCode::kCorruption, "compaction read " + std::to_string(counts.entries_read) +
                                               " entries and accounts for " + std::to_string(accounted) +
                                               ", where its inputs list " +
                                               std::to_string(task_.expected_entries.value_or(counts.entries_read)) +
                                               ": they are left as they are");
  }

  CompactionTask task_;
  CompactionOutcome outcome_;
  Retention retention_;
  Writer writer_;
  MergeCursor merge_;
  std::string key_;        // Of the entry before,
  Sequence sequence_ = 0;  // and its sequence as read.
};

}  // namespace

CompactionOutcome run_compaction(CompactionTask task) {
  FIRN_ASSERT(task.create_table != nullptr);
  FIRN_ASSERT(std::is_sorted(task.snapshots.begin(), task.snapshots.end()));
  return Job(std::move(task)).run();
}

}  // namespace firn::compaction
