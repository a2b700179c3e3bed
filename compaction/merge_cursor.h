// Many runs read as one, in both directions, with all their versions: what compaction reads. (Iterators of users merge
// in lsm/run_merge.h.) Idea: a tournament of losers (Knuth, TAOCP 3, 5.4.1) over eight-byte key heads kept in one flat
// array, so that most comparisons read no key; 0, 1 and 2 children have code of their own, and a child that wins
// several times in a row is compared with the runner-up only (as timsort's galloping mode does).
//
// Thread safety: one thread at a time. Lifetime: owns its children; what they read outlives it. entry() borrows from
// the child it came from: the key lives until the next move, the value as long as that child says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/cursor.h"

namespace firn::compaction {

class MergeCursor final : public Cursor {
 public:
  // Not positioned. No two entries of different children share key and sequence. All keys, sought ones included, share
  // their first `head_offset` bytes; 0 is always right, the true length makes heads more telling.
  explicit MergeCursor(std::vector<std::unique_ptr<Cursor>> children, std::size_t head_offset = 0);

  // An error of any child ends the merge at once: valid() is false and status() is that error, until the next seek.
  void seek_to_first() override;
  void seek_to_last() override;
  void seek(Slice key, Sequence sequence) override;
  void seek_before(Slice key) override;
  void next() override;
  void prev() override;

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };
  // One match of the tournament: who lost it. Heads are complemented when moving backward, so the smallest wins.
  struct Loser {
    std::uint64_t head = 0;
    std::uint64_t child = 0;
  };

  void start(Direction direction);
  void turn(Direction direction);
  void advance();
  template <std::uint32_t winner>
  void advance_of_two();
  void move_child(std::uint32_t child);
  bool load_head(std::uint32_t child);
  bool before(std::uint32_t a, std::uint32_t b) const;
  bool tie_before(std::uint32_t a, std::uint32_t b) const;
  bool ordered_before(const Entry& a, const Entry& b) const;
  void build();
  std::uint32_t play(std::size_t node);
  void replay();
  std::uint32_t second_best() const;
  void choose_of_two();
  void present();

  std::vector<std::unique_ptr<Cursor>> children_;
  // Per child, and up to the next power of two: the end, as of a child that has ended (kHeadEnd).
  std::vector<std::uint64_t> heads_;
  std::vector<Loser> losers_;  // [1, heads) in use: node i plays the winners of nodes 2i and 2i + 1.
  std::size_t head_offset_;
  std::uint32_t winner_ = 0;  // Child of entry().
  std::uint32_t rival_ = 0;   // Second best while straight_wins_ >= kStraightWins.
  std::uint32_t straight_wins_ = 0;
  Direction direction_ = Direction::kForward;
};

}  // namespace firn::compaction
