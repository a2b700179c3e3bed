#include "compaction/merge_cursor.h"

#include <bit>
#include <limits>
#include <utility>

#include "codec/key_head.h"

namespace firn::compaction {

namespace {

// Head of a child that has ended: loses every match but a tie, and ties ask the child.
constexpr std::uint64_t kHeadEnd = std::numeric_limits<std::uint64_t>::max();

// After so many straight wins a child is expected to go on winning.
constexpr std::uint32_t kStraightWins = 4;

}  // namespace

MergeCursor::MergeCursor(std::vector<std::unique_ptr<Cursor>> children, std::size_t head_offset)
    : children_(std::move(children)),
      heads_(std::bit_ceil(children_.size()), kHeadEnd),
      losers_(heads_.size()),
      head_offset_(head_offset) {}

void MergeCursor::seek_to_first() {
  for (const auto& child : children_) child->seek_to_first();
  start(Direction::kForward);
}

void MergeCursor::seek_to_last() {
  for (const auto& child : children_) child->seek_to_last();
  start(Direction::kBackward);
}

void MergeCursor::seek(Slice key, Sequence sequence) {
  for (const auto& child : children_) child->seek(key, sequence);
  start(Direction::kForward);
}

void MergeCursor::seek_before(Slice key) {
  for (const auto& child : children_) child->seek_before(key);
  start(Direction::kBackward);
}

void MergeCursor::next() {
  if (direction_ != Direction::kForward) return turn(Direction::kForward);
  advance();
}

void MergeCursor::prev() {
  if (direction_ != Direction::kBackward) return turn(Direction::kBackward);
  advance();
}

// Precondition: every child stands at its first entry in `direction` that is to be returned.
void MergeCursor::start(Direction direction) {
  direction_ = direction;
  status_ = Status();
  for (std::uint32_t child = 0; child < children_.size(); ++child) {
    if (!load_head(child)) return;
  }
  build();
  present();
}

// Moves every child to its first entry beyond entry() in the new direction. Each but the winner stands just beyond
// entry() in the old direction, so one step suffices, unless entries were added to a memtable in between.
void MergeCursor::turn(Direction direction) {
  direction_ = direction;
  const bool forward = direction == Direction::kForward;
  for (std::uint32_t i = 0; i < children_.size(); ++i) {
    if (i == winner_) continue;
    Cursor& child = *children_[i];
    if (child.valid()) {
      move_child(i);
    } else if (forward) {
      child.seek_to_first();
    } else {
      child.seek_to_last();
    }
    while (child.valid() && ordered_before(child.entry(), *present_)) move_child(i);
    if (!load_head(i)) return;
  }
  move_child(winner_);  // Last: entry() is the winner's.
  if (!load_head(winner_)) return;
  build();
  present();
}

void MergeCursor::advance() {
  // With two children a branch beats a computed choice: guessed right, the next entry is fetched while this one is
  // still being compared.
  if (children_.size() == 2) return winner_ == 0 ? advance_of_two<0>() : advance_of_two<1>();
  move_child(winner_);
  if (!load_head(winner_)) return;
  if (children_.size() > 2) {
    if (straight_wins_ < kStraightWins) {
      replay();
    } else if (!before(winner_, rival_)) {
      straight_wins_ = 0;
      replay();
    }
  }
  present();
}

template <std::uint32_t winner>
void MergeCursor::advance_of_two() {
  move_child(winner);
  if (!load_head(winner)) return;
  choose_of_two();
  present();
}

inline void MergeCursor::move_child(std::uint32_t child) {
  if (direction_ == Direction::kForward) {
    children_[child]->next();
  } else {
    children_[child]->prev();
  }
}

// False, with the merge failed, when the child has failed.
inline bool MergeCursor::load_head(std::uint32_t child) {
  const Cursor& cursor = *children_[child];
  if (cursor.valid()) [[likely]] {
    const std::uint64_t head = key_head(cursor.entry().key, head_offset_);
    heads_[child] = direction_ == Direction::kForward ? head : ~head;
    return true;
  }
  heads_[child] = kHeadEnd;
  if (cursor.status().ok()) return true;
  fail(cursor.status());
  return false;
}

inline bool MergeCursor::before(std::uint32_t a, std::uint32_t b) const {
  if (heads_[a] != heads_[b]) return heads_[a] < heads_[b];
  return tie_before(a, b);
}

// `a` comes before `b` where their heads are equal. Children that have ended come last.
bool MergeCursor::tie_before(std::uint32_t a, std::uint32_t b) const {
  if (a >= children_.size() || !children_[a]->valid()) return false;
  if (b >= children_.size() || !children_[b]->valid()) return true;
  return ordered_before(children_[a]->entry(), children_[b]->entry());
}

// `a` comes before `b` in the present direction.
bool MergeCursor::ordered_before(const Entry& a, const Entry& b) const {
  const bool forward = direction_ == Direction::kForward;
  const int order = a.key.substr(head_offset_).compare(b.key.substr(head_offset_));
  if (order != 0) return (order < 0) == forward;
  return a.sequence != b.sequence && (a.sequence > b.sequence) == forward;
}

// Plays the whole tournament.
void MergeCursor::build() {
  straight_wins_ = 0;
  winner_ = 0;
  if (children_.size() == 2) choose_of_two();
  if (children_.size() > 2) winner_ = play(1);
}

// Plays the matches of `node` and below; its winner.
std::uint32_t MergeCursor::play(std::size_t node) {
  if (node >= losers_.size()) return static_cast<std::uint32_t>(node - losers_.size());
  const std::uint32_t a = play(2 * node);
  const std::uint32_t b = play(2 * node + 1);
  const bool a_wins = before(a, b);
  losers_[node] = {heads_[a_wins ? b : a], a_wins ? b : a};
  return a_wins ? a : b;
}

// Plays the matches on the way from the winner's leaf to the root, the winner having moved. Who wins is as good as
// random, so the choice is computed; only ties branch.
void MergeCursor::replay() {
  std::uint64_t winner = winner_;
  std::uint64_t head = heads_[winner_];
  for (std::size_t node = (winner_ + losers_.size()) / 2; node >= 1; node /= 2) {
    Loser& loser = losers_[node];
    bool loses = loser.head < head;
    if (loser.head == head) [[unlikely]] {
      loses = tie_before(static_cast<std::uint32_t>(loser.child), static_cast<std::uint32_t>(winner));
    }
    const std::uint64_t mask = loses ? ~std::uint64_t{0} : 0;
    const std::uint64_t head_change = (loser.head ^ head) & mask;
    const std::uint64_t child_change = (loser.child ^ winner) & mask;
    loser.head ^= head_change;
    loser.child ^= child_change;
    head ^= head_change;
    winner ^= child_change;
  }
  straight_wins_ = winner == winner_ ? straight_wins_ + 1 : 0;
  winner_ = static_cast<std::uint32_t>(winner);
  if (straight_wins_ == kStraightWins) rival_ = second_best();
}

// The best of those who lost to the winner: one of them is second of all.
std::uint32_t MergeCursor::second_best() const {
  std::size_t node = (winner_ + losers_.size()) / 2;
  auto best = static_cast<std::uint32_t>(losers_[node].child);
  for (node /= 2; node >= 1; node /= 2) {
    const auto other = static_cast<std::uint32_t>(losers_[node].child);
    if (before(other, best)) best = other;
  }
  return best;
}

inline void MergeCursor::choose_of_two() { winner_ = before(0, 1) ? 0 : 1; }

inline void MergeCursor::present() {
  if (winner_ >= children_.size()) return end();  // All have ended, or there are none.
  const Cursor& winner = *children_[winner_];
  present_ = &winner.entry();
  valid_ = winner.valid();
}

}  // namespace firn::compaction
