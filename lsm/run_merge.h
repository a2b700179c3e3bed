// The runs of a view merged for a user's iterator: memtables, L0 tables, levels, newest first. Of equal keys the one of
// the newest run comes first, in both directions.
//
// Idea: one flat array of key heads; the smallest wins, found by a branchless pass, as who wins is mostly random. A run
// that has won several times in a row is compared with the best of the others only (timsort's galloping mode). Keys are
// compared only where heads tie.
//
// Thread safety: one thread at a time. Lifetime: the view outlives the merge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "lsm/head_map.h"
#include "lsm/key_buffer.h"
#include "lsm/memtable_run.h"
#include "lsm/read_view.h"
#include "lsm/table_run.h"

namespace firn::lsm {

class RunMerge {
 public:
  // Sees the writes up to `at`. Tables without keys in [lower, upper) are left out; other keys may be shown.
  RunMerge(const ReadView& view, Sequence at, const std::optional<std::string>& lower,
           const std::optional<std::string>& upper);
  RunMerge(const RunMerge&) = delete;
  RunMerge& operator=(const RunMerge&) = delete;

  // Moves forward; then next() may follow.
  void seek(Slice key);
  void seek_to_first();
  void next() { advance<Direction::kForward>(); }
  // Moves backward; then prev() may follow.
  void seek_before(Slice key);
  void seek_to_last();
  void prev() { advance<Direction::kBackward>(); }

  // False past either end and after an error; status() tells the two apart. An error of any run ends the merge.
  bool valid() const { return valid_; }
  const Status& status() const { return status_; }
  const HeadMap& head_map() const { return head_map_; }
  // The present key's. Precondition of both: valid().
  std::uint64_t head() const { return direction_ == Direction::kForward ? heads_[winner_] : ~heads_[winner_]; }
  // The present entry: its key goes to `key`, the rest is the answer. False, with the merge failed, when it cannot be
  // read.
  bool read(KeyBuffer& key, RunEntry& entry);
  // Of the entry read last. Precondition: it is separated.
  const ValueReference& reference() const { return reference_; }

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };
  using Run = std::variant<std::monostate, MemTableRun, TableRun>;

  void add_level(const Version& version, int level, Sequence at, const std::optional<std::string>& lower,
                 const std::optional<std::string>& upper);
  void prepare_seek(Slice key);
  template <class Seek>
  void start(Direction direction, Seek seek);
  template <Direction direction>
  void advance();
  bool load_head(std::size_t run);
  bool read_run(std::size_t run, KeyBuffer& key, RunEntry& entry);
  void choose();
  std::size_t untie(std::uint64_t head);
  std::uint64_t best_of_others() const;
  bool fail(const Status& status);

  const HeadMap head_map_;
  std::unique_ptr<Run[]> runs_;
  // Of each run; complemented when moving backward, so that the smallest wins. All ones for a run that has ended.
  std::unique_ptr<std::uint64_t[]> heads_;
  std::size_t count_ = 0;
  std::size_t winner_ = 0;
  std::uint32_t straight_wins_ = 0;
  std::uint64_t rival_head_ = 0;  // The others' best, while straight_wins_ >= kStraightWins.
  Direction direction_ = Direction::kForward;
  bool valid_ = false;
  ValueReference reference_;
  KeyBuffer tied_;  // Scratch of untie().
  KeyBuffer best_;
  Status status_;
};

}  // namespace firn::lsm
