// Tests: tests/contract/iterator_test.cc, tests/lsm/db_iterator_test.cc.
#include "lsm/run_merge.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

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
  return memtables * sizeof(MemTableRun) + tables * sizeof(TableRun) + (memtables + tables) * sizeof(Runner);
}

RunMerge::RunMerge(const ReadView& view, Sequence at, const std::optional<std::string>& lower,
                   const std::optional<std::string>& upper, std::byte* room)
    : version_(*view.version()), head_map_(version_.common_prefix()) {
  auto* const memtables = reinterpret_cast<MemTableRun*>(room);
  if (!view.active()->empty()) new (memtables + count_++) MemTableRun(*view.active(), head_map_, at);
  for (const auto& memtable : view.immutables()) new (memtables + count_++) MemTableRun(*memtable, head_map_, at);
  memtables_ = {memtables, count_};
  add_tables(at, lower, upper);
  take_bounds(lower, upper);
  runs_ = reinterpret_cast<Runner*>(tables_.data() + tables_.size());
  for (std::size_t i = 0; i < count_; ++i) {
    TableRun* const table = i < memtables_.size() ? nullptr : &tables_[i - memtables_.size()];
    new (runs_ + i) Runner{kHeadEnd, table};
  }
}

RunMerge::~RunMerge() {
  std::destroy(memtables_.begin(), memtables_.end());
  std::destroy(tables_.begin(), tables_.end());
}

// Before a run is placed.
void RunMerge::take_bounds(const std::optional<std::string>& lower, const std::optional<std::string>& upper) {
  // The longer the prefix that heads leave out, the more keys they tell apart; but they are found faster where that is
  // no longer than what a block's keys begin with. One run alone has nothing to be told from.
  const Slice common = lower && upper && count_ > 1 ? shared_prefix(*lower, *upper) : Slice();
  if (common.size() > head_map_.prefix().size()) head_map_ = HeadMap(common);
  if (lower) lower_head_ = head_map_.head(*lower);
  if (upper) upper_head_ = head_map_.head(*upper);
}

void RunMerge::add_tables(Sequence at, const std::optional<std::string>& lower,
                          const std::optional<std::string>& upper) {
  const std::uint64_t lower_head = lower ? version_.head(*lower) : 0;
  const std::uint64_t upper_head = upper ? version_.head(*upper) : 0;
  auto* const tables = reinterpret_cast<TableRun*>(memtables_.data() + memtables_.size());
  std::size_t added = 0;
  for (std::size_t i = 0; i < version_.level(0).size(); ++i) {
    if (lower && version_.ends_before(0, i, lower_head, *lower)) continue;
    if (upper && !version_.begins_before(0, i, upper_head, *upper)) continue;
    new (tables + added++) TableRun(version_, 0, i, i + 1, head_map_, at);
  }
  l0_tables_ = added;
  for (int level = 1; level < version_.depth(); ++level) {
    const std::size_t begin = lower ? version_.lower_bound(level, lower_head, *lower) : 0;
    std::size_t end = version_.level(level).size();
    if (upper) {
      end = version_.lower_bound(level, upper_head, *upper);
      if (end < version_.level(level).size() && version_.begins_before(level, end, upper_head, *upper)) ++end;
    }
    if (begin < end) new (tables + added++) TableRun(version_, level, begin, end, head_map_, at);
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
  const std::uint64_t head = version_.head(key);
  bool all_open = true;
  for (TableRun& run : tables_) {
    run.start_seek(key, head);
    all_open &= run.closed_table() == nullptr;
  }
  if (!all_open) [[unlikely]]
    open_tables(key, head);
  for (TableRun& run : tables_) run.continue_seek(key);
}

// Opens the tables that a started seek goes to together, and starts it again.
void RunMerge::open_tables(Slice key, std::uint64_t head) {
  std::vector<const TableFile*> files;
  for (const TableRun& run : tables_) {
    if (const TableFile* const file = run.closed_table()) files.push_back(file);
  }
  TableFile::open_together(std::move(files));
  for (TableRun& run : tables_) run.start_seek(key, head);
}

void RunMerge::seek(Slice key) {
  prepare_seek(key);
  // A core waits for about so many lines at once.
  constexpr std::size_t kLines = 16;
  const std::size_t lines = kLines / std::clamp<std::size_t>(tables_.size(), 1, 4);
  for (TableRun& run : tables_) run.search(key, lines);
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
  rival_head_ = 0;
  bound_head_ = direction == Direction::kForward ? upper_head_ : ~lower_head_;
  for (std::size_t i = 0; i < count_; ++i) {
    with(i, seek);
    if (!load_head(i)) return;
  }
  count_blocks();
  choose();
}

// After a seek.
void RunMerge::count_blocks() {
  std::uint64_t upper = 0;
  std::uint64_t deeper = 0;
  for (std::size_t i = 0; i < tables_.size(); ++i) (i < l0_tables_ ? upper : deeper) += tables_[i].placed() ? 1 : 0;
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

bool RunMerge::advance_memtable() { return move(winner()) && (winner_->head < rival_head_ || choose_next()); }

// Moves a run by one key. False, with the merge failed, when the run has failed.
[[gnu::always_inline]] inline bool RunMerge::move(std::size_t run) {
  with(
      run, [this](auto& moved)
               __attribute__((always_inline)) { direction_ == Direction::kForward ? moved.next() : moved.prev(); });
  return load_head(run);
}

// False, with the merge failed, when the run has failed.
[[gnu::always_inline]] inline bool RunMerge::load_head(std::size_t run) {
  return with(
      run, [ this, run ](auto& moved) __attribute__((always_inline)) {
        if (moved.valid()) [[likely]] {
          runs_[run].head = oriented(moved.head());
          return true;
        }
        runs_[run].head = kHeadEnd;
        return moved.status().ok() || fail(moved.status());
      });
}

bool RunMerge::choose_after_end() { return load_head(winner()) && choose_next(); }

// After a move of the winner that may have brought another run to the front.
bool RunMerge::choose_next() {
  const Runner* const last = winner_;
  choose();
  straight_wins_ = winner_ == last ? straight_wins_ + 1 : 0;
  rival_head_ = straight_wins_ >= kStraightWins ? best_of_others() : 0;
  return valid_;
}

inline void RunMerge::choose() {
  Runner* winner = runs_;
  std::uint64_t best = kHeadEnd;
  bool tied = false;
  for (Runner* run = runs_; run != runs_ + count_; ++run) {
    const std::uint64_t head = run->head;
    tied |= head == best;
    winner = head < best ? run : winner;
    best = head < best ? head : best;
  }
  winner_ = winner;
  valid_ = (!tied && count_ != 0) || untie(best);
  leader_ = valid_ ? winner_->table : nullptr;
}

// Whether run `run` is at a key whose head is `head`.
[[gnu::always_inline]] inline bool RunMerge::is_tied(std::size_t run, std::uint64_t head) {
  return runs_[run].head == head && (head != kHeadEnd || with(run, [](const auto& tied) { return tied.valid(); }));
}

// Makes the winner the run of the first key, in the present direction, among those whose head is `head`; of equal keys
// the newest, and the older ones, which it hides, are passed. False when there is none, or with the merge failed.
bool RunMerge::untie(std::uint64_t head) {
  bool found = false;
  bool key_read = false;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!is_tied(i, head)) continue;
    if (!found) {
      winner_ = runs_ + i;
      found = true;
      continue;
    }
    int order = 0;
    if ((!key_read && !read_key(winner())) || !compare(i, order)) return false;
    key_read = true;
    if (order == 0) {
      if (!move(i)) return false;
    } else if ((order < 0) == (direction_ == Direction::kForward)) {
      winner_ = runs_ + i;
      key_read = false;
    }
  }
  return found;
}

// Reads the key of run `run` to key_. False, with the merge failed, when it cannot be read.
[[gnu::always_inline]] inline bool RunMerge::read_key(std::size_t run) {
  return with(
      run, [this](auto& from) __attribute__((always_inline)) {
        do {
          from.read_key(key_);
        } while (!from.trusted() && from.valid());
        return from.valid() || fail(from.status());
      });
}

// The order of the key of run `run` against key_. False, with the merge failed, when it cannot be read.
[[gnu::always_inline]] inline bool RunMerge::compare(std::size_t run, int& order) {
  return with(
      run, [ this, &order ](auto& with_key) __attribute__((always_inline)) {
        do {
          order = with_key.compare(key_.slice());
        } while (!with_key.trusted() && with_key.valid());
        return with_key.valid() || fail(with_key.status());
      });
}

std::uint64_t RunMerge::best_of_others() const {
  std::uint64_t best = kHeadEnd;
  for (std::size_t i = 0; i < count_; ++i) {
    if (i != winner()) best = std::min(best, runs_[i].head);
  }
  return best;
}

// The general case of read().
bool RunMerge::read_again(RunEntry& entry) {
  return with(winner(), [&](auto& from) {
    while (from.valid()) {
      from.read(key_, entry);
      if (from.trusted()) return true;
    }
    return fail(from.status());
  });
}

bool RunMerge::fail(const Status& status) {
  valid_ = false;
  status_ = status;
  return false;
}

}  // namespace firn::lsm
