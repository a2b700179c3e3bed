// Tests: tests/contract/iterator_test.cc, tests/lsm/db_iterator_test.cc.
#include "lsm/run_merge.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

namespace firn::lsm {

namespace {

constexpr std::uint64_t kHeadEnd = std::numeric_limits<std::uint64_t>::max();

// After so many straight wins a run is expected to go on winning.
constexpr std::uint32_t kStraightWins = 4;

}  // namespace

std::size_t RunMerge::room_bytes(const ReadView& view) {
  static_assert(alignof(MemTableRun) <= alignof(std::uint64_t) && alignof(TableRun) <= alignof(std::uint64_t));
  const std::size_t memtables = 1 + view.immutables().size();
  const std::size_t tables = view.version()->runs();
  return memtables * sizeof(MemTableRun) + tables * sizeof(TableRun) + (memtables + tables) * sizeof(std::uint64_t);
}

RunMerge::RunMerge(const ReadView& view, Sequence at, const std::optional<std::string>& lower,
                   const std::optional<std::string>& upper, std::byte* room)
    : head_map_(view.version()->common_prefix()),
      lower_head_(lower ? head_map_.head(*lower) : 0),
      upper_head_(upper ? head_map_.head(*upper) : 0) {
  auto* const memtables = reinterpret_cast<MemTableRun*>(room);
  if (!view.active()->empty()) new (memtables + count_++) MemTableRun(*view.active(), head_map_, at);
  for (const auto& memtable : view.immutables()) new (memtables + count_++) MemTableRun(*memtable, head_map_, at);
  memtables_ = {memtables, count_};
  add_tables(*view.version(), at, lower, upper);
  heads_ = reinterpret_cast<std::uint64_t*>(tables_.data() + tables_.size());
}

RunMerge::~RunMerge() {
  std::destroy(memtables_.begin(), memtables_.end());
  std::destroy(tables_.begin(), tables_.end());
}

void RunMerge::add_tables(const Version& version, Sequence at, const std::optional<std::string>& lower,
                          const std::optional<std::string>& upper) {
  auto* const tables = reinterpret_cast<TableRun*>(memtables_.data() + memtables_.size());
  std::size_t added = 0;
  for (std::size_t i = 0; i < version.level(0).size(); ++i) {
    if (lower && version.ends_before(0, i, lower_head_, *lower)) continue;
    if (upper && !version.begins_before(0, i, upper_head_, *upper)) continue;
    new (tables + added++) TableRun(version, 0, i, i + 1, head_map_, at);
  }
  l0_end_ = count_ + added;
  for (int level = 1; level < version.depth(); ++level) {
    const std::size_t begin = lower ? version.lower_bound(level, lower_head_, *lower) : 0;
    std::size_t end = version.level(level).size();
    if (upper) {
      end = version.lower_bound(level, upper_head_, *upper);
      if (end < version.level(level).size() && version.begins_before(level, end, upper_head_, *upper)) ++end;
    }
    if (begin < end) new (tables + added++) TableRun(version, level, begin, end, head_map_, at);
  }
  tables_ = {tables, added};
  count_ += added;
}

template <class Call>
[[gnu::always_inline]] inline auto RunMerge::with(std::size_t run, Call call) {
  if (run >= memtables_.size()) [[likely]]
    return call(tables_[run - memtables_.size()]);
  return call(memtables_[run]);
}

void RunMerge::prepare_seek(Slice key) {
  const std::uint64_t head = head_map_.head(key);
  for (TableRun& run : tables_) run.start_seek(key, head);
  for (TableRun& run : tables_) run.continue_seek(key);
}

void RunMerge::seek(Slice key) {
  prepare_seek(key);
  start(Direction::kForward, [key](auto& run) { run.seek(key); });
}

void RunMerge::seek_before(Slice key) {
  prepare_seek(key);
  start(Direction::kBackward, [key](auto& run) { run.seek_before(key); });
}

void RunMerge::seek_to_first() {
  start(Direction::kForward, [](auto& run) { run.seek_to_first(); });
}

void RunMerge::seek_to_last() {
  start(Direction::kBackward, [](auto& run) { run.seek_to_last(); });
}

template <class Seek>
void RunMerge::start(Direction direction, Seek seek) {
  direction_ = direction;
  status_ = {};
  valid_ = false;
  straight_wins_ = 0;
  best_known_ = false;
  for (std::size_t i = 0; i < count_; ++i) {
    with(i, seek);
    if (!load_head(i)) return;
  }
  count_blocks();
  choose();
}

// After a seek: a run that has not ended has read a block.
void RunMerge::count_blocks() {
  std::uint64_t upper = 0;
  std::uint64_t deeper = 0;
  for (std::size_t i = memtables_.size(); i < l0_end_; ++i) upper += heads_[i] != kHeadEnd ? 1 : 0;
  for (std::size_t i = l0_end_; i < count_; ++i) deeper += heads_[i] != kHeadEnd ? 1 : 0;
  sought_blocks_ += upper + deeper;
  spared_blocks_ += deeper != 0 || upper == 0 ? upper : upper - 1;
}

std::uint64_t RunMerge::blocks_in_vain() const {
  if (spared_blocks_ == 0) return 0;
  std::uint64_t read = 0;
  for (const TableRun& run : tables_) read += run.blocks_read();
  const std::uint64_t beyond = read > sought_blocks_ ? read - sought_blocks_ : 0;
  return spared_blocks_ > beyond ? spared_blocks_ - beyond : 0;
}

// Precondition: valid(); the last move was in `direction`.
template <RunMerge::Direction direction>
void RunMerge::advance() {
  best_known_ = false;
  with(winner_, [](auto& run) { direction == Direction::kForward ? run.next() : run.prev(); });
  if (!load_head(winner_)) return;
  if (straight_wins_ >= kStraightWins && heads_[winner_] < rival_head_) return;
  const std::size_t last = winner_;
  choose();
  straight_wins_ = winner_ == last ? straight_wins_ + 1 : 0;
  if (straight_wins_ >= kStraightWins) rival_head_ = best_of_others();
}

template void RunMerge::advance<RunMerge::Direction::kForward>();
template void RunMerge::advance<RunMerge::Direction::kBackward>();

// False, with the merge failed, when the run has failed.
inline bool RunMerge::load_head(std::size_t run) {
  return with(run, [this, run](auto& moved) {
    if (moved.valid()) [[likely]] {
      heads_[run] = direction_ == Direction::kForward ? moved.head() : ~moved.head();
      return true;
    }
    heads_[run] = kHeadEnd;
    return moved.status().ok() || fail(moved.status());
  });
}

void RunMerge::choose() {
  std::uint64_t best = kHeadEnd;
  std::size_t winner = 0;
  bool tied = count_ == 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const std::uint64_t head = heads_[i];
    tied |= head == best;
    winner = head < best ? i : winner;
    best = head < best ? head : best;
  }
  valid_ = true;
  winner_ = tied ? untie(best) : winner;
}

[[gnu::always_inline]] inline bool RunMerge::read_run(std::size_t run, KeyBuffer& key, RunEntry& entry) {
  return with(
      run, [&](auto& from) __attribute__((always_inline)) {
        do {
          from.read(key, entry);
        } while (!from.trusted() && from.valid());
        return from.valid() || fail(from.status());
      });
}

// Moves run `run` beyond the versions of `key`. False, with the merge failed, when the run has failed.
bool RunMerge::pass_versions(std::size_t run, Slice key) {
  return with(run, [&](auto& older) {
    while (older.valid()) {
      const bool same = older.is_version_of(key);
      if (!older.trusted()) continue;
      if (!same) return true;
      direction_ == Direction::kForward ? older.next() : older.prev();
    }
    return older.status().ok() || fail(older.status());
  });
}

// The run of the first key, in the present direction, among those whose head is `head`; of equal keys the newest.
std::size_t RunMerge::untie(std::uint64_t head) {
  std::size_t winner = count_;
  RunEntry entry;
  for (std::size_t i = 0; i < count_; ++i) {
    if (heads_[i] != head || !with(i, [](const auto& run) { return run.valid(); })) continue;
    if (winner == count_) {
      winner = i;
      continue;
    }
    if (!best_known_ && !read_run(winner, best_, best_entry_)) return 0;
    best_known_ = true;
    // What this run has of the best key is hidden, as it is older.
    if (!pass_versions(i, best_.slice()) || !load_head(i)) return 0;
    if (heads_[i] != head || !with(i, [](const auto& run) { return run.valid(); })) continue;
    if (!read_run(i, tied_, entry)) return 0;
    if ((tied_.slice() < best_.slice()) != (direction_ == Direction::kForward)) continue;
    winner = i;
    best_.assign(tied_.slice());
    best_entry_ = entry;
  }
  valid_ = winner < count_;
  return valid_ ? winner : 0;
}

std::uint64_t RunMerge::best_of_others() const {
  std::uint64_t best = kHeadEnd;
  for (std::size_t i = 0; i < count_; ++i) {
    if (i != winner_) best = std::min(best, heads_[i]);
  }
  return best;
}

bool RunMerge::read(KeyBuffer& key, RunEntry& entry) {
  if (!best_known_) [[likely]]
    return read_run(winner_, key, entry);
  key.assign(best_.slice());
  entry = best_entry_;
  return true;
}

bool RunMerge::fail(const Status& status) {
  valid_ = false;
  status_ = status;
  return false;
}

}  // namespace firn::lsm
