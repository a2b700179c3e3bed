#include "lsm/committer.h"

#include <algorithm>
#include <atomic>

#include "codec/key_hash.h"
#include "platform/assert.h"
#include "platform/planted_bug.h"

namespace firn::lsm {

namespace {

// How long a group is waited for: less than a device flush. A system's timers may double it.
constexpr std::uint64_t kGatherNs = 25'000;
constexpr std::size_t kGroupBytesMax = std::size_t{1} << 20;
// The log may hold so many memtables' worth of records before the family with the oldest ones is flushed to shorten it.
constexpr std::uint64_t kLogMemtablesMax = 6;

std::uint64_t user_bytes(const BatchOperation& op) { return op.key.size() + op.value.size(); }

// Of an encoded batch that is not empty.
[[maybe_unused]] std::size_t first_operation_bytes(Slice payload) {
  BatchReader reader(payload);
  BatchOperation op;
  return reader.next(op) ? operation_bytes(op) : 0;
}

}  // namespace

struct Committer::GroupMember {
  Slice payload;
  std::uint32_t count = 0;
  Sequence first = 0;
  Status status;
  std::atomic<bool> done{false};  // Whoever sets it is through with this member, which may be gone then.

  bool is_done() const { return done.load(std::memory_order_acquire); }
  Result<Sequence> outcome() {
    if (!status.ok()) return std::move(status);
    return first + count - 1;
  }
};

Committer::Committer(Core& core, LogSet& log, Maintenance& maintenance, WriteGate& gate)
    : core_(core), log_(log), maintenance_(maintenance), gate_(gate) {}

Status Committer::pass_gate(Slice payload) {
  if (gate_.wide_open()) return {};
  BatchReader reader(payload);
  BatchOperation op;
  bool grows = false;
  while (!grows && reader.next(op)) grows = op.kind == EntryKind::kPut;
  return pass_gate(payload.size(), grows);
}

Status Committer::pass_gate(std::uint64_t bytes, bool grows) {
  if (gate_.wide_open()) return {};
  WriteGate::Passage passage = gate_.pass(bytes, grows);
  core_.counters.write_delay_ns.fetch_add(passage.waited_ns, std::memory_order_relaxed);
  if (passage.stopped) core_.counters.write_stops.fetch_add(1, std::memory_order_relaxed);
  return std::move(passage.status);
}

Result<Sequence> Committer::write(const BatchOperation& op, Durability durability) {
  const std::size_t payload_bytes = operation_bytes(op);
  if (durability == Durability::kSync) {
    std::string payload(payload_bytes, '\0');
    put_operation(payload.data(), op);
    return write_synced(payload, 1);
  }
  if (Status status = pass_gate(payload_bytes, op.kind == EntryKind::kPut); !status.ok()) return status;
  const std::uint64_t hash = key_hash(op.key);
  MutexLock lock(mutex_);
  if (Status status = admit(); !status.ok()) return status;
  FamilyState* family = core_.families.find(op.family);
  if (family == nullptr) return unknown_family(Family{op.family});
  MemTable& memtable = *family->writer_memtable();
  memtable.prefetch(hash);
  if (Status status = memtable.reserve(1, user_bytes(op)); !status.ok()) return status;
  const Sequence sequence = last_sequence_ + 1;
  if (durability != Durability::kNone) {
    auto at = log_.reserve(sequence, 1, payload_bytes);
    if (!at.ok()) return at.status();
    put_operation(*at, op);
    if (Status status = log_.commit(); !status.ok()) return status;
    if (durability == Durability::kPeriodic && !sync_due_) schedule_sync();
  }
  insert(sequence, op, hash, *family);
  publish(sequence, 1, user_bytes(op));
  return sequence;
}

Result<Sequence> Committer::write(const WriteBatch& batch, Durability durability) {
  if (durability == Durability::kSync) return write_synced(batch.payload(), batch.count());
  if (Status status = pass_gate(batch.payload()); !status.ok()) return status;
  MutexLock lock(mutex_);
  if (Status status = admit(); !status.ok()) return status;
  needs_.clear();
  if (Status status = collect(batch.payload(), needs_); !status.ok()) return status;
  if (Status status = reserve(needs_); !status.ok()) return status;
  const Sequence first = last_sequence_ + 1;
  if (durability != Durability::kNone) {
    if (Status status = append(first, batch.count(), batch.payload()); !status.ok()) return status;
    if (durability == Durability::kPeriodic && !sync_due_) schedule_sync();
  }
  const std::uint64_t bytes = apply(first, batch.payload());
  publish(first + batch.count() - 1, 1, bytes);
  return last_sequence_;
}

Status Committer::admit() const {
  if (closed_) return closed_status();
  if (core_.options.read_only) return read_only_status();
  if (log_.failed()) return log_.failure();
  return {};
}

Status Committer::collect(Slice payload, std::vector<Need>& needs) const {
  BatchReader reader(payload);
  BatchOperation op;
  while (reader.next(op)) {
    if (needs.empty() || needs.back().family->id() != op.family) {
      FamilyState* family = core_.families.find(op.family);
      if (family == nullptr) return unknown_family(Family{op.family});
      const auto it = std::find_if(needs.begin(), needs.end(), [&](const Need& need) { return need.family == family; });
      if (it == needs.end()) {
        needs.push_back({family, 0, 0});
      } else {
        std::swap(*it, needs.back());
      }
    }
    ++needs.back().entries;
    needs.back().bytes += user_bytes(op);
  }
  FIRN_ASSERT(!reader.malformed());  // A WriteBatch makes its payload itself.
  return {};
}

Status Committer::reserve(const std::vector<Need>& needs) {
  for (const Need& need : needs) {
    Status status = need.family->writer_memtable()->reserve(need.entries, need.bytes);
    if (!status.ok()) return status;
  }
  return {};
}

Status Committer::append(Sequence first, std::uint32_t count, Slice payload) {
  if (FIRN_PLANTED_BUG(batch_split) && count > 1) {
    const std::size_t one = first_operation_bytes(payload);
    if (Status status = append(first, 1, payload.substr(0, one)); !status.ok()) return status;
    return append(first + 1, count - 1, payload.substr(one));
  }
  auto at = log_.reserve(first, count, payload.size());
  if (!at.ok()) return at.status();
  std::memcpy(*at, payload.data(), payload.size());
  return log_.commit();
}

std::uint64_t Committer::apply(Sequence first, Slice payload) {
  BatchReader reader(payload);
  BatchOperation op;
  FamilyState* family = nullptr;
  std::uint64_t bytes = 0;
  while (reader.next(op)) {
    if (family == nullptr || family->id() != op.family) family = core_.families.find(op.family);
    insert(first++, op, key_hash(op.key), *family);
    bytes += user_bytes(op);
  }
  return bytes;
}

void Committer::insert(Sequence sequence, const BatchOperation& op, std::uint64_t hash, FamilyState& family) {
  family.writer_memtable()->add(sequence, op.kind, op.key, hash, op.value);
  memtable_bytes_ += family.count_bytes();
  memory_due_ |= family.writer_memtable()->full() || memtable_bytes_ >= memtables_bytes_max();
}

void Committer::publish(Sequence last, std::uint64_t batches, std::uint64_t user_bytes) {
  bump(core_.counters.writes, batches);
  bump(core_.counters.entries_written, last - last_sequence_);
  bump(core_.counters.user_bytes_written, user_bytes);
  last_sequence_ = last;
  core_.visible_sequence.store(last, std::memory_order_release);
  if (memory_due_ || log_.segments_begun() != segments_seen_) bound_memory();
  if (pace_due()) renew_pace();
}

void Committer::renew_pace() {
  paced_bytes_ = memtable_bytes_;
  maintenance_.renew_pace();
}

void Committer::bound_memory() {
  memory_due_ = false;
  memtable_bytes_ = 0;  // What dropped families had is free.
  for (const FamilyState* family : core_.families.live()) memtable_bytes_ += family->counted_bytes();
  for (FamilyState* family : core_.families.live()) {
    if (family->writer_memtable()->full()) make_immutable(*family);
  }
  while (memtable_bytes_ >= memtables_bytes_max()) {
    FamilyState* fullest = maintenance_.fullest_family();
    if (fullest == nullptr) break;
    make_immutable(*fullest);
  }
  if (log_.segments_begun() == segments_seen_) return;
  segments_seen_ = log_.segments_begun();
  if (log_.occupied_bytes() <= kLogMemtablesMax * core_.sizes.memtable_bytes) return;
  if (FamilyState* oldest = maintenance_.oldest_family()) make_immutable(*oldest);
}

void Committer::make_immutable(FamilyState& family) {
  memtable_bytes_ -= std::min(memtable_bytes_, family.counted_bytes());
  paced_bytes_ = std::min(paced_bytes_, memtable_bytes_);
  // What its flush makes superfluous should not wait for the rest of a segment to be written.
  if (!maintenance_.others_unflushed(family)) log_.end_segment();
  maintenance_.rotate(family);
}

void Committer::schedule_sync() {
  sync_due_ = true;
  core_.log_executor->submit_after(std::uint64_t{core_.options.sync_period_ms} * 1'000'000, [this] {
    {
      MutexLock lock(mutex_);
      sync_due_ = false;
      if (closed_) return;
    }
    // A failure stops writes and is reported by them and by health().
    static_cast<void>(log_.sync());
  });
}

Result<Sequence> Committer::write_synced(Slice payload, std::uint32_t count) {
  if (Status status = pass_gate(payload); !status.ok()) return status;
  GroupMember me;
  me.payload = payload;
  me.count = count;
  MutexLock lock(group_mutex_);
  waiting_.push_back(&me);
  for (;;) {
    if (me.is_done()) return me.outcome();
    FIRN_ASSERT(leading_ || !waiting_.empty());
    const bool complete = waiting_.size() >= expected_;
    const bool others_turn = leading_ || (!complete && waiting_.front() != &me);
    if (!others_turn && (complete || core_.platform.clock->monotonic_ns() >= gather_until_ns_)) {
      leading_ = true;
      const std::vector<GroupMember*> group = take_group();
      lock.unlock();
      lead_group(group);
    } else {
      const std::uint32_t groups = group_done_.count();
      const std::uint64_t until = others_turn ? EventCount::kNever : gather_until_ns_;
      lock.unlock();
      group_done_.wait_until(groups, until);
    }
    if (me.is_done()) return me.outcome();
    lock.lock();
  }
}

// Commits those who wait. They sleep until they are done: a thread that polled would have lost its core to others, with
// everybody waiting for it. So nobody is woken to lead either: who completes the group is awake. And nobody needs the
// mutex to find that it is done: a group that woke behind it would come back one by one.
void Committer::lead_group(const std::vector<GroupMember*>& group) {
  commit_group(group);
  {
    MutexLock lock(group_mutex_);
    // Under the mutex: who finds there that it is not done is waiting, or somebody leads.
    for (GroupMember* member : group) member->done.store(true, std::memory_order_release);
    expected_ = group.size() + waiting_.size();
    gather_until_ns_ = core_.platform.clock->monotonic_ns() + kGatherNs;
    leading_ = false;
  }
  group_done_.advance();
}

std::vector<Committer::GroupMember*> Committer::take_group() {
  std::size_t taken = 0;
  std::size_t bytes = 0;
  while (taken < waiting_.size() && (taken == 0 || bytes + waiting_[taken]->payload.size() <= kGroupBytesMax)) {
    bytes += waiting_[taken++]->payload.size();
  }
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(taken);
  std::vector<GroupMember*> group(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return group;
}

void Committer::commit_group(const std::vector<GroupMember*>& group) {
  MutexLock lock(mutex_);
  Status status = admit();
  std::vector<wal::Record> records;
  std::vector<GroupMember*> members;  // Of the records.
  Sequence next = last_sequence_ + 1;
  needs_.clear();
  for (GroupMember* member : group) {
    std::vector<Need> needs = needs_;
    member->status = status.ok() ? collect(member->payload, needs) : status;
    if (!member->status.ok()) continue;
    needs_ = std::move(needs);
    member->first = next;
    records.push_back({next, member->count, member->payload});
    members.push_back(member);
    next += member->count;
  }
  if (members.empty()) return;
  status = reserve(needs_);
  if (status.ok()) status = log_.append_group(records);
  const bool appended = status.ok();
  // Readers see nothing of it before it is on the device (contract A7).
  if (status.ok() && !FIRN_PLANTED_BUG(ack_before_sync)) status = log_.sync();
  // "No space" would promise that nothing was changed, but records are in the log, or the first of them.
  if (status.code() == StatusCode::kNoSpace && log_.failed() && (appended || records.size() > 1)) {
    status = Status(StatusCode::kIo, std::string(status.message()));
  }
  std::uint64_t bytes = 0;
  for (GroupMember* member : members) {
    member->status = status;
    if (status.ok()) bytes += apply(member->first, member->payload);
  }
  if (status.ok()) publish(next - 1, members.size(), bytes);
}

Status Committer::sync() {
  {
    MutexLock lock(mutex_);
    if (Status status = admit(); !status.ok()) return status;
  }
  return log_.sync();
}

void Committer::rotate(FamilyState& family) {
  MutexLock lock(mutex_);
  if (!family.writer_memtable()->empty()) make_immutable(family);
}

void Committer::rotate_all() {
  for (FamilyState* family : core_.families.live()) rotate(*family);
}

void Committer::close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

void Committer::set_last_sequence(Sequence sequence) {
  MutexLock lock(mutex_);
  last_sequence_ = sequence;
  core_.visible_sequence.store(sequence, std::memory_order_release);
}

Status Committer::replay(Sequence sequence, const BatchOperation& op, FamilyState& family) {
  MutexLock lock(mutex_);
  MemTable& memtable = *family.writer_memtable();
  if (Status status = memtable.reserve(1, user_bytes(op)); !status.ok()) return status;
  insert(sequence, op, key_hash(op.key), family);
  last_sequence_ = sequence;
  return {};
}

}  // namespace firn::lsm
