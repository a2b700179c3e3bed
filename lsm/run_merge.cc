// Tests: tests/contract/iterator_test.cc, tests/lsm/run_merge_test.cc.
#include "lsm/run_merge.h"

#include <algorithm>
#include <limits>

namespace firn::lsm {

namespace {

constexpr std::uint64_t kHeadEnd = std::numeric_limits<std::uint64_t>::max();

// After so many straight wins a run is expected to go on winning.
constexpr std::uint32_t kStraightWins = 4;

// Calls `call` with the run that `run` holds.
template <class Run, class Call>
[[gnu::always_inline]] inline auto with(Run& run, Call call) {
  if (auto* const tables = std::get_if<TableRun>(&run)) [[likely]]
    return call(*tables);
  return call(*std::get_if<MemTableRun>(&run));
}

}  // namespace

RunMerge::RunMerge(const ReadView& view, Sequence at, const std::optional<std::string>& lower,
                   const std::optional<std::string>& upper)
    : head_map_(view.version()->common_prefix()) {
  const Version& version = *view.version();
  const std::size_t most = 1 + view.immutables().size() + version.level(0).size() + kLevelCount;
  runs_ = std::make_unique<Run[]>(most);
  heads_ = std::make_unique_for_overwrite<std::uint64_t[]>(most);
  if (!view.active()->empty()) runs_[count_++].emplace<MemTableRun>(*view.active(), head_map_, at);
  for (const auto& memtable : view.immutables()) runs_[count_++].emplace<MemTableRun>(*memtable, head_map_, at);
  for (std::size_t i = 0; i < version.level(0).size(); ++i) {
    const TableMeta& meta = version.level(0)[i]->meta();
    if ((lower && meta.largest_key < *lower) || (upper && meta.smallest_key >= *upper)) continue;
    runs_[count_++].emplace<TableRun>(version, 0, i, i + 1, head_map_, at);
  }
  for (int level = 1; level < version.depth(); ++level) add_level(version, level, at, lower, upper);
}

void RunMerge::add_level(const Version& version, int level, Sequence at, const std::optional<std::string>& lower,
                         const std::optional<std::string>& upper) {
  const TableList& tables = version.level(level);
  const std::size_t begin = lower ? version.lower_bound(level, *lower) : 0;
  std::size_t end = tables.size();
  if (upper) {
    end = version.lower_bound(level, *upper);
    if (end < tables.size() && tables[end]->meta().smallest_key < *upper) ++end;
  }
  if (begin < end) runs_[count_++].emplace<TableRun>(version, level, begin, end, head_map_, at);
}

void RunMerge::prepare_seek(Slice key) {
  for (std::size_t i = 0; i < count_; ++i) with(runs_[i], [key](auto& run) { run.start_seek(key); });
  for (std::size_t i = 0; i < count_; ++i) with(runs_[i], [key](auto& run) { run.continue_seek(key); });
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
  for (std::size_t i = 0; i < count_; ++i) {
    with(runs_[i], seek);
    if (!load_head(i)) return;
  }
  choose();
}

// Precondition: valid(); the last move was in `direction`.
template <RunMerge::Direction direction>
void RunMerge::advance() {
  with(runs_[winner_], [](auto& run) { direction == Direction::kForward ? run.next() : run.prev(); });
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
  return with(runs_[run], [this, run](auto& moved) {
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

// The run of the first key, in the present direction, among those whose head is `head`; of equal keys the newest.
std::size_t RunMerge::untie(std::uint64_t head) {
  std::size_t winner = count_;
  bool best_known = false;
  RunEntry entry;
  for (std::size_t i = 0; i < count_; ++i) {
    if (heads_[i] != head || !with(runs_[i], [](const auto& run) { return run.valid(); })) continue;
    if (winner == count_) {
      winner = i;
      continue;
    }
    if (!best_known && !read_run(winner, best_, entry)) return 0;
    best_known = true;
    if (!read_run(i, tied_, entry)) return 0;
    const int order = tied_.slice().compare(best_.slice());
    if (order == 0 || (order < 0) != (direction_ == Direction::kForward)) continue;
    winner = i;
    best_.assign(tied_.slice());
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

bool RunMerge::read(KeyBuffer& key, RunEntry& entry) { return read_run(winner_, key, entry); }

inline bool RunMerge::read_run(std::size_t run, KeyBuffer& key, RunEntry& entry) {
  return with(runs_[run], [&](auto& from) {
    do {
      entry = from.read(key);
      // Before it is asked whether what was read can be trusted. Blocks are checked: it is a reference.
      if (entry.separated != nullptr) static_cast<void>(sstable::decode_reference(entry.value, reference_));
    } while (!from.trusted() && from.valid());
    return from.valid() || fail(from.status());
  });
}

bool RunMerge::fail(const Status& status) {
  valid_ = false;
  status_ = status;
  return false;
}

}  // namespace firn::lsm
